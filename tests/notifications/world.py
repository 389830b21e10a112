"""A mail server on loopback, and stories that end in one mail each."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from django.db import transaction

from backend.accounts.models import User
from backend.events.models import Topic
from backend.events.relay import relay
from backend.funding import telling
from backend.funding.models import Funding, Payable
from backend.funding.reminding import remind_of_consents
from backend.funding.status import FundingStatus
from backend.ids import new_id
from backend.jobs import clock as job_clock
from backend.jobs import disputes, endings, posting, recruiting
from backend.jobs.models import Dispute, Job, Submission
from backend.jobs.status import ReviewDecision
from backend.jobs.work import begin_work
from backend.notifications import claims
from backend.notifications.models import Mail
from backend.notifications.sending import send
from backend.payments.models import HeldGrant, Payment
from backend.payments.signals import held_grant_moved
from backend.payments.status import HeldGrantStatus, PaymentPurpose, PaymentStatus
from tests.accounts.people import Form
from tests.jobs.people import (
    NOON,
    a_dispute,
    a_job,
    a_job_with_work,
    a_person,
    an_application,
    reviewed,
    submitted_work,
)
from tests.schema.permissions.world import World, build
from tests.webhooks.world import Clock

MOST_ROUNDS = 500
DAY = timedelta(days=1)


@dataclass
class MailServer:
    """Keeps what it gets. `answer` says what it says to a mail."""

    port: int = 0
    got: list[EmailMessage] = field(default_factory=list)
    answer: Callable[[], str] = lambda: "250 OK"
    answer_to: Callable[[str], str] = lambda address: "250 OK"

    def to(self, user: User) -> list[EmailMessage]:
        return [mail for mail in self.got if mail["To"] == user.email]


class _Controller(Controller):
    def _trigger_server(self) -> None:
        # Whichever port is free, which it does not expect.
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def serving() -> Iterator[MailServer]:
    server = MailServer()

    class Handler:
        async def handle_RCPT(
            self, session: Any, smtp: Any, envelope: Envelope, address: str, options: Any
        ) -> str:
            answer = server.answer_to(address)
            if answer.startswith("250"):
                envelope.rcpt_tos.append(address)
            return answer

        async def handle_DATA(self, session: Any, smtp: Any, envelope: Envelope) -> str:
            answer = server.answer()
            if answer.startswith("250"):
                assert isinstance(envelope.content, bytes)
                mail = message_from_bytes(envelope.content, policy=policy.default)
                server.got.append(mail)
            return answer

    controller = _Controller(Handler(), hostname="127.0.0.1", port=0)
    controller.start()
    server.port = controller.port
    try:
        yield server
    finally:
        controller.stop()


def text_of(mail: EmailMessage) -> str:
    return str(mail.get_content()).replace("\r\n", "\n")


def subject_of(mail: EmailMessage) -> str:
    # A long one is folded, and unfolding leaves a blank in front.
    return str(mail["Subject"]).strip()


def mail_all(clock: Clock) -> int:
    """Relay and send all that is due now; return how many were taken in hand."""
    relay(now=clock.now())
    for done in range(MOST_ROUNDS):
        mail = claims.claim_due(now=clock.now())
        if mail is None:
            return done
        send(mail, clock=clock)
    raise AssertionError("it never rests")


def forget_the_past() -> None:
    """What has happened up to here is nothing that anybody is mailed about."""
    for topic in Topic.objects.all():
        Topic.objects.filter(name=topic.name).update(relayed_seq=topic.last_seq)
    Mail.objects.all().delete()


# --- stories: each returns whom its last event is to be mailed to ---------------------------------


def _over(*, recruits: bool = True) -> tuple[Job, User]:
    """A job about to end, and somebody who waits for it."""
    if recruits:
        job = a_job(recruit_limit=3)
        waiting = an_application(job).applicant
    else:
        job, (waiting,) = a_job_with_work()
    forget_the_past()
    return job, waiting


def _pass(job: Job) -> None:
    Job.objects.filter(id=job.id).update(due_at=NOON, recruit_until=NOON - DAY, expires_at=NOON)
    job_clock.pass_time(now=NOON)


def _cancel(job: Job, by: User) -> None:
    endings.cancel_job(user=by, job_id=job.id, reason="Not needed.", now=NOON)


def confirm_address() -> User:
    return Form(email=f"{new_id().hex}@example.com").send(now=NOON).user


def to_select() -> User:
    job, _waiting = _over()
    Job.objects.filter(id=job.id).update(due_at=NOON)
    job_clock.pass_time(now=NOON)
    return job.owner


def selected_worker_withdrew() -> User:
    job = a_job()
    application = an_application(job)
    recruiting.decide_applications(user=job.owner, job_id=job.id, select=[application.id], now=NOON)
    forget_the_past()
    recruiting.withdraw_application(
        user=application.applicant, application_id=application.id, now=NOON
    )
    return job.owner


def job_expired_for_owner() -> User:
    job, _waiting = _over()
    _pass(job)
    return job.owner


def job_expired() -> User:
    job, waiting = _over()
    _pass(job)
    return waiting


def job_canceled_for_owner() -> User:
    job, _waiting = _over()
    _cancel(job, a_person("operator", is_staff=True))
    return job.owner


def job_canceled() -> User:
    job, waiting = _over(recruits=False)
    _cancel(job, job.owner)
    return waiting


def work_begins() -> User:
    job = a_job()
    application = an_application(job)
    recruiting.decide_applications(user=job.owner, job_id=job.id, select=[application.id], now=NOON)
    forget_the_past()
    begin_work(job=job, at=NOON)
    return application.applicant


def work_to_review() -> User:
    job, (worker,) = a_job_with_work()
    forget_the_past()
    submitted_work(job, worker)
    return job.owner


def review_reminder() -> User:
    job, (worker,) = a_job_with_work()
    work = submitted_work(job, worker)
    assert work.due_at is not None
    Submission.objects.filter(id=work.id).update(due_at=NOON, submitted_at=NOON - timedelta(days=8))
    forget_the_past()
    job_clock.pass_time(now=NOON)
    return job.owner


def more_time() -> User:
    job, (worker,) = a_job_with_work()
    assert job.submit_until is not None and job.expires_at is not None
    forget_the_past()
    posting.extend_job(
        user=job.owner,
        job_id=job.id,
        recruit_until=None,
        submit_until=job.submit_until + DAY,
        expires_at=job.expires_at + DAY,
        now=NOON,
    )
    return worker


def work_reminder() -> User:
    job, (worker,) = a_job_with_work()
    assert job.submit_until is not None
    forget_the_past()
    job_clock.pass_time(now=job.submit_until - timedelta(hours=24))
    return worker


def expiry_reminder_submitting() -> User:
    job, _ = a_job_with_work()
    assert job.expires_at is not None
    forget_the_past()
    job_clock.pass_time(now=job.expires_at - timedelta(hours=24))
    return job.owner


def expiry_reminder_selecting() -> User:
    job = a_job()
    an_application(job)
    assert job.expires_at is not None
    job_clock.pass_time(now=job.expires_at - timedelta(days=4))
    forget_the_past()
    job_clock.pass_time(now=job.expires_at - timedelta(hours=24))
    return job.owner


def revision_reminder() -> User:
    job, (worker,) = a_job_with_work()
    work = reviewed(submitted_work(job, worker), ReviewDecision.REQUEST_CHANGES)
    assert work.revise_until is not None
    forget_the_past()
    job_clock.pass_time(now=work.revise_until - timedelta(hours=24))
    return worker


def _rejected() -> Submission:
    job, (worker,) = a_job_with_work()
    return reviewed(submitted_work(job, worker), ReviewDecision.REJECT)


def _disputed() -> Dispute:
    return a_dispute(_rejected())


def _answered() -> Dispute:
    dispute = _disputed()
    return disputes.respond_to_dispute(
        user=dispute.submission.job.owner, dispute_id=dispute.id, response="No.", now=NOON
    )


def dispute_opened() -> User:
    work = _rejected()
    forget_the_past()
    a_dispute(work)
    return work.job.owner


def dispute_escalated() -> User:
    dispute = _answered()
    forget_the_past()
    disputes.escalate_dispute(user=dispute.submission.worker, dispute_id=dispute.id, now=NOON)
    return dispute.submission.job.owner


def dispute_to_decide() -> User:
    dispute = _answered()
    operator = a_person("operator", is_staff=True)
    forget_the_past()
    disputes.escalate_dispute(user=dispute.submission.worker, dispute_id=dispute.id, now=NOON)
    return operator


def _resolved() -> Dispute:
    dispute = _answered()
    disputes.escalate_dispute(user=dispute.submission.worker, dispute_id=dispute.id, now=NOON)
    forget_the_past()
    job = dispute.submission.job
    disputes.resolve_dispute(
        user=a_person("operator", is_staff=True),
        dispute_id=dispute.id,
        worker_share=job.amount(500),
        payer_share=job.amount(dispute.amount_value - 500),
        note="As agreed.",
        idempotency_key=new_id(),
        now=NOON,
    )
    return dispute


def dispute_resolved_for_owner() -> User:
    return _resolved().submission.job.owner


def dispute_resolved() -> User:
    return _resolved().submission.worker


def dispute_withdrawn_for_owner() -> User:
    dispute = _disputed()
    forget_the_past()
    disputes.withdraw_dispute(user=dispute.submission.worker, dispute_id=dispute.id, now=NOON)
    return dispute.submission.job.owner


def dispute_withdrawn() -> User:
    dispute = _answered()
    Dispute.objects.filter(id=dispute.id).update(due_at=NOON)
    forget_the_past()
    job_clock.pass_time(now=NOON)
    return dispute.submission.worker


def dispute_answered() -> User:
    dispute = _disputed()
    forget_the_past()
    disputes.respond_to_dispute(
        user=dispute.submission.job.owner, dispute_id=dispute.id, response="No.", now=NOON
    )
    return dispute.submission.worker


def _decided(*, selects: bool) -> User:
    job = a_job()
    application, other = an_application(job), an_application(job)
    forget_the_past()
    recruiting.decide_applications(
        user=job.owner,
        job_id=job.id,
        select=[application.id] if selects else [other.id],
        reject=[] if selects else [application.id],
        now=NOON,
    )
    return application.applicant


def selected() -> User:
    return _decided(selects=True)


def not_selected() -> User:
    return _decided(selects=False)


def _reviewed(decision: ReviewDecision) -> User:
    job, (worker,) = a_job_with_work()
    work = submitted_work(job, worker)
    forget_the_past()
    reviewed(work, decision)
    return worker


def changes_requested() -> User:
    return _reviewed(ReviewDecision.REQUEST_CHANGES)


def work_accepted() -> User:
    return _reviewed(ReviewDecision.ACCEPT)


def work_rejected() -> User:
    return _reviewed(ReviewDecision.REJECT)


def ended_payment(
    world: World, purpose: PaymentPurpose, status: PaymentStatus = PaymentStatus.COMPLETED
) -> Payment:
    """A payment of `world` as if it had been for this and had ended so, and been told."""
    payment = Payment.objects.get(id=world.rows["completed payment"][1])
    Payment.objects.filter(id=payment.id).update(purpose=purpose, status=status)
    payment.refresh_from_db()
    forget_the_past()
    with transaction.atomic():
        telling.tell_whose_money_it_is(payment, at=NOON)
    return payment


def paid() -> User:
    world = build()
    ended_payment(world, PaymentPurpose.PAYOUT)
    return world.people["worker"]


def refunded() -> User:
    world = build()
    ended_payment(world, PaymentPurpose.REFUND)
    # As if it were the payer's wallet.
    return world.people["worker"]


def funding_payment_failed() -> User:
    world = build()
    ended_payment(world, PaymentPurpose.FUND, PaymentStatus.FAILED)
    return world.people["owner"]


def told_funding(status: FundingStatus, *, failing: bool = False) -> Funding:
    """A funding in this status, of which something is stuck or not, told to its people."""
    world = build()
    if failing:
        funding = Payable.objects.get().funding
        Payable.objects.update(failures=4)
    else:
        funding = Funding.objects.get(id=world.rows["secured funding"][1])
    Funding.objects.filter(id=funding.id).update(status=status)
    funding.refresh_from_db()
    forget_the_past()
    tell_again(funding)
    return funding


def tell_again(funding: Funding, *, at: datetime = NOON) -> None:
    with transaction.atomic():
        telling.tell_people(funding, at=at)


def funding_failed() -> User:
    world = build()
    funding = Funding.objects.get(id=world.rows["secured funding"][1])
    Funding.objects.filter(id=funding.id).update(status=FundingStatus.AWAITING_APPROVAL)
    HeldGrant.objects.filter(reference=funding.id).update(status=HeldGrantStatus.FAILED)
    forget_the_past()
    with transaction.atomic():
        held_grant = HeldGrant.objects.get(reference=funding.id)
        held_grant_moved.send(sender=HeldGrant, held_grant=held_grant, at=NOON)
    return funding.payer


def funding_lapsed() -> User:
    return told_funding(FundingStatus.LAPSED).payer


def consent_reminder() -> User:
    world = build()
    funding = Funding.objects.get(id=world.rows["secured funding"][1])
    grant = HeldGrant.objects.get(reference=funding.id, status=HeldGrantStatus.HELD)
    HeldGrant.objects.filter(id=grant.id).update(
        starts_at=NOON - timedelta(days=30), ends_at=NOON + timedelta(hours=24)
    )
    forget_the_past()
    assert remind_of_consents(now=NOON) == 1
    return funding.payer


def payout_stuck() -> User:
    return told_funding(FundingStatus.SECURED, failing=True).payer


def treasury_nearly_spent() -> User:
    world = build()
    grant = HeldGrant.objects.filter(status=HeldGrantStatus.HELD).first()
    assert grant is not None
    HeldGrant.objects.filter(id=grant.id).update(payer=world.people["operator"])
    grant.refresh_from_db()
    forget_the_past()
    with transaction.atomic():
        telling.tell_who_keeps_the_treasury(grant, at=NOON)
    return world.people["operator"]


STORIES: tuple[Callable[[], User], ...] = (
    confirm_address,
    to_select,
    selected_worker_withdrew,
    job_expired_for_owner,
    job_canceled_for_owner,
    work_begins,
    job_canceled,
    job_expired,
    work_to_review,
    review_reminder,
    more_time,
    work_reminder,
    expiry_reminder_selecting,
    expiry_reminder_submitting,
    revision_reminder,
    dispute_opened,
    dispute_escalated,
    dispute_to_decide,
    dispute_resolved_for_owner,
    dispute_resolved,
    dispute_withdrawn_for_owner,
    dispute_withdrawn,
    dispute_answered,
    selected,
    not_selected,
    changes_requested,
    work_accepted,
    work_rejected,
    paid,
    refunded,
    funding_payment_failed,
    funding_failed,
    funding_lapsed,
    consent_reminder,
    payout_stuck,
    treasury_nearly_spent,
)
