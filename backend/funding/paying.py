"""Beginning the payments for what is owed: under the consent there is, when it is time."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction

from backend.errors import ErrorCode
from backend.funding import fees
from backend.funding.models import Funding, Payable
from backend.funding.queries import last_failure
from backend.funding.rates import least_that_arrives, no_less_than
from backend.funding.status import FundingMode, PayableStatus
from backend.funding.treasury import paying_grant_of
from backend.jobs.models import Job
from backend.jobs.status import Pricing
from backend.payments.models import HeldGrant, Payment
from backend.payments.services import create_payment
from backend.payments.status import HeldGrantStatus, PaymentPurpose

log = logging.getLogger(__name__)

BATCH = 200
# How soon what waits for a consent to the treasury is looked at again, though nobody woke it.
LOOK_AGAIN = timedelta(hours=1)
# What is needed of something owed to pay it.
_NEEDED = ("funding__job", "funding__payer", "funding__seller__wallet", "receiver")


def start(
    payable: Payable, *, at: datetime, at_the_rate_of: Payment | None = None
) -> Payment | None:
    """Begin a payment for what is owed, under the consent there is; None: it waits for one.

    A fee also waits until nothing is promised to a worker. Where what is sent is fixed, enough of
    it has to arrive; or, where an operator has accepted that, no less than `at_the_rate_of` a
    payment that failed because of it. Joins the caller's transaction, which has locked the job.
    """
    funding = payable.funding
    too_early = fees.has_to_wait(payable)
    under = None if too_early else _grant_for(payable, at=at)
    if under is None:
        # A consent to the treasury, which locks no job, may have come without seeing this row.
        looks_again = funding.mode == FundingMode.ESCROW and not too_early
        _save(payable, PayableStatus.OWED, due_at=at + LOOK_AGAIN if looks_again else None, at=at)
        return None
    _save(payable, PayableStatus.PAYING, due_at=None, at=at)
    sends = _fixes_what_is_sent(payable)
    return create_payment(
        purpose=PaymentPurpose(payable.purpose),
        reference=payable.id,
        payer=funding.payer,
        sender=under.sender,
        receiver=payable.receiver,
        receive_amount=None if sends else payable.amount,
        send_amount=payable.amount if sends else None,
        least_receive_value=_least(payable, under, at_the_rate_of) if sends else None,
        under=under,
        owed_since=payable.created_at,
        now=at,
    )


def _least(payable: Payable, under: HeldGrant, accepted: Payment | None) -> int | None:
    return least_that_arrives(payable, under) if accepted is None else no_less_than(accepted)


def _save(
    payable: Payable, status: PayableStatus, *, due_at: datetime | None, at: datetime
) -> None:
    Payable.objects.filter(id=payable.id).update(status=status, due_at=due_at, updated_at=at)
    payable.status, payable.due_at = status, due_at


def paying_grant(funding: Funding, *, at: datetime) -> HeldGrant | None:
    """The consent that payments out of this funding are made with now; None: there is none."""
    if funding.mode == FundingMode.ESCROW:
        assert funding.seller is not None
        return paying_grant_of(funding.seller, at=at)
    return (
        HeldGrant.objects.select_related("sender")
        .filter(reference=funding.id, status=HeldGrantStatus.HELD)
        .order_by("-id")
        .first()
    )


def _grant_for(payable: Payable, *, at: datetime) -> HeldGrant | None:
    funding = payable.funding
    if funding.mode != FundingMode.ESCROW:
        return paying_grant(funding, at=at)
    assert funding.seller is not None
    return paying_grant_of(funding.seller, too_small=too_small_for(payable, at=at), at=at)


def too_small_for(payable: Payable, *, at: datetime) -> set[UUID]:
    """The consents that did not suffice for this in the period that is now.

    By our count or by the wallet's, which can be higher: then ours still shows room.
    """
    failed = Payment.objects.filter(
        reference=payable.id, failure_code=ErrorCode.GRANT_EXHAUSTED
    ).select_related("under")
    return {
        payment.under.id
        for payment in failed
        if payment.under is not None and payment.updated_at >= payment.under.counts_from(at=at)
    }


def _fixes_what_is_sent(payable: Payable) -> bool:
    """Whether the owed sum is what leaves the sender, fees included, or what arrives."""
    if payable.purpose == PaymentPurpose.REFUND:
        # The payer gets back exactly what was held; in another asset, what that makes.
        amount = payable.amount
        return payable.receiver.asset != (amount.asset_code, amount.asset_scale)
    return payable.funding.job.pricing == Pricing.FIXED_SEND


def start_what_waits_for_consent(funding: Funding, *, at: datetime) -> None:
    """The payer consents again: begin all payments that wait for nothing else."""
    waiting = Payable.objects.filter(funding=funding, status=PayableStatus.OWED, due_at=None)
    for payable in waiting.select_related(*_NEEDED).order_by("id"):
        start(payable, at=at)


def wake_what_waits_for_the_treasury(held_grant: HeldGrant, *, at: datetime) -> None:
    """The treasury can pay (again): what is owed out of it is due now."""
    Payable.objects.filter(
        funding__mode=FundingMode.ESCROW,
        funding__seller__wallet=held_grant.sender_id,
        status=PayableStatus.OWED,
    ).update(due_at=at)


def wake_what_waits_for_room(held_grant: HeldGrant, *, at: datetime) -> None:
    """A payment out of the treasury gave its room back: what found none before is due now.

    It cannot go round in circles: whoever finds no room, by our count or its wallet's, has given
    none back.
    """
    waiting = Payable.objects.filter(
        funding__mode=FundingMode.ESCROW,
        funding__seller__wallet=held_grant.sender_id,
        status=PayableStatus.OWED,
        due_at__gt=at,
    )
    failed_so = waiting.annotate(last=last_failure()).filter(last=ErrorCode.GRANT_EXHAUSTED)
    ids = list(failed_so.values_list("id", flat=True))
    # Their jobs are not locked here: one of them may have been begun since.
    Payable.objects.filter(id__in=ids, status=PayableStatus.OWED).update(due_at=at)


def retry_due(*, now: datetime, limit: int = BATCH) -> int:
    """Begin the payments whose pause after a failure is over; return how many.

    Safe to repeat and to run at the same time. What fails is logged, and is due again.
    """
    due = Payable.objects.filter(due_at__lte=now).order_by("due_at")
    begun = 0
    for payable_id, job_id in list(due.values_list("id", "funding__job_id")[:limit]):
        try:
            begun += _begin_if_due(payable_id, job_id, now=now)
        except (InterfaceError, OperationalError):
            raise  # the database is away, for all of them
        except Exception:
            log.exception("payable %s could not be begun", payable_id)
    return begun


def _begin_if_due(payable_id: UUID, job_id: UUID, *, now: datetime) -> bool:
    with transaction.atomic():
        Job.objects.select_for_update().get(id=job_id)
        due = Payable.objects.select_related(*_NEEDED).filter(id=payable_id, due_at__lte=now)
        payable = due.first()
        return payable is not None and start(payable, at=now) is not None
