"""Which part of which funding is promised to which worker. The caller has locked the job."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F, Sum

from backend.funding.booking import book_kept, book_promise
from backend.funding.fees import fee_on, most_within
from backend.funding.models import Allocation, Funding
from backend.funding.queries import can_be_earned, without_dust
from backend.funding.status import ALLOCATED, LIVE, UNPAID, AllocationStatus, FundingStatus
from backend.jobs.models import Application, Job
from backend.jobs.status import ApplicationStatus, JobStatus
from backend.payments.status import PaymentPurpose

# More can be promised to workers only until they begin.
BEFORE_WORK = frozenset({JobStatus.RECRUITING, JobStatus.SELECTING})


def uncovered(job: Job) -> list[tuple[Application, int]]:
    """The selected applicants whose reward is not promised in full out of secured money."""
    selected = (
        job.applications.filter(status=ApplicationStatus.SELECTED)
        .select_related("payout_wallet")
        .order_by("id")
    )
    promised = dict(
        Allocation.objects.filter(
            funding__job=job, funding__status__in=sorted(LIVE), status__in=sorted(ALLOCATED)
        )
        .order_by()
        .values_list("application_id")
        .annotate(total=Sum(F("amount_value") - F("returned_value")))
    )
    gaps = [(each, job.reward_value - promised.get(each.id, 0)) for each in selected]
    return [(application, gap) for application, gap in gaps if gap > 0]


def allocate_what_is_there(job: Job, *, at: datetime) -> None:
    """Promise money that is secured and not promised yet to those who are selected."""
    return_promises_to_unselected(job, at=at)
    gaps = uncovered(job)
    for funding in Funding.objects.filter(job=job, status__in=sorted(LIVE)).order_by("id"):
        free = promisable_value(funding)
        while gaps and free > 0:
            application, gap = gaps[0]
            value = min(gap, free)
            allocation = Allocation.objects.create(
                funding=funding, application=application, amount_value=value, created_at=at
            )
            book_promise(allocation, at=at)
            free -= value
            gaps[:1] = [(application, gap - value)] if gap > value else []


def free_value(funding: Funding) -> int:
    """What of a funding is neither promised, released, refunded nor on its way back.

    The platform's fee on what is promised is no more free than that.
    """
    kept = kept_value(funding)
    return _not_gone_value(funding) - kept - fee_on(kept, funding.fee_bps)


def promisable_value(funding: Funding) -> int:
    """What of a funding can still be promised to workers, so that the fee on it is there too."""
    return most_within(_not_gone_value(funding), funding.fee_bps) - kept_value(funding)


def kept_value(funding: Funding) -> int:
    """What was promised out of a funding and not taken back, whether it has arrived or not."""
    kept = funding.allocations.aggregate(kept=Sum(F("amount_value") - F("returned_value")))
    return kept["kept"] or 0


def unpaid_fee(funding: Funding) -> int:
    """The platform's fee on all that was promised and not taken back, as far as it is not paid."""
    return fee_on(kept_value(funding), funding.fee_bps) - funding.fee_paid_value


def _not_gone_value(funding: Funding) -> int:
    # Money that is being sent back must not be promised to anybody meanwhile.
    going_back = funding.payables.filter(
        purpose=PaymentPurpose.REFUND, status__in=sorted(UNPAID)
    ).aggregate(sum=Sum("value"))
    return funding.total_value - funding.refunded_value - (going_back["sum"] or 0)


def is_needed(funding: Funding) -> bool:
    """Whether somebody can still be paid out of a funding: promised, owed, or not yet selected."""
    return (
        funding.job.status in BEFORE_WORK
        or can_be_earned(funding)
        or without_dust(funding.payables.filter(status__in=sorted(UNPAID))).exists()
    )


def return_promises_to_unselected(job: Job, *, at: datetime) -> None:
    """Take back what was promised to somebody who is not selected any more."""
    stale = Allocation.objects.filter(
        funding__job=job,
        funding__status__in=sorted(LIVE | {FundingStatus.LAPSED}),
        status__in=sorted(ALLOCATED),
    ).exclude(application__status=ApplicationStatus.SELECTED)
    for allocation in stale.select_related("funding", "application"):
        return_rest(allocation, at=at)


def return_allocations(funding: Funding, *, at: datetime) -> None:
    """Nothing more will be asked for of this funding's allocations."""
    promised = funding.allocations.filter(status__in=sorted(ALLOCATED))
    for allocation in promised.select_related("funding", "application"):
        return_rest(allocation, at=at)


def return_rest(allocation: Allocation, *, at: datetime) -> None:
    """Nothing more will be asked for of this allocation. Repeating is harmless."""
    return_part(allocation, allocation.kept_value - allocation.released_value, at=at)


def return_part(allocation: Allocation, value: int, *, at: datetime) -> None:
    """Take `value` of a promise back; where nothing of it is left, it is over."""
    allocation.returned_value += value
    if allocation.kept_value == allocation.released_value:
        allocation.status = (
            AllocationStatus.RELEASED if allocation.released_value else AllocationStatus.RETURNED
        )
    allocation.save(update_fields=["returned_value", "status"])
    # Until the money was there, there was no promise.
    if allocation.funding.status != FundingStatus.AWAITING_APPROVAL:
        book_kept(allocation, value, what=f"RETURNED:{allocation.returned_value}", at=at)
