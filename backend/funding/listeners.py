"""What the other domains' news mean for the money behind a job.

All of it happens in the transaction of the news: the end of a payment and what it settles are one
commit. Locks are taken in one order everywhere: job, funding, held grant, payment; that is why
the job is locked before a payment or a grant moves.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.dispatch import receiver

from backend.errors import ErrorCode
from backend.funding import paying, securing, settling
from backend.funding.allocating import is_needed, return_promises_to_unselected
from backend.funding.booking import book_funding_payment
from backend.funding.models import Funding, Payable
from backend.funding.returning import close_older_grants
from backend.funding.status import LIVE, TRANSITIONS, FundingMode, FundingStatus
from backend.funding.telling import (
    Tell,
    tell_people,
    tell_who_keeps_the_treasury,
    tell_whose_money_it_is,
)
from backend.jobs.models import Application, Job, Submission
from backend.jobs.recruiting import close_paid_recruiting
from backend.jobs.signals import job_moved, no_longer_selected, work_accepted, work_settled
from backend.jobs.status import JobStatus
from backend.payments.models import HeldGrant, Payment
from backend.payments.signals import (
    held_grant_moved,
    held_grant_nearly_spent,
    payment_ended,
    payment_moved,
    row_moving,
)
from backend.payments.status import (
    HELD_GRANT_OVER,
    GrantScope,
    HeldGrantStatus,
    PaymentPurpose,
    PaymentStatus,
)
from backend.telemetry import context

NOT_PAID = {
    PaymentStatus.REJECTED: FundingStatus.REJECTED,
    PaymentStatus.EXPIRED: FundingStatus.EXPIRED,
    PaymentStatus.FAILED: FundingStatus.FAILED,
    PaymentStatus.CANCELED: FundingStatus.CANCELED,
}
NOT_CONSENTED = {
    HeldGrantStatus.REJECTED: FundingStatus.REJECTED,
    HeldGrantStatus.EXPIRED: FundingStatus.EXPIRED,
    HeldGrantStatus.FAILED: FundingStatus.FAILED,
}

# The work is handed in, or the job is over.
NOTHING_TO_EARN = frozenset({JobStatus.REVIEWING, *settling.OVER})


# --- payments -------------------------------------------------------------------------------------


@receiver(row_moving, dispatch_uid="funding locks first")
def on_row_moving(row: Payment | HeldGrant, **_: Any) -> None:
    """Lock the job behind a payment or a grant before either moves."""
    if (behind := _behind(row.reference)) is not None:
        funding_id, job_id = behind
        # For the lines of whoever moves the row, who knows only its reference.
        context.note(funding_id=funding_id)
        Job.objects.select_for_update().get(id=job_id)


def _behind(reference: UUID) -> tuple[UUID, UUID] | None:
    """The funding and the job that a payment or a grant is for."""
    found = Funding.objects.filter(id=reference).values_list("id", "job_id").first()
    return found or (
        Payable.objects.filter(id=reference).values_list("funding_id", "funding__job_id").first()
    )


@receiver(payment_moved, dispatch_uid="funding")
def on_payment_moved(payment: Payment, at: datetime, **_: Any) -> None:
    """Tell who follows a funding that its payer is being asked: the redirectUrl is there."""
    asks = payment.status == PaymentStatus.AWAITING_APPROVAL
    if asks and payment.purpose == PaymentPurpose.FUND:
        funding = Funding.objects.filter(id=payment.reference).first()
        if funding is not None:
            funding.announce(at=at, previous=FundingStatus(funding.status))


@receiver(payment_ended, dispatch_uid="funding")
def on_payment_ended(payment: Payment, at: datetime, **_: Any) -> None:
    """Secure, settle or end what the payment was for, and tell whose money it is."""
    if payment.purpose == PaymentPurpose.FUND:
        _funding_payment_ended(payment, at=at)
        return tell_whose_money_it_is(payment, at=at)
    funding = settling.payment_is_over(payment, at=at)
    under = payment.under
    if under is not None and under.scope == GrantScope.TREASURY and _gave_room_back(payment):
        paying.wake_what_waits_for_room(under, at=at)
    tell_whose_money_it_is(payment, at=at)
    if not TRANSITIONS[FundingStatus(funding.status)]:
        tell_people(funding, at=at)


def _gave_room_back(payment: Payment) -> bool:
    # Room that its wallet refused is none: by its count the limit is used up. And what may have
    # been taken stays counted.
    nothing_given = payment.failure_code in {ErrorCode.GRANT_EXHAUSTED, ErrorCode.NOT_DELIVERED}
    return bool(payment.reserved_value) and not payment.delivered_value and not nothing_given


def _funding_payment_ended(payment: Payment, *, at: datetime) -> None:
    funding = Funding.objects.select_related("job", "payer", "payer_wallet", "seller__wallet").get(
        id=payment.reference
    )
    book_funding_payment(funding, payment, at=at)
    if payment.status != PaymentStatus.COMPLETED:
        securing.money_did_not_come(funding, NOT_PAID[PaymentStatus(payment.status)], at=at)
        if funding.mode == FundingMode.ESCROW and payment.delivered_value:
            # A part of it came, which is of no use to anybody here.
            settling.owe_back(funding, value=payment.delivered_value, at=at)
        return  # the end of the payment says it
    if funding.mode == FundingMode.DIRECT:
        funding.move_to(FundingStatus.SETTLED, at=at, released_value=funding.total_value)
        Job.objects.filter(id=funding.job_id).update(money_moving=False)
        close_paid_recruiting(job=funding.job, at=at)
    else:
        funding.move_to(FundingStatus.SECURED, at=at)
        securing.money_is_secured(funding, at=at)
    tell_people(funding, at=at)


# --- consents -------------------------------------------------------------------------------------


@receiver(held_grant_nearly_spent, dispatch_uid="funding")
def on_held_grant_nearly_spent(held_grant: HeldGrant, at: datetime, **_: Any) -> None:
    """Warn before payments out of the treasury stop; a payer's own limit is there to be used up."""
    if held_grant.scope == GrantScope.TREASURY:
        tell_who_keeps_the_treasury(held_grant, at=at)


@receiver(held_grant_moved, dispatch_uid="funding")
def on_held_grant_moved(held_grant: HeldGrant, at: datetime, **_: Any) -> None:
    """See what a consent that came, or that is gone, means for the funding it stands behind."""
    if held_grant.scope == GrantScope.TREASURY:
        return _treasury_grant_moved(held_grant, at=at)
    funding = Funding.objects.select_related("job").get(id=held_grant.reference)
    status = HeldGrantStatus(held_grant.status)
    if status is HeldGrantStatus.HELD:
        _consented(funding, held_grant, at=at)
    elif funding.status == FundingStatus.AWAITING_APPROVAL and status in NOT_CONSENTED:
        securing.money_did_not_come(funding, NOT_CONSENTED[status], at=at)
        tell_people(funding, at=at)
    elif funding.status in LIVE and status in HELD_GRANT_OVER and not _has_consent(funding, at=at):
        _lapsed(funding, at=at)
    elif status is HeldGrantStatus.AWAITING_APPROVAL or status in NOT_CONSENTED:
        # The redirectUrl is there, or a renewal will never have one.
        funding.announce(at=at, previous=FundingStatus(funding.status))


def _consented(funding: Funding, held_grant: HeldGrant, *, at: datetime) -> None:
    if funding.status == FundingStatus.AWAITING_APPROVAL:
        funding.move_to(FundingStatus.SECURED, at=at)
        securing.money_is_secured(funding, at=at)
    else:
        _consented_anew(funding, held_grant, at=at)
    tell_people(funding, at=at)


def _consented_anew(funding: Funding, held_grant: HeldGrant, *, at: datetime) -> None:
    if funding.payer_wallet_id != held_grant.sender_id:
        Funding.objects.filter(id=funding.id).update(payer_wallet=held_grant.sender)
        funding.payer_wallet = held_grant.sender
    if funding.status == FundingStatus.LAPSED:
        part = FundingStatus.PARTIALLY_RELEASED if funding.released_value else FundingStatus.SECURED
        funding.move_to(part, at=at)
    securing.consent_is_back(funding, at=at)
    close_older_grants(held_grant, now=at)
    paying.start_what_waits_for_consent(funding, at=at)


def _lapsed(funding: Funding, *, at: datetime) -> None:
    if funding.job.status in NOTHING_TO_EARN and not is_needed(funding):
        # Nobody can earn any of it any more: its payer is not asked for another consent.
        settling.close_funding(funding, at=at)
    else:
        funding.move_to(FundingStatus.LAPSED, at=at)
    tell_people(funding, at=at)


def _has_consent(funding: Funding, *, at: datetime) -> bool:
    return paying.paying_grant(funding, at=at) is not None


def _treasury_grant_moved(held_grant: HeldGrant, *, at: datetime) -> None:
    if held_grant.status == HeldGrantStatus.HELD:
        # Of many jobs, whose locks are not ours here: the next tick begins them one by one.
        paying.wake_what_waits_for_the_treasury(held_grant, at=at)


# --- jobs -----------------------------------------------------------------------------------------


@receiver(work_accepted, dispatch_uid="funding")
def on_work_accepted(submission: Submission, value: int, at: datetime, **_: Any) -> None:
    """Owe the worker what was accepted, and begin to pay it."""
    settling.owe_for_work(submission, value=value, at=at)


@receiver(work_settled, dispatch_uid="funding")
def on_work_settled(submission: Submission, at: datetime, **_: Any) -> None:
    """Free what was promised for work that nobody will accept any more."""
    settling.nothing_more_to_accept(submission, at=at)


@receiver(no_longer_selected, dispatch_uid="funding")
def on_no_longer_selected(application: Application, at: datetime, **_: Any) -> None:
    """Take back what was promised to somebody who will not do the work."""
    return_promises_to_unselected(application.job, at=at)


@receiver(job_moved, dispatch_uid="funding")
def on_job_moved(job: Job, at: datetime, tell: Tell, **_: Any) -> None:
    """Give back what a job that is over does not need, and free what nobody can earn any more."""
    if job.status in settling.OVER:
        for funding in settling.close_fundings(job, at=at):
            if not TRANSITIONS[FundingStatus(funding.status)]:
                tell_people(funding, at=at, tell=tell)
    elif job.status == JobStatus.REVIEWING:
        settling.nothing_more_to_hand_in(job, at=at)
