"""Each entry of the table, from what happens to the mail at the mail server."""

import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from django.conf import LazySettings
from django.utils import translation

from backend.accounts.models import User
from backend.events.models import Event
from backend.ids import global_id
from backend.jobs import endings, posting, recruiting
from backend.jobs.models import Job
from backend.notifications.kinds import BY_NAME, KINDS
from backend.notifications.models import Mail
from backend.notifications.status import MailStatus
from backend.payments.models import Payment
from tests.jobs.people import NOON, a_job, a_job_with_work, an_application
from tests.notifications import world
from tests.notifications.world import STORIES, MailServer, mail_all, subject_of, text_of
from tests.webhooks.world import Clock, a_user, announce

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_entry_of_the_table_has_a_story() -> None:
    assert {kind.name for kind in KINDS} == {story.__name__ for story in STORIES}


@pytest.mark.parametrize("locale", ["en", "es"])
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_who_it_concerns_gets_one_mail_in_their_language(
    story: Callable[[], User], locale: str, mail_server: MailServer, clock: Clock
) -> None:
    person = story()
    User.objects.filter(id=person.id).update(locale=locale)

    mail_all(clock)

    (mail,) = mail_server.to(person)
    row = Mail.objects.get(recipient=person, status=MailStatus.SENT)
    assert row.kind == story.__name__
    kind = BY_NAME[row.kind]
    with translation.override(locale):
        beginning = re.split(r"[{]", str(kind.subject))[0]
        hello = {"en": "Hello ", "es": "Hola, "}[locale]
    assert subject_of(mail).startswith(beginning)
    assert text_of(mail).startswith(hello) == (kind.category is not None)
    for text in (subject_of(mail), text_of(mail)):
        assert not re.search(r"[{}]|None|\[|%\(", text)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_its_spanish_is_not_its_english(story: Callable[[], User]) -> None:
    kind = BY_NAME[story.__name__]
    for sentence in (kind.subject, kind.body):
        with translation.override("es"):
            spanish = str(sentence)
        with translation.override("en"):
            assert str(sentence) != spanish


@pytest.mark.parametrize(
    ("locale", "written"), [("en", "1,234,567.50 USD"), ("es", "1.234.567,50 USD")]
)
def test_sums_are_written_for_people(
    locale: str, written: str, mail_server: MailServer, clock: Clock
) -> None:
    person = world.paid()
    Payment.objects.all().update(receive_value=123_456_750, delivered_value=123_456_750)
    User.objects.filter(id=person.id).update(locale=locale)

    mail_all(clock)

    (mail,) = mail_server.to(person)
    assert written in subject_of(mail).replace("\xa0", ".")
    assert written in text_of(mail).replace("\xa0", ".")


def test_what_a_stranger_writes_as_a_title_cannot_become_a_header(
    mail_server: MailServer, clock: Clock
) -> None:
    person = world.work_to_review()
    Job.objects.filter(owner=person).update(title="Sing\r\nBcc: all@example.com\n\n{x}" + "!" * 99)

    mail_all(clock)

    (mail,) = mail_server.to(person)
    assert mail["Bcc"] is None
    assert "Sing Bcc: all@example.com {x}!" in subject_of(mail)
    assert len(subject_of(mail)) < 110


def test_the_link_to_the_job_is_the_operators(
    mail_server: MailServer, clock: Clock, settings: LazySettings
) -> None:
    settings.NOTIFICATION_JOB_URL = "https://app.example/j/{job}"
    person = world.work_to_review()

    mail_all(clock)

    (mail,) = mail_server.to(person)
    job = Job.objects.get(owner=person)
    assert f"\nhttps://app.example/j/{quote(global_id('Job', job.id), safe='')}\n" in text_of(mail)


def test_nobody_is_mailed_what_they_did_themselves(mail_server: MailServer, clock: Clock) -> None:
    person = world.work_to_review()

    mail_all(clock)

    assert [mail["To"] for mail in mail_server.got] == [person.email]


@pytest.mark.parametrize("type", ["job.status", "webhook.disabled", "submission.status", "made.up"])
def test_what_is_in_no_entry_makes_no_mail(
    type: str, mail_server: MailServer, clock: Clock
) -> None:
    person = a_user()
    announce(f"user:{person.id}", type=type, status="SUBMITTED")
    announce("user:nonsense", type=type, status="SUBMITTED")

    mail_all(clock)

    assert not Mail.objects.exists() and mail_server.got == []


def test_what_is_decided_by_a_dispute_is_mailed_once(mail_server: MailServer, clock: Clock) -> None:
    person = world.dispute_resolved()
    assert Event.objects.filter(
        topic=f"user:{person.id}", type="submission.status", payload__previous="DISPUTED"
    ).exists()

    mail_all(clock)

    assert len(mail_server.to(person)) == 1


def test_those_whose_application_is_pending_hear_that_the_job_is_over(
    mail_server: MailServer, clock: Clock
) -> None:
    job = a_job(recruit_limit=3)
    pending, rejected = an_application(job), an_application(job)
    recruiting.decide_applications(user=job.owner, job_id=job.id, reject=[rejected.id], now=NOON)
    world.forget_the_past()

    endings.cancel_job(user=job.owner, job_id=job.id, reason="Not needed.", now=NOON)
    mail_all(clock)

    assert [mail["To"] for mail in mail_server.got] == [pending.applicant.email]
    assert "canceled" in subject_of(mail_server.got[0])


def test_more_time_for_the_job_alone_is_no_mail(mail_server: MailServer, clock: Clock) -> None:
    job, _ = a_job_with_work()
    assert job.expires_at is not None
    world.forget_the_past()

    posting.extend_job(
        user=job.owner,
        job_id=job.id,
        recruit_until=None,
        submit_until=None,
        expires_at=job.expires_at + world.DAY,
        now=NOON,
    )
    mail_all(clock)

    assert mail_server.got == []


def test_a_job_that_stands_for_work_elsewhere_makes_no_mail(
    mail_server: MailServer, clock: Clock
) -> None:
    person = world.job_expired_for_owner()
    Job.objects.filter(owner=person).update(listed=False)

    mail_all(clock)

    assert mail_server.to(person) == []


def test_nothing_is_put_in_line_where_no_mail_server_is(
    mail_server: MailServer, clock: Clock, settings: LazySettings
) -> None:
    settings.SENDS_MAIL = False
    world.work_to_review()
    mail_all(clock)
    settings.SENDS_MAIL = True

    mail_all(clock)

    assert not Mail.objects.exists() and mail_server.got == []
