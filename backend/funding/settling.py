"""What is owed out of a funding: to workers, to payers what goes back, to the platform its fee.

OWED ──start──▶ PAYING ──the receiver has it──▶ PAID
 ▲                │
 └─ asked later ──┴── failed too often, or for good ──▶ STUCK ──retryPayment──▶ PAYING
                  └── a fee that no wallet would send, or written off ──▶ WAIVED

A payable has one payment at a time, and another one only after the certain end of the last. The fee
for what has arrived is owed at once, and is paid when nothing of its funding is promised any more.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Case, QuerySet, When

from backend.accounts.models import WalletAddress
from backend.errors import ErrorCode
from backend.funding import fees
from backend.funding.allocating import free_value, is_needed, return_part
from backend.funding.booking import book_fee_kept, book_kept, book_owed_payment
from backend.funding.models import Allocation, Funding, Payable
from backend.funding.paying import paying_grant, start, too_small_for
from backend.funding.queries import FOR_A_PERSON, TOO_LITTLE_ARRIVES, dust_of, without_dust
from backend.funding.status import (
    ALLOCATED,
    LIVE,
    UNPAID,
    AllocationStatus,
    FundingMode,
    FundingStatus,
    PayableStatus,
)
from backend.funding.telling import tell_people
from backend.funding.treasury import paying_grants_of
from backend.jobs.endings import money_is_at_rest
from backend.jobs.models import Job, Submission
from backend.jobs.status import JobStatus, SubmissionStatus
from backend.ledger.bookings import debited_value
from backend.open_payments.types import Amount
from backend.payments.models import HeldGrant, Payment
from backend.payments.services import close_held_grant
from backend.payments.status import PaymentPurpose, PaymentStatus

log = logging.getLogger(__name__)

# After the first, second, third failure that asking again can help; then somebody has to act.
RETRY_AFTER = (timedelta(hours=1), timedelta(hours=6), timedelta(hours=24))
# These wait for the payer's next consent, not for time.
WAIT_FOR_CONSENT = frozenset(
    {
        ErrorCode.GRANT_EXHAUSTED,
        ErrorCode.GRANT_EXPIRED,
        ErrorCode.GRANT_LOST,
        ErrorCode.GRANT_REVOKED,
    }
)
OVER = frozenset({JobStatus.COMPLETE, JobStatus.CANCELED, JobStatus.EXPIRED})
# What is needed of a funding to pay out of it.
NEEDED = ("job", "payer", "payer_wallet", "seller__wallet", "fee_wallet")
BATCH = 200


# --- owing ----------------------------------------------------------------------------------------


def owe_for_work(submission: Submission, *, value: int, at: datetime) -> None:
    """Owe a worker `value` of accepted work, out of what is promised to them, and pay it.

    First out of what can be paid now: a consent that has lapsed may never be given again. A job
    whose seller was paid at once promises nothing to workers: there is nothing to owe. The caller
    holds the job's lock, in the transaction that accepts the work.
    """
    allocations = Allocation.objects.select_related("funding__job", "funding__seller__wallet")
    for allocation in allocations.filter(
        application_id=submission.application_id, status__in=sorted(ALLOCATED)
    ).order_by(Case(When(funding__status__in=sorted(LIVE), then=0), default=1), "id"):
        part = min(value, _not_owed_yet(allocation))
        if part <= 0:
            continue
        value -= part
        # Together with what was too little to be sent by itself.
        payable = _too_little(allocation.payables.all(), allocation.funding) or Payable(
            funding=allocation.funding,
            purpose=PaymentPurpose.PAYOUT,
            allocation=allocation,
            submission=submission,
            value=0,
            created_at=at,
        )
        payable.value, payable.failures, payable.updated_at = payable.value + part, 0, at
        # Nothing of it has left, and they may be paid elsewhere by now.
        payable.receiver = submission.application.payout_wallet
        payable.save()
        start(payable, at=at)
        # Whoever asks next whether the job is done has this very object in hand.
        submission.job.money_moving = True
        Job.objects.filter(id=submission.job_id).update(money_moving=True)
    if value:
        log.info("submission %s: %d accepted beyond what is promised", submission.id, value)


def _not_owed_yet(allocation: Allocation) -> int:
    owed = sum(
        allocation.payables.filter(status__in=sorted(UNPAID)).values_list("value", flat=True)
    )
    return allocation.kept_value - allocation.released_value - owed


def owe_back(funding: Funding, *, value: int, at: datetime) -> Payable:
    """Owe the payer `value` of what the treasury holds for them, and pay it back.

    Together with what was too little to be sent by itself.
    """
    refunds = funding.payables.filter(purpose=PaymentPurpose.REFUND)
    payable = _too_little(refunds, funding) or Payable(
        funding=funding,
        purpose=PaymentPurpose.REFUND,
        receiver=_refunded_to(funding),
        value=0,
        created_at=at,
    )
    payable.value, payable.failures, payable.updated_at = payable.value + value, 0, at
    payable.save()
    start(payable, at=at)
    _refund_if_all_goes_back(funding, at=at)
    return payable


def _refunded_to(funding: Funding) -> WalletAddress:
    """The wallet that paid; or, where that was gone, another one of the payer's (elsewhere.py)."""
    refunds = funding.payables.filter(purpose=PaymentPurpose.REFUND)
    last = refunds.select_related("receiver").order_by("-id").first()
    wallet = funding.payer_wallet if last is None else last.receiver
    assert wallet is not None
    return wallet


def _refund_if_all_goes_back(funding: Funding, *, at: datetime) -> None:
    """Nothing is held for workers any more where all that is left is on its way back."""
    if funding.mode != FundingMode.ESCROW or funding.status not in LIVE:
        return
    refunds = _unpaid(funding).filter(purpose=PaymentPurpose.REFUND)
    if funding.remaining_value == sum(refunds.values_list("value", flat=True)):
        funding.move_to(FundingStatus.REFUNDING, at=at)


def _too_little(owed: QuerySet[Payable], funding: Funding) -> Payable | None:
    """What cost more to send than it was: certainly nothing of it ever left."""
    payable = dust_of(owed).select_related("receiver").order_by("id").first()
    if payable is not None:
        payable.funding = funding
    return payable


def nothing_more_to_accept(submission: Submission, *, at: datetime) -> None:
    """Free what is promised to a worker beyond what they are owed."""
    _free(Allocation.objects.filter(application_id=submission.application_id), at=at)


def nothing_more_to_hand_in(job: Job, *, at: datetime) -> None:
    """Free what is promised to those who have handed in nothing, and cannot any more.

    Who is asked for changes has handed in.
    """
    handed_in = Submission.objects.filter(job=job, superseded_at=None).exclude(
        status=SubmissionStatus.DRAFT
    )
    promised = Allocation.objects.filter(funding__job=job).exclude(
        funding__status=FundingStatus.AWAITING_APPROVAL
    )
    _free(promised.exclude(application__in=handed_in.values("application")), at=at)


def _free(allocations: QuerySet[Allocation], *, at: datetime) -> None:
    promised = allocations.filter(status__in=sorted(ALLOCATED)).order_by("id")
    fundings: dict[UUID, Funding] = {}
    for allocation in promised.select_related(
        *(f"funding__{each}" for each in NEEDED), "application"
    ):
        return_part(allocation, _not_owed_yet(allocation), at=at)
        fundings[allocation.funding_id] = allocation.funding
    for funding in fundings.values():
        start_the_fee(funding, at=at)
        if funding.status == FundingStatus.LAPSED and not is_needed(funding):
            close_funding(funding, at=at)


def owe_the_fee(funding: Funding, *, at: datetime) -> None:
    """Owe the platform its part of what has arrived at workers, and pay it if it is time."""
    value = fees.to_earn(funding, funding.paid_to_workers_value)
    if value <= 0:
        return
    assert funding.fee_wallet is not None
    payable = _waiting_fees(funding).first()
    if payable is None:
        payable = Payable(
            funding=funding,
            purpose=PaymentPurpose.PLATFORM_FEE,
            receiver=funding.fee_wallet,
            value=0,
            created_at=at,
        )
    payable.value, payable.updated_at = payable.value + value, at
    payable.save()
    if fees.is_there_already(funding):
        _keep_the_fee(payable, at=at)
    else:
        start_the_fee(funding, at=at)


def start_the_fee(funding: Funding, *, at: datetime) -> None:
    """Begin to pay the fee that waited until nothing was promised to a worker any more."""
    for payable in _waiting_fees(funding).filter(due_at=None):
        payable.funding = funding
        start(payable, at=at)


def _waiting_fees(funding: Funding) -> QuerySet[Payable]:
    return funding.payables.filter(
        purpose=PaymentPurpose.PLATFORM_FEE, status=PayableStatus.OWED
    ).select_related("receiver")


def _keep_the_fee(payable: Payable, *, at: datetime) -> None:
    # It is held for the payer where the platform has its own money: nothing has to move.
    book_fee_kept(payable, at=at)
    payable.status, payable.due_at = PayableStatus.PAID, None
    payable.updated_at = at
    payable.save(update_fields=["status", "due_at", "failures", "updated_at"])
    count_as_paid(payable, payable.value, at=at)


# --- what became of a payment ---------------------------------------------------------------------


def payment_is_over(payment: Payment, *, at: datetime) -> Funding:
    """Book the end of a payment for something owed, in the transaction that ends it.

    Returns the funding that it was owed out of, as it is after that.
    """
    payable = Payable.objects.select_related(
        *(f"funding__{each}" for each in NEEDED),
        "receiver",
        "allocation__application",
        "allocation__funding",
    ).get(id=payment.reference)
    book_owed_payment(payable, payment, at=at)
    if payment.status == PaymentStatus.COMPLETED or _arrived_of(payable, payment) == payable.value:
        paid(payable, at=at)
    else:
        _failed(payable, payment, at=at)
    return payable.funding


def paid(payable: Payable, *, at: datetime) -> None:
    """The receiver has what it was owed: count it. Joins the caller's transaction."""
    payable.status, payable.updated_at = PayableStatus.PAID, at
    payable.save(update_fields=["status", "updated_at"])
    count_as_paid(payable, payable.value, at=at)
    rest_if_nothing_moves(payable.funding, at=at)


def count_as_paid(payable: Payable, value: int, *, at: datetime) -> None:
    """Count `value` of a payable as arrived: on its allocation and on its funding."""
    funding = payable.funding
    if payable.purpose == PaymentPurpose.REFUND:
        _count_as_refunded(funding, value, at=at)
        return
    if fees.is_for_the_platform(payable):
        _count_as_fee(funding, value, at=at)
        return
    allocation = payable.allocation
    assert allocation is not None
    allocation.released_value += value
    all_decided = allocation.released_value + allocation.returned_value == allocation.amount_value
    allocation.status = (
        AllocationStatus.RELEASED if all_decided else AllocationStatus.PARTIALLY_RELEASED
    )
    allocation.save(update_fields=["released_value", "status"])
    book_kept(allocation, value, what=f"PAID:{payable.id}:{allocation.released_value}", at=at)
    released = funding.released_value + value
    if funding.total_value == released + funding.refunded_value:
        settle(funding, at=at, released_value=released)
    elif funding.status == FundingStatus.SECURED:
        funding.move_to(FundingStatus.PARTIALLY_RELEASED, at=at, released_value=released)
    else:
        _update_amounts(funding, at=at, released_value=released)
    owe_the_fee(funding, at=at)
    _refund_if_all_goes_back(funding, at=at)


def _count_as_fee(funding: Funding, value: int, *, at: datetime) -> None:
    amounts = {
        "released_value": funding.released_value + value,
        "fee_paid_value": funding.fee_paid_value + value,
    }
    if funding.total_value == amounts["released_value"] + funding.refunded_value:
        settle(funding, at=at, **amounts)
    else:
        _update_amounts(funding, at=at, **amounts)
        _refund_if_all_goes_back(funding, at=at)


def _count_as_refunded(funding: Funding, value: int, *, at: datetime) -> None:
    refunded = funding.refunded_value + value
    if funding.total_value > funding.released_value + refunded:
        _update_amounts(funding, at=at, refunded_value=refunded)
    elif funding.released_value:
        settle(funding, at=at, refunded_value=refunded)
    else:
        # SETTLED would tell workers that it is PAID, and keep the job from being funded again.
        if funding.status in LIVE:
            funding.move_to(FundingStatus.REFUNDING, at=at)
        funding.move_to(FundingStatus.REFUNDED, at=at, refunded_value=refunded)


def settle(funding: Funding, *, at: datetime, **amounts: int) -> None:
    """Nothing is left of a funding: end it, and give its consent back."""
    funding.move_to(FundingStatus.SETTLED, at=at, **amounts)
    close_grants(funding, at=at)


def close_grants(funding: Funding, *, at: datetime) -> None:
    """Have every consent to this funding revoked once its payments are over."""
    for held_grant in HeldGrant.objects.filter(reference=funding.id).order_by("id"):
        close_held_grant(held_grant=held_grant, now=at)


def _update_amounts(funding: Funding, *, at: datetime, **amounts: int) -> None:
    Funding.objects.filter(id=funding.id).update(updated_at=at, **amounts)
    for name, value in amounts.items():
        setattr(funding, name, value)
    funding.announce(at=at, previous=FundingStatus(funding.status))


def _failed(payable: Payable, payment: Payment, *, at: datetime) -> None:
    if fees.cannot_be_sent(payable, payment):
        return give_up_the_fee(payable, at=at)
    arrived = _arrived_of(payable, payment)
    payable.failures += 1
    if payment.failure_code in WAIT_FOR_CONSENT:
        # No wallet was in trouble: the tries against that begin anew.
        payable.failures = 1
        payable.status = PayableStatus.OWED
        payable.due_at = _when_consent_may_suffice(payable, payment, at=at)
    elif _can_be_tried_by_itself(payable, payment):
        payable.status = PayableStatus.OWED
        payable.due_at = at + RETRY_AFTER[payable.failures - 1]
    else:
        payable.status, payable.due_at = PayableStatus.STUCK, None
    payable.value -= arrived
    payable.updated_at = at
    payable.save(update_fields=["status", "due_at", "failures", "value", "updated_at"])
    if arrived:
        count_as_paid(payable, arrived, at=at)
    else:
        payable.funding.announce(at=at, previous=FundingStatus(payable.funding.status))
    if payment.failure_code in TOO_LITTLE_ARRIVES:
        start_the_fee(payable.funding, at=at)
        rest_if_nothing_moves(payable.funding, at=at)
    tell_people(payable.funding, at=at)


def give_up_the_fee(payable: Payable, *, at: datetime) -> None:
    """Let no funding stay open for a fee that is not to be had. No payment for it is under way.

    What the treasury holds stays there, as the platform's. What was only consented to is waived: if
    more arrives at workers the fee for all of it is owed anew, else it goes back with the rest.
    """
    payable.failures += 1
    if payable.funding.mode == FundingMode.ESCROW:
        return _keep_the_fee(payable, at=at)
    payable.status, payable.due_at, payable.updated_at = PayableStatus.WAIVED, None, at
    payable.save(update_fields=["status", "due_at", "failures", "updated_at"])
    if payable.funding.job.status in OVER:
        close_funding(payable.funding, at=at)
    else:
        payable.funding.announce(at=at, previous=FundingStatus(payable.funding.status))


def waive_fee(*, funding_id: UUID, now: datetime) -> Amount | None:
    """Give up, as an operator, the fee of a funding that is owed and not being paid just now.

    Return how much that was; None: there is no such fee. Safe to repeat.
    """
    with transaction.atomic():
        job_id = Funding.objects.filter(id=funding_id).values_list("job_id", flat=True).first()
        if job_id is None:
            return None
        Job.objects.select_for_update().get(id=job_id)
        payable = (
            Payable.objects.select_related(*(f"funding__{each}" for each in NEEDED))
            .filter(
                funding=funding_id,
                purpose=PaymentPurpose.PLATFORM_FEE,
                status__in=[PayableStatus.OWED, PayableStatus.STUCK],
            )
            .first()
        )
        if payable is None:
            return None
        give_up_the_fee(payable, at=now)
        return payable.amount


def _can_be_tried_by_itself(payable: Payable, payment: Payment) -> bool:
    return (
        payment.failure_retryable
        and payment.failure_code not in FOR_A_PERSON
        and payable.failures <= len(RETRY_AFTER)
    )


def _arrived_of(payable: Payable, payment: Payment) -> int:
    """How much of what is owed has arrived though the payment failed; the rest stays owed.

    Where the sum that is sent was fixed: what was sent for the part that arrived, as it is booked.
    Rounded up that can be all of it. What is missing then is less than anybody can send.
    """
    if payment.delivered_value == 0:
        return 0
    if payment.send_value is not None:
        return min(debited_value(payment), payable.value)
    if not payment.delivered_amount.same_asset(payable.amount):
        return 0
    return min(payment.delivered_value, payable.value - 1)


def _when_consent_may_suffice(
    payable: Payable, payment: Payment, *, at: datetime
) -> datetime | None:
    """Now where there is another consent, else in the treasury's next period; None: once asked."""
    funding = payable.funding
    if payment.under is None:
        return None
    if funding.mode != FundingMode.ESCROW:
        # The payer may have consented again before this payment learnt that its consent was gone.
        newest = paying_grant(funding, at=at)
        return None if newest is None or newest.id == payment.under.id else at
    assert funding.seller is not None
    if payment.failure_code != ErrorCode.GRANT_EXHAUSTED:
        return at
    needed = payment.debit_value or payable.value
    large = [each for each in paying_grants_of(funding.seller) if (each.limit_value or 0) >= needed]
    # Each of them once in a period, or two that both do not suffice would be tried for ever.
    too_small = too_small_for(payable, at=at)
    if any(each.id not in too_small and each.room(at=at) >= needed for each in large):
        return at
    return min(filter(None, (each.next_period(at=at) for each in large)), default=None)


def rest_if_nothing_moves(funding: Funding, *, at: datetime) -> None:
    """Let a job go on that has waited for money, if it waits for none any more."""
    if not moves_money(funding.job):
        Job.objects.filter(id=funding.job_id).update(money_moving=False)
        money_is_at_rest(job=funding.job, at=at)


def moves_money(job: Job) -> bool:
    """Whether a payer is being asked, or a worker is owed, for this job."""
    # What no wallet would send stays owed, and a job does not wait for it: it would for ever.
    owed = Payable.objects.filter(
        funding__job=job, purpose=PaymentPurpose.PAYOUT, status__in=sorted(UNPAID)
    )
    return (
        Funding.objects.filter(job=job, status=FundingStatus.AWAITING_APPROVAL).exists()
        or without_dust(owed).exists()
    )


# --- the end of a job -----------------------------------------------------------------------------


def close_fundings(job: Job, *, at: datetime) -> list[Funding]:
    """A job is over: give back what is neither paid nor owed. Joins the caller's transaction.

    Return the fundings that this was about, as they are then.
    """
    wanted = sorted({*LIVE, FundingStatus.LAPSED})
    fundings = Funding.objects.select_related(*NEEDED).filter(job=job, status__in=wanted)
    closed = list(fundings.order_by("id"))
    for funding in closed:
        close_funding(funding, at=at)
    return closed


def close_funding(funding: Funding, *, at: datetime) -> None:
    """Give back all that is left: revoke the consent, or send the money back where it came from."""
    promised = funding.allocations.filter(status__in=sorted(ALLOCATED))
    for allocation in promised.select_related("funding", "application"):
        return_part(allocation, _not_owed_yet(allocation), at=at)
    start_the_fee(funding, at=at)
    owed = sum(_unpaid(funding).values_list("value", flat=True))
    rest = funding.remaining_value - owed - _fee_of_what_is_owed(funding)
    if funding.mode == FundingMode.PREAPPROVED:
        _let_go(funding, rest, at=at)
    elif funding.mode == FundingMode.ESCROW and rest > 0:
        owe_back(funding, value=rest, at=at)


def _unpaid(funding: Funding) -> QuerySet[Payable]:
    return funding.payables.filter(status__in=sorted(UNPAID))


def _fee_of_what_is_owed(funding: Funding) -> int:
    """What the platform will get once workers have what they are owed."""
    owed = _unpaid(funding).filter(purpose=PaymentPurpose.PAYOUT)
    work = sum(owed.values_list("value", flat=True))
    if not work:
        return 0
    return fees.to_earn(funding, funding.paid_to_workers_value + work)


def let_go_of_what_is_free(funding: Funding, *, at: datetime) -> None:
    """Promise to nobody any more what of a consent is promised to nobody."""
    _let_go(funding, free_value(funding), at=at)


def _let_go(funding: Funding, rest: int, *, at: datetime) -> None:
    # Nothing was held: what is not needed of a promise simply is no promise any more.
    refunded = funding.refunded_value + rest
    if funding.total_value > funding.released_value + refunded:
        _update_amounts(funding, at=at, refunded_value=refunded)
        return
    over = FundingStatus.SETTLED if funding.released_value else FundingStatus.CANCELED
    funding.move_to(over, at=at, refunded_value=refunded)
    close_grants(funding, at=at)
