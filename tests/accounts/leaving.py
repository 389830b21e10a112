"""A person who has left traces everywhere, and looking for these."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group
from django.db import connection

from backend.accounts import tokens
from backend.accounts.api_keys import create_api_key
from backend.accounts.models import IdempotencyKey, MailCategory, Scope, User
from backend.back_office.models import SecondFactor
from backend.events.models import Event
from backend.files.local import LocalStore
from backend.files.models import File
from backend.files.stores import store
from backend.guide.models import Offer, OfferKind
from backend.ids import new_id
from backend.jobs import endings, recruiting, review, work
from backend.jobs.models import Job, Submission
from backend.jobs.status import DeliverableType, ReviewDecision
from backend.notifications.models import Mail
from backend.profiles.services import update_profile
from backend.webhooks.services import create_endpoint
from tests.files.people import a_file
from tests.jobs.people import (
    NOON,
    a_draft,
    a_job,
    a_person,
    a_wallet,
    an_application,
    reviewed,
)

# In everything that has to go: the person's address and name, and what they wrote.
EMAIL, NAME, FREE_TEXT = "xochitl@traces.example", "Xochiquetzal", "unforgettable"
# In what somebody else was paid for, has paid for or has decided by.
EVIDENCE = "evidential"


def leave_traces(person: User) -> None:
    """Have `person` do whatever leaves something of theirs behind, and nothing that goes on."""
    person.email, person.display_name, person.locale = EMAIL, NAME, "es"
    person.save()
    _profile(person)
    _doors(person)
    _offers_of_work(person)
    _applications(person)
    _rejected_work(person)


def a_file_with_bytes(owner: User, name: str = f"{FREE_TEXT}.txt", **fields: Any) -> File:
    file = a_file(owner, name=name, **fields)
    path = path_of(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"hello")
    return file


def path_of(file: File) -> Path:
    kept = store()
    assert isinstance(kept, LocalStore)
    return kept.path_of(file)


def _profile(person: User) -> None:
    avatar = a_file_with_bytes(person, media_type="image/png")
    update_profile(
        user=person,
        changes={
            "bio": f"{FREE_TEXT} since 1990",
            "languages": ["oto", "es"],
            "avatar_file_id": avatar.id,
            "notify": [MailCategory.MONEY],
        },
        now=NOON,
    )
    a_file_with_bytes(person)  # attached to nothing
    unused = a_wallet(person, is_default=False)
    unused.url = f"https://wallet.example/{FREE_TEXT}"
    unused.save()


def _doors(person: User) -> None:
    tokens.issue(user=person, label=f"{NAME}'s phone", now=NOON)
    create_api_key(owner=person, name=NAME, scopes=[Scope.READ], test_mode=True, now=NOON)
    create_endpoint(
        owner=person, url=f"https://{FREE_TEXT}.example/hook", events=["user.*"], now=NOON
    )
    SecondFactor.objects.create(user=person, name=NAME, sealed_key="x", created_at=NOON)
    person.groups.add(Group.objects.create(name="Helpers"))
    Offer.objects.create(
        owner=person, reference=FREE_TEXT, kind=OfferKind.DESCRIBED, created_at=NOON
    )
    IdempotencyKey.objects.create(
        caller=person,
        operation="fundJob",
        key=new_id(),
        fingerprint="x",
        result_id=new_id(),
        created_at=NOON,
    )
    Mail.objects.create(
        recipient=person,
        event_id=new_id(),
        event_at=NOON,
        subject_id=new_id(),
        kind="work",
        due_at=NOON,
        created_at=NOON,
    )


def _offers_of_work(person: User) -> None:
    reference = a_file_with_bytes(person)
    words = {"title": FREE_TEXT, "description": f"{FREE_TEXT} by {NAME}", "dialect": FREE_TEXT}
    a_draft(person, **words)
    over = a_job(person, reference_file_ids=(reference.id,), **words)
    an_application(over)
    endings.cancel_job(user=person, job_id=over.id, reason="No more.", now=NOON)
    # Somebody was selected for this one. Its words are evidence, the voice that reads them is not.
    voice = a_file_with_bytes(person, media_type="audio/mpeg")
    agreed = a_job(person, title=EVIDENCE, title_audio_file_id=voice.id)
    chosen = an_application(agreed)
    recruiting.decide_applications(user=person, job_id=agreed.id, select=[chosen.id], now=NOON)
    endings.cancel_job(user=person, job_id=agreed.id, reason=EVIDENCE, now=NOON)


def _applications(person: User) -> None:
    letter = a_file_with_bytes(person)
    wallet = a_wallet(person, is_default=False)
    wallet.url = f"https://wallet.example/{FREE_TEXT}/2"
    wallet.save()
    for _ in range(2):
        job = a_job(a_person("owner"))
        application = recruiting.apply_to_job(
            user=person,
            job_id=job.id,
            note=FREE_TEXT,
            attachment_ids=[letter.id],
            payout_wallet_id=wallet.id,
            now=NOON,
        )
    recruiting.decide_applications(user=job.owner, job_id=job.id, reject=[application.id], now=NOON)


def _rejected_work(person: User) -> None:
    job = a_job(a_person("owner"), workers_needed=1, deliverables=(DeliverableType.TEXT,))
    chosen = an_application(job, person, note=FREE_TEXT)
    recruiting.decide_applications(user=job.owner, job_id=job.id, select=[chosen.id], now=NOON)
    work.begin_work(job=job, at=NOON)
    handed_in = hand_in(person, job, FREE_TEXT, a_file_with_bytes(person))
    rejected = reviewed(handed_in, ReviewDecision.REJECT)
    review.acknowledge_decision(user=person, submission_id=rejected.id, now=NOON)
    endings.complete_job(user=job.owner, job_id=job.id, now=NOON)


def hand_in(worker: User, job: Job, words: str, file: File, now: Any = NOON) -> Submission:
    draft = work.save_submission(
        user=worker, job_id=job.id, note=words, text=words, file_ids=[file.id], now=now
    )
    return work.submit_work(user=worker, submission_id=draft.id, now=now)


def columns_with(needle: str) -> set[str]:
    """Every column of the database in which `needle` is to be read, as table.column."""
    found = set()
    for table, columns, rows in _tables():
        for row in rows:
            for column, value in zip(columns, row, strict=True):
                if needle.lower() in str(value).lower():
                    found.add(f"{table}.{column}")
    return found


def rows_of(*tables: str) -> dict[str, list[Any]]:
    """Everything that is in these tables."""
    return {table: sorted(rows, key=str) for table, _, rows in _tables() if table in tables}


def _tables() -> Iterator[tuple[str, list[str], list[Any]]]:
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            columns = [column[0] for column in cursor.description]
            yield table, columns, cursor.fetchall()


def feed_of(person: User) -> list[Event]:
    return list(Event.objects.filter(topic=f"user:{person.pk}"))
