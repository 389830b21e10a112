"""Each mail once: with everybody at it, with a server that refuses, and when the sender dies."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from backend.accounts.models import MailCategory, User
from backend.events.models import Topic
from backend.events.relay import relay
from backend.events.retention import delete_old_events
from backend.funding.models import Funding, Payable
from backend.funding.status import FundingStatus, PayableStatus
from backend.jobs import recruiting
from backend.jobs.models import Application, Submission
from backend.jobs.status import ReviewDecision
from backend.notifications import claims, retention, sending
from backend.notifications.models import Mail
from backend.notifications.sending import PAUSES, send
from backend.notifications.status import MailStatus, SkippedBecause
from backend.payments.models import HeldGrant
from tests.jobs.people import a_job, a_person, an_application, reviewed
from tests.notifications import world
from tests.notifications.world import MailServer, forget_the_past, mail_all
from tests.webhooks.world import NOON, Clock

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = 20


def the_mail() -> Mail:
    return Mail.objects.get()


def test_twenty_relays_and_senders_at_once_send_each_mail_once(
    mail_server: MailServer, clock: Clock
) -> None:
    job = a_job(workers_needed=5, recruit_limit=10)
    applications = [an_application(job) for _ in range(10)]
    forget_the_past()
    recruiting.decide_applications(
        user=job.owner,
        job_id=job.id,
        select=[each.id for each in applications[:5]],
        reject=[each.id for each in applications[5:]],
        now=NOON,
    )
    ready = threading.Barrier(AT_ONCE)
    problems: list[Exception] = []

    def work() -> None:
        try:
            ready.wait(60)
            for _ in range(3):
                mail_all(clock)
        except Exception as problem:
            problems.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    mail_all(clock)

    assert problems == []
    sent = sorted(mail["To"] for mail in mail_server.got)
    assert sent == sorted(each.applicant.email for each in applications)
    assert set(Mail.objects.values_list("status", flat=True)) == {MailStatus.SENT}


def test_an_event_that_is_relayed_again_makes_no_second_mail(
    mail_server: MailServer, clock: Clock
) -> None:
    world.work_to_review()
    before = dict(Topic.objects.values_list("name", "relayed_seq"))
    mail_all(clock)
    for name, seq in before.items():
        Topic.objects.filter(name=name).update(relayed_seq=seq)

    assert relay(now=NOON) > 0
    mail_all(clock)

    assert len(mail_server.got) == 1


# --- whatever is killed --------------------------------------------------------------------------


def test_killed_after_the_claim_it_is_sent_when_the_lease_is_over(
    mail_server: MailServer, clock: Clock
) -> None:
    world.work_to_review()
    relay(now=NOON)
    assert claims.claim_due(now=clock.now()) is not None  # and dies

    assert mail_all(clock) == 0
    clock.at += claims.LEASE + timedelta(seconds=1)
    mail_all(clock)

    assert (len(mail_server.got), the_mail().status) == (1, MailStatus.SENT)


def test_killed_after_sending_it_is_sent_twice_at_most(
    mail_server: MailServer,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    world.work_to_review()
    relay(now=NOON)

    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(claims, "end", die)
        for _ in range(2):
            with pytest.raises(Killed):
                mail_all(clock)
            clock.at += claims.LEASE + timedelta(seconds=1)
    for _ in range(3):
        mail_all(clock)
        clock.at += claims.LEASE + timedelta(seconds=1)

    assert len(mail_server.got) == 2
    # Mail programs that know the first will not show the second.
    assert len({mail["Message-ID"] for mail in mail_server.got}) == 1
    assert the_mail().status == MailStatus.FAILED
    assert "broken off" in caplog.text


def test_whoever_slept_past_the_lease_sends_nothing(mail_server: MailServer, clock: Clock) -> None:
    world.work_to_review()
    relay(now=NOON)
    asleep = claims.claim_due(now=clock.now())
    assert asleep is not None
    clock.at += claims.LEASE + timedelta(seconds=1)
    mail_all(clock)

    send(asleep, clock=clock)

    assert len(mail_server.got) == 1


# --- what the mail server says -------------------------------------------------------------------


def test_a_server_that_is_away_is_tried_again_with_growing_pauses_and_then_given_up(
    mail_server: MailServer, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    world.work_to_review()
    mail_server.answer = lambda: "451 try later"
    pauses = []
    for _ in range(len(PAUSES)):
        mail_all(clock)
        due_at = the_mail().due_at
        assert due_at is not None
        pauses.append(due_at - clock.at)
        clock.at = due_at

    mail_all(clock)

    assert pauses == sorted(pauses) == list(PAUSES)
    assert the_mail().status == MailStatus.FAILED
    assert "given up" in caplog.text
    assert "@" not in "".join(caplog.messages)


def test_it_is_sent_once_the_server_is_back(mail_server: MailServer, clock: Clock) -> None:
    world.work_to_review()
    mail_server.answer = lambda: "451 try later"
    mail_all(clock)
    mail_server.answer = lambda: "250 OK"
    clock.at += PAUSES[0]

    mail_all(clock)

    assert (len(mail_server.got), the_mail().status) == (1, MailStatus.SENT)


def test_an_address_that_is_none_is_not_tried_again(mail_server: MailServer, clock: Clock) -> None:
    world.work_to_review()
    mail_server.answer_to = lambda address: "550 no such user"

    mail_all(clock)

    assert (the_mail().status, the_mail().refusals) == (MailStatus.FAILED, 0)


# --- what need not be sent -----------------------------------------------------------------------


def skipped() -> str:
    mail = the_mail()
    assert mail.status == MailStatus.SKIPPED
    return mail.skipped_because


def test_what_is_dealt_with_is_not_mailed(mail_server: MailServer, clock: Clock) -> None:
    world.work_to_review()
    relay(now=NOON)
    owner_mail = the_mail()
    reviewed(Submission.objects.get(), ReviewDecision.ACCEPT)

    mail_all(clock)

    owner_mail.refresh_from_db()
    assert owner_mail.skipped_because == SkippedBecause.DEALT_WITH
    assert owner_mail.recipient.email not in [mail["To"] for mail in mail_server.got]


def test_who_has_consented_anew_is_not_mailed_about_the_end_of_the_old_consent(
    mail_server: MailServer, clock: Clock
) -> None:
    world.consent_reminder()
    relay(now=NOON)
    HeldGrant.objects.update(ends_at=NOON + timedelta(days=30))

    mail_all(clock)

    assert (skipped(), mail_server.got) == (SkippedBecause.DEALT_WITH, [])


def test_what_is_paid_in_part_meanwhile_is_mailed_about_all_the_same(
    mail_server: MailServer, clock: Clock
) -> None:
    world.consent_reminder()
    relay(now=NOON)
    Funding.objects.filter(status=FundingStatus.SECURED).update(
        status=FundingStatus.PARTIALLY_RELEASED
    )

    mail_all(clock)

    assert the_mail().status == MailStatus.SENT


def test_what_happened_more_than_a_day_ago_is_not_mailed(
    mail_server: MailServer, clock: Clock
) -> None:
    world.work_to_review()
    clock.advance(hours=25)

    mail_all(clock)

    assert (skipped(), mail_server.got) == (SkippedBecause.LATE, [])


def test_what_is_forgotten_is_not_mailed(mail_server: MailServer, clock: Clock) -> None:
    world.work_to_review()
    relay(now=NOON)
    delete_old_events(now=NOON + timedelta(hours=1), keep_days=0)

    mail_all(clock)

    assert (skipped(), mail_server.got) == (SkippedBecause.LATE, [])


@pytest.mark.parametrize("category", MailCategory)
def test_a_muted_category_is_not_mailed_and_others_are(
    category: MailCategory, mail_server: MailServer, clock: Clock
) -> None:
    person = world.work_to_review()
    User.objects.filter(id=person.id).update(muted=[category.value])

    mail_all(clock)

    if category is MailCategory.WORK:
        assert (skipped(), mail_server.got) == (SkippedBecause.UNWANTED, [])
    else:
        assert len(mail_server.got) == 1


def test_who_has_closed_their_account_is_not_mailed(mail_server: MailServer, clock: Clock) -> None:
    person = world.work_to_review()
    User.objects.filter(id=person.id).update(is_active=False)

    mail_all(clock)

    assert (skipped(), mail_server.got) == (SkippedBecause.UNWANTED, [])


def test_a_payment_that_we_still_try_by_ourselves_is_not_mailed(
    mail_server: MailServer, clock: Clock
) -> None:
    world.payout_stuck()
    Payable.objects.update(status=PayableStatus.OWED, due_at=NOON)

    mail_all(clock)

    assert (skipped(), mail_server.got) == (SkippedBecause.DEALT_WITH, [])


def test_a_refund_that_fails_is_no_worker_who_could_not_be_paid(
    mail_server: MailServer, clock: Clock
) -> None:
    world.payout_stuck()
    Payable.objects.update(purpose="REFUND")

    mail_all(clock)

    assert (skipped(), mail_server.got) == (SkippedBecause.DEALT_WITH, [])


def test_a_payment_for_which_a_consent_does_not_suffice_is_mailed(
    mail_server: MailServer, clock: Clock
) -> None:
    payer = world.payout_stuck()
    Payable.objects.update(status=PayableStatus.OWED, due_at=None)

    mail_all(clock)

    assert len(mail_server.to(payer)) == 1


def test_a_payment_that_waits_for_a_lapsed_consent_has_no_mail_of_its_own(
    mail_server: MailServer, clock: Clock
) -> None:
    payer = world.told_funding(FundingStatus.LAPSED, failing=True).payer
    Payable.objects.update(status=PayableStatus.OWED, due_at=None)

    mail_all(clock)

    (mail,) = mail_server.to(payer)
    assert "consent again" in mail["Subject"]


def test_one_mail_a_day_says_that_a_funding_is_stuck(mail_server: MailServer, clock: Clock) -> None:
    funding = world.told_funding(FundingStatus.SECURED, failing=True)
    mail_all(clock)
    world.tell_again(funding)

    mail_all(clock)

    assert len(mail_server.to(funding.payer)) == 1


def test_mails_are_forgotten_as_their_events_are(mail_server: MailServer, clock: Clock) -> None:
    world.work_to_review()
    mail_all(clock)

    assert retention.forget_old(now=NOON + timedelta(days=29)) == 0
    assert retention.forget_old(now=NOON + timedelta(days=31)) == 1
    assert not Mail.objects.exists()


# --- how much is enough --------------------------------------------------------------------------


def decide_again_and_again(application: Application, *, times: int = 10) -> None:
    job = application.job
    for _ in range(times):
        for decision in ("reject", "select"):
            recruiting.decide_applications(
                user=job.owner, job_id=job.id, now=NOON, **{decision: [application.id]}
            )


def test_whoever_is_selected_and_rejected_without_end_is_mailed_once_a_day_of_each(
    mail_server: MailServer, clock: Clock
) -> None:
    application = an_application(a_job())
    forget_the_past()
    decide_again_and_again(application)
    mail_all(clock)
    clock.advance(hours=1)
    decide_again_and_again(application)

    mail_all(clock)

    assert [world.subject_of(mail)[:8] for mail in mail_server.got] == ["You were"]
    assert Mail.objects.filter(skipped_because=SkippedBecause.ENOUGH).count() == 19


def test_two_senders_at_once_send_one_of_the_same(mail_server: MailServer, clock: Clock) -> None:
    application = an_application(a_job())
    forget_the_past()
    decide_again_and_again(application, times=2)
    relay(now=NOON)
    in_hand: list[Mail] = []
    while mail := claims.claim_due(now=clock.now()):
        in_hand.append(mail)

    for mail in reversed(in_hand):
        send(mail, clock=clock)

    assert len(mail_server.got) == 1


def test_the_same_is_mailed_again_on_another_day(mail_server: MailServer, clock: Clock) -> None:
    funding = world.told_funding(FundingStatus.SECURED, failing=True)
    mail_all(clock)
    clock.advance(hours=24)
    world.tell_again(funding, at=clock.now())

    mail_all(clock)

    assert len(mail_server.to(funding.payer)) == 2


def test_a_person_is_mailed_so_much_a_day(
    mail_server: MailServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "MOST_A_DAY", 3)
    victim = a_person("victim")
    for _ in range(5):
        application = an_application(a_job(), victim)
        recruiting.decide_applications(
            user=application.job.owner, job_id=application.job_id, select=[application.id], now=NOON
        )

    mail_all(clock)

    assert len(mail_server.to(victim)) == 3
    assert Mail.objects.filter(recipient=victim, skipped_because=SkippedBecause.ENOUGH).count() == 2


def test_of_money_a_person_is_mailed_always(
    mail_server: MailServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "MOST_A_DAY", 0)
    worker = world.paid()

    mail_all(clock)

    assert len(mail_server.to(worker)) == 1
