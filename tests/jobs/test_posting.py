"""Posting a job: drafting, publishing, editing, copying it and giving it more time."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from backend.errors import (
    ErrorCode,
    Forbidden,
    InvalidTransition,
    NotFound,
    ValidationFailed,
    WalletRequired,
)
from backend.events.models import Event
from backend.files.models import File
from backend.ids import new_id
from backend.jobs import posting, recruiting
from backend.jobs.errors import VersionChanged, WrongStatus
from backend.jobs.models import Job
from backend.jobs.status import DeliverableType, JobStatus, Pricing
from tests.files.people import a_file
from tests.jobs.people import (
    GOOD_JOB,
    NOON,
    USD_25,
    a_draft,
    a_job,
    a_job_in,
    a_job_with_work,
    a_person,
    an_application,
)

pytestmark = pytest.mark.django_db

# --- creating


def test_a_new_job_is_a_draft_with_the_usual_limits() -> None:
    job = a_draft()

    row = Job.objects.get(id=job.id)
    assert (row.status, row.version) == (JobStatus.DRAFT, 1)
    assert (row.recruit_limit, row.submit_days, row.review_days) == (10, 7, 14)
    assert row.close_recruiting_when_funded
    assert (row.recruit_until, row.expires_at) == (None, None)
    assert row.created_at == row.updated_at == NOON
    assert row.deliverables == ["AUDIO"]


def test_the_total_budget_is_the_reward_times_the_workers_needed() -> None:
    job = a_draft(workers_needed=3)

    assert job.reward == USD_25
    assert job.total_budget.value == 7500
    assert job.total_budget.same_asset(USD_25)


def test_the_recruit_limit_grows_with_the_workers_needed() -> None:
    assert a_draft(workers_needed=50).recruit_limit == 50


# --- publishing


def test_publishing_opens_recruiting_and_sets_the_deadlines() -> None:
    draft = a_draft()

    job = posting.publish_job(user=draft.owner, job_id=draft.id, now=NOON)

    assert job.status == JobStatus.RECRUITING
    assert job.recruit_until == NOON + timedelta(days=7)
    assert job.expires_at == NOON + timedelta(days=7 + 7 + 14)


def test_publishing_keeps_the_deadlines_the_owner_has_set() -> None:
    draft = a_draft(recruit_until=NOON + timedelta(days=3), expires_at=NOON + timedelta(days=30))

    job = posting.publish_job(user=draft.owner, job_id=draft.id, now=NOON)

    assert job.recruit_until == NOON + timedelta(days=3)
    assert job.expires_at == NOON + timedelta(days=30)


def test_a_job_that_expires_soon_leaves_half_of_its_time_for_the_work() -> None:
    job = a_job(expires_at=NOON + timedelta(days=4))

    assert job.recruit_until == NOON + timedelta(days=2)


@pytest.mark.parametrize(
    ("missing", "path"),
    [({"description": "  "}, "description"), ({"deliverables": ()}, "deliverables")],
)
def test_a_draft_may_lack_what_publishing_requires(missing: dict[str, Any], path: str) -> None:
    draft = a_draft(**missing)

    with pytest.raises(ValidationFailed) as refusal:
        posting.publish_job(user=draft.owner, job_id=draft.id, now=NOON)

    assert refusal.value.path == (path,)
    assert Job.objects.get(id=draft.id).status == JobStatus.DRAFT


def test_publishing_needs_a_wallet_to_pay_from() -> None:
    draft = a_draft(a_person(wallet=False))

    with pytest.raises(WalletRequired) as refusal:
        posting.publish_job(user=draft.owner, job_id=draft.id, now=NOON)

    assert refusal.value.code is ErrorCode.WALLET_REQUIRED


def test_a_deadline_that_has_passed_since_drafting_is_refused() -> None:
    draft = a_draft(recruit_until=NOON + timedelta(days=1))

    with pytest.raises(ValidationFailed) as refusal:
        posting.publish_job(user=draft.owner, job_id=draft.id, now=NOON + timedelta(days=2))

    assert refusal.value.path == ("recruitUntil",)


def test_publishing_twice_is_refused_with_what_is_possible() -> None:
    job = a_job()

    with pytest.raises(WrongStatus) as refusal:
        posting.publish_job(user=job.owner, job_id=job.id, now=NOON)

    assert refusal.value.old == "RECRUITING"
    assert refusal.value.allowed == ("CANCELED", "EXPIRED", "SELECTING")
    assert isinstance(refusal.value, InvalidTransition)


def test_a_foreign_draft_looks_like_no_job_at_all() -> None:
    draft = a_draft()
    stranger = a_person()

    with pytest.raises(NotFound) as foreign:
        posting.publish_job(user=stranger, job_id=draft.id, now=NOON)
    with pytest.raises(NotFound) as absent:
        posting.publish_job(user=stranger, job_id=new_id(), now=NOON)

    assert (foreign.value.message, foreign.value.path) == (
        absent.value.message,
        absent.value.path,
    )


def test_a_foreign_job_that_is_public_cannot_be_published_or_decided() -> None:
    job = a_job()
    application = an_application(job)
    stranger = a_person()

    with pytest.raises(Forbidden):
        posting.publish_job(user=stranger, job_id=job.id, now=NOON)
    with pytest.raises(Forbidden):
        recruiting.decide_applications(
            user=stranger, job_id=job.id, select=[application.id], now=NOON
        )


# --- editing


def told(type: str) -> list[str]:
    events = Event.objects.filter(type=type).order_by("topic")
    return list(events.values_list("topic", flat=True))


def edited(job: Job, *, expected_version: int | None = None, **changes: Any) -> Job:
    data = replace(GOOD_JOB, **changes)
    return posting.update_job(
        user=job.owner,
        job_id=job.id,
        data=data,
        expected_version=expected_version or job.version,
        now=NOON,
    )


def test_everything_of_a_draft_can_change() -> None:
    draft = a_draft()

    job = edited(draft, title="Eleven", reward=replace(USD_25, value=1), workers_needed=3)

    row = Job.objects.get(id=draft.id)
    assert (row.title, row.reward_value, row.workers_needed) == ("Eleven", 1, 3)
    assert row.version == job.version == draft.version + 1


def test_of_two_who_edit_the_same_version_the_second_is_told() -> None:
    draft = a_draft()
    edited(draft, title="Mine")

    with pytest.raises(VersionChanged) as refusal:
        edited(draft, title="Theirs")

    assert refusal.value.path == ("expectedVersion",)
    assert Job.objects.get(id=draft.id).title == "Mine"


def test_words_and_files_can_change_while_a_job_recruits() -> None:
    job = a_job()
    picture = a_file(job.owner)

    edited(job, title="Ten short sentences", reference_file_ids=[picture.id])

    row = Job.objects.get(id=job.id)
    assert row.title == "Ten short sentences"
    assert list(row.references.all()) == [picture]
    assert (row.recruit_until, row.recruit_limit) == (job.recruit_until, job.recruit_limit)


def test_files_that_a_job_shows_no_more_go_unless_its_copy_shows_them() -> None:
    owner = a_person()
    alone, shared, audio = a_file(owner), a_file(owner), a_file(owner)
    files = [alone.id, shared.id]
    draft = a_draft(owner, reference_file_ids=files, title_audio_file_id=audio.id)
    posting.duplicate_job(user=owner, job_id=draft.id, now=NOON)
    Job.objects.exclude(id=draft.id).get().references.remove(alone)

    edited(draft, reference_file_ids=[], title_audio_file_id=None)

    left = File.objects.filter(owner=owner, expires_at__isnull=False)
    assert list(left) == [alone]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"reward": replace(USD_25, value=1)}, "reward"),
        ({"workers_needed": 1}, "workersNeeded"),
        ({"submit_days": 1}, "submitDays"),
        ({"review_days": 1}, "reviewDays"),
        ({"recruit_until": NOON + timedelta(days=3)}, "recruitUntil"),
        ({"recruit_limit": 11}, "recruitLimit"),
        ({"deliverables": (DeliverableType.VIDEO,)}, "deliverables"),
        ({"pricing": Pricing.FIXED_SEND}, "pricing"),
        ({"close_recruiting_when_funded": False}, "closeRecruitingWhenFunded"),
        ({"description": " "}, "description"),
    ],
)
def test_the_terms_stand_still_while_people_apply(change: dict[str, Any], path: str) -> None:
    job = a_job()

    with pytest.raises(ValidationFailed) as refusal:
        edited(job, **change)

    assert refusal.value.path == (path,)
    assert Job.objects.get(id=job.id).version == job.version


@pytest.mark.parametrize(
    "status", [each for each in JobStatus if each not in {JobStatus.DRAFT, JobStatus.RECRUITING}]
)
def test_a_job_that_no_longer_recruits_cannot_be_edited(status: JobStatus) -> None:
    with pytest.raises(WrongStatus):
        edited(a_job_in(status))


def test_nobody_else_edits_a_job() -> None:
    job, draft = a_job(), a_draft()
    stranger = a_person()

    with pytest.raises(Forbidden):
        posting.update_job(
            user=stranger, job_id=job.id, data=GOOD_JOB, expected_version=1, now=NOON
        )
    with pytest.raises(NotFound):
        posting.update_job(
            user=stranger, job_id=draft.id, data=GOOD_JOB, expected_version=1, now=NOON
        )


def test_a_job_shows_ones_own_files_only() -> None:
    owner = a_person()

    with pytest.raises(NotFound):
        a_draft(owner, reference_file_ids=[a_file(a_person()).id])
    with pytest.raises(NotFound):
        a_draft(owner, title_audio_file_id=a_file(a_person()).id)
    sound = a_file(owner, media_type="audio/ogg")
    assert a_draft(owner, title_audio_file_id=sound.id).title_audio == sound
    assert Job.objects.count() == 1


def test_whoever_follows_a_job_or_is_selected_hears_that_it_was_edited() -> None:
    job = a_job()
    application = an_application(job)
    an_application(job)
    recruiting.decide_applications(user=job.owner, job_id=job.id, select=[application.id], now=NOON)
    job.refresh_from_db()

    edited(job, title="Record eleven sentences")

    assert told("job.edited") == sorted(
        [f"job:{job.id}", f"user:{job.owner_id}", f"user:{application.applicant_id}"]
    )


def test_nobody_hears_of_a_draft() -> None:
    edited(a_draft(), title="Record eleven sentences")

    assert told("job.edited") == []


# --- copying


def test_a_copy_is_a_draft_without_deadlines_and_with_the_same_files() -> None:
    owner = a_person()
    files = [a_file(owner).id, a_file(owner).id]
    old = a_job(owner, reference_file_ids=files, title_audio_file_id=files[0], submit_days=3)

    copy = posting.duplicate_job(user=owner, job_id=old.id, now=NOON)

    same = [
        "title description language_tag dialect deliverables title_audio_id pricing reward_value",
        "asset_code asset_scale workers_needed recruit_limit submit_days review_days",
        "close_recruiting_when_funded owner_id",
    ]
    for name in " ".join(same).split():
        assert getattr(copy, name) == getattr(old, name), name
    assert (copy.status, copy.recruit_until, copy.expires_at) == ("DRAFT", None, None)
    assert {file.id for file in copy.references.all()} == set(files)


def test_nobody_copies_a_foreign_job() -> None:
    with pytest.raises(Forbidden):
        posting.duplicate_job(user=a_person(), job_id=a_job().id, now=NOON)


def test_drafts_are_not_piled_up_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "MOST_DRAFTS", 2)
    owner = a_person()
    published = a_job(owner)
    drafts = [a_draft(owner) for _ in range(2)]

    with pytest.raises(ValidationFailed):
        a_draft(owner)
    with pytest.raises(ValidationFailed):
        posting.duplicate_job(user=owner, job_id=published.id, now=NOON)
    a_draft(a_person())
    posting.publish_job(user=owner, job_id=drafts[0].id, now=NOON)
    posting.duplicate_job(user=owner, job_id=published.id, now=NOON)

    assert Job.objects.filter(owner=owner, status=JobStatus.DRAFT).count() == 2


# --- more time


def extended(job: Job, **deadlines: datetime) -> Job:
    given = dict.fromkeys(("recruit_until", "submit_until", "expires_at")) | deadlines
    return posting.extend_job(user=job.owner, job_id=job.id, now=NOON, **given)


def test_deadlines_move_away_and_the_clock_with_them() -> None:
    job = a_job()
    assert job.recruit_until is not None
    later = job.recruit_until + timedelta(days=2)

    extended(job, recruit_until=later)

    row = Job.objects.get(id=job.id)
    assert row.recruit_until == row.due_at == later
    assert extended(row, recruit_until=later).recruit_until == later, "safe to repeat"


def test_whoever_follows_a_job_or_works_for_it_hears_once_of_the_new_deadlines() -> None:
    job, (worker,) = a_job_with_work()
    assert job.submit_until is not None
    later = job.submit_until + timedelta(hours=1)
    ends = later + timedelta(days=30)

    extended(job, submit_until=later, expires_at=ends)
    job.refresh_from_db()
    extended(job, submit_until=later, expires_at=ends)

    assert told("job.extended") == sorted(
        [f"job:{job.id}", f"user:{job.owner_id}", f"user:{worker.id}"]
    )
    event = Event.objects.get(type="job.extended", topic=f"user:{worker.id}")
    assert event.payload == {
        "status": "SUBMITTING",
        "job": str(job.id),
        "submit_until": later.isoformat(),
        "expires_at": ends.isoformat(),
    }


def test_workers_get_more_time() -> None:
    job, _workers = a_job_with_work()
    assert job.submit_until is not None
    assert job.expires_at is not None

    with pytest.raises(ValidationFailed):
        extended(job, submit_until=job.expires_at)
    extended(job, submit_until=job.expires_at, expires_at=job.expires_at + timedelta(days=1))

    assert Job.objects.get(id=job.id).due_at == job.expires_at - timedelta(hours=72)


def test_deadlines_do_not_come_nearer_nor_matter_out_of_their_time() -> None:
    job = a_job()
    assert job.recruit_until is not None

    with pytest.raises(ValidationFailed, match="take time away"):
        extended(job, recruit_until=job.recruit_until - timedelta(seconds=1))
    with pytest.raises(ValidationFailed, match="does not matter"):
        extended(job, submit_until=job.recruit_until)
    with pytest.raises(ValidationFailed, match="at least one"):
        extended(job)
    with pytest.raises(ValidationFailed):
        extended(job, recruit_until=NOON + timedelta(days=10_000))
