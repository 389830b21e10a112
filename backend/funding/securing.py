"""Asking for the money behind a job, by each mode, and what it means when it is there.

DIRECT       one payment to a registered seller, at once
ESCROW       one payment to the platform's treasury, which pays workers later
PREAPPROVED  no payment: the payer's consent is held, and pays workers later from their own wallet
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any
from uuid import UUID

from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from backend.accounts.models import User, WalletAddress
from backend.errors import AssetMismatch
from backend.funding import settling
from backend.funding.allocating import (
    BEFORE_WORK,
    return_allocations,
    return_promises_to_unselected,
    uncovered,
)
from backend.funding.booking import book_promise
from backend.funding.errors import DeadlineTooFar
from backend.funding.fees import NO_FEE, Terms
from backend.funding.models import Allocation, Funding, Seller
from backend.funding.queries import ends_of_consents
from backend.funding.status import ALLOCATED, LIVE, FundingMode, FundingStatus
from backend.jobs.decisions import DISPUTE_LASTS
from backend.jobs.models import Application, Job
from backend.jobs.recruiting import close_paid_recruiting
from backend.jobs.status import ApplicationStatus, JobStatus, Pricing
from backend.jobs.work import begin_work
from backend.open_payments.types import Amount
from backend.payments.models import HeldGrant, Payment
from backend.payments.quoting import LARGEST_VALUE, UNQUOTED_BUFFER
from backend.payments.services import Line, create_payment, hold_grant
from backend.payments.status import GrantScope, PaymentPurpose

# After the last decision can have been disputed and answered, payments get so long.
TIME_TO_PAY = timedelta(days=7)
LONGEST_WINDOW = timedelta(days=365)
# Later nobody hands in work for the first time, whatever its deadlines say.
BEFORE_REVIEW = frozenset({JobStatus.RECRUITING, JobStatus.SELECTING, JobStatus.SUBMITTING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a payer is asked for: `total` in the job's asset, for `workers` or whoever comes.

    `fee_value` of it is for the platform, by `terms`.
    """

    job: Job
    payer: User
    wallet: WalletAddress
    total: Amount
    fee_value: int = 0
    terms: Terms = NO_FEE
    # Who receives at once: the seller or the treasury. None in mode PREAPPROVED.
    seller: Seller | None
    workers: Sequence[tuple[Application, int]] = ()
    return_url: str
    now: datetime

    @property
    def is_pooled(self) -> bool:
        """Whether there is nobody to quote for: the total is for whoever comes."""
        return not self.workers and self.fee_value != self.total.value


def open_funding(
    ask: Ask, *, funding_id: UUID, mode: FundingMode
) -> tuple[Funding, Payment | None]:
    """Write the funding down and ask the payer; nothing is called before the commit.

    Raises:
        AssetMismatch: an asset makes that impossible, before anybody is asked.
        DeadlineTooFar: no consent reaches until all of the job can be decided.
    """
    check_assets(ask, mode)
    if mode is FundingMode.PREAPPROVED:
        check_window(ask)
    funding = Funding.objects.create(
        id=funding_id,
        job=ask.job,
        payer=ask.payer,
        payer_wallet=ask.wallet,
        mode=mode,
        seller=ask.seller,
        total_value=ask.total.value,
        fee_value=ask.fee_value,
        fee_bps=ask.terms.bps,
        fee_wallet=ask.terms.wallet,
        asset_code=ask.total.asset_code,
        asset_scale=ask.total.asset_scale,
        created_at=ask.now,
        updated_at=ask.now,
    )
    Allocation.objects.bulk_create(
        Allocation(funding=funding, application=application, amount_value=value, created_at=ask.now)
        for application, value in ask.workers
    )
    payment = None
    if mode is FundingMode.PREAPPROVED:
        ask_to_hold(ask, funding)
    else:
        payment = _ask_to_pay(ask, funding)
    # The row is locked, so this needs no version: nobody's form was about it.
    Job.objects.filter(id=ask.job.id).update(money_moving=True)
    funding.announce(at=ask.now, previous=None, actor=ask.payer)
    return funding, payment


def _ask_to_pay(ask: Ask, funding: Funding) -> Payment:
    assert ask.seller is not None
    return create_payment(
        purpose=PaymentPurpose.FUND,
        reference=funding.id,
        payer=ask.payer,
        sender=ask.wallet,
        receiver=ask.seller.wallet,
        receive_amount=ask.total,
        return_url=ask.return_url,
        now=ask.now,
    )


def ask_to_hold(ask: Ask, funding: Funding) -> HeldGrant:
    """Ask for a consent that covers the workers, each by a quote, or else the total and fees.

    Who pays workers pays the platform's fee once, so that it is one more line. No consent lasts
    longer than LONGEST_WINDOW; before it is over it can be renewed.
    """
    sends = ask.job.pricing == Pricing.FIXED_SEND
    renews = funding.status != FundingStatus.AWAITING_APPROVAL
    lines = [
        Line(receiver=application.payout_wallet, **{_side(sends): value})
        for application, value in ask.workers
    ]
    if ask.fee_value and not ask.is_pooled:
        lines.append(_line_of_the_fee(ask, sends=sends))
    limit = ask.total.value if ask.is_pooled else None
    if limit is not None and not sends:
        limit = min(ceil(limit * (1 + UNQUOTED_BUFFER)), LARGEST_VALUE)
    return hold_grant(
        scope=GrantScope.POOLED,
        reference=funding.id,
        payer=ask.payer,
        sender=ask.wallet,
        lines=lines,
        limit=limit,
        days=min(window_days(ask, renews=renews), LONGEST_WINDOW.days),
        # The work will begin because of it.
        all_or_nothing=ask.job.status in BEFORE_WORK,
        return_url=ask.return_url,
        now=ask.now,
    )


def _line_of_the_fee(ask: Ask, *, sends: bool) -> Line:
    assert ask.terms.wallet is not None
    if sends:
        # Nothing is to be found out: so much leaves the payer. A quote could be refused where the
        # fee is tiny, and workers would wait for nothing.
        return Line(receiver=ask.terms.wallet, send_value=ask.fee_value, debit_value=ask.fee_value)
    return Line(receiver=ask.terms.wallet, receive_value=ask.fee_value)


def _side(sends: bool) -> str:
    return "send_value" if sends else "receive_value"


def check_window(ask: Ask) -> None:
    """Refuse a first consent that would be over before all of the job can be decided and paid.

    Raises:
        DeadlineTooFar: it would have to last more than a year.
    """
    days = window_days(ask)
    if days > LONGEST_WINDOW.days:
        raise DeadlineTooFar(
            _(
                "The payer's consent would have to last {days} days, and at most {most} can be "
                "asked for. Use ESCROW, or post the job again with closer deadlines."
            ),
            path=("jobId",),
            days=days,
            most=LONGEST_WINDOW.days,
        )


def window_days(ask: Ask, *, renews: bool = False) -> int:
    """For how many days from now a consent has to last: work, review, disputes, payment.

    Work begins once the pay of those selected is approved. Where it waits for more than that, it
    can begin until the job expires, and has all of its days then.
    """
    waits = ask.job.status in BEFORE_WORK and (ask.is_pooled or renews)
    begins_at = max(ask.now, ask.job.expires_at or ask.now) if waits else ask.now
    window = all_is_decided_by(ask.job, begins_at=begins_at) + TIME_TO_PAY - ask.now
    return ceil(window / timedelta(days=1))


def all_is_decided_by(job: Job, *, begins_at: datetime) -> datetime:
    """The last moment at which work that begins then can be decided, disputes and all."""
    # A decision can be disputed, the dispute answered, and the answer replied to.
    handed_in_by = _all_is_handed_in_by(job, begins_at=begins_at)
    return handed_in_by + timedelta(days=job.review_days) + 3 * DISPUTE_LASTS


def _all_is_handed_in_by(job: Job, *, begins_at: datetime) -> datetime:
    """The last moment for work that begins then, or has begun, or for its revision."""
    revised = job.submissions.filter(superseded_at=None).aggregate(until=Max("revise_until"))
    deadlines: list[datetime | None] = [begins_at, revised["until"]]
    if job.status in BEFORE_REVIEW:
        submit_until = job.submit_until or begins_at + timedelta(days=job.submit_days)
        deadlines += [submit_until, job.expires_at]
    return max(at for at in deadlines if at is not None)


def check_assets(ask: Ask, mode: FundingMode) -> None:
    """Refuse what no wallet could pay as promised, before anybody consents.

    Raises:
        AssetMismatch: FIXED_RECEIVE and a worker has another asset, FIXED_SEND and the payer
            has, or whoever would hold the money has.
    """
    job_asset = (ask.total.asset_code, ask.total.asset_scale)
    if ask.seller is not None and ask.seller.wallet.asset != job_asset:
        raise _mismatch(
            _(
                "The job pays in {job_asset} (scale {job_scale}), but {seller} receives "
                "{wallet_asset} (scale {wallet_scale})."
            ),
            ask,
            ask.seller.wallet,
            path="sellerId",
            seller=ask.seller.slug,
        )
    if ask.job.pricing == Pricing.FIXED_RECEIVE:
        for application, _value in ask.workers:
            check_payout_asset(ask.job, application.payout_wallet)
    nobody_to_quote_for = mode is FundingMode.PREAPPROVED and ask.is_pooled
    exact_sum_sent = mode is FundingMode.PREAPPROVED and ask.job.pricing == Pricing.FIXED_SEND
    if (nobody_to_quote_for or exact_sum_sent) and ask.wallet.asset != job_asset:
        raise _mismatch(
            _(
                "The job pays in {job_asset} (scale {job_scale}), and your wallet has "
                "{wallet_asset} (scale {wallet_scale}). Pay from a wallet in the job's asset, or "
                "select the workers first and use preFundJob."
            ),
            ask,
            ask.wallet,
            path="payerWalletId",
        )


def check_payout_asset(job: Job, wallet: WalletAddress) -> None:
    """Refuse a worker's wallet that cannot receive the exact reward.

    Raises:
        AssetMismatch: its asset is not the job's.
    """
    reward = job.amount(job.reward_value)
    if wallet.asset == (reward.asset_code, reward.asset_scale):
        return
    raise AssetMismatch(
        _(
            "The job pays exactly {job_asset} (scale {job_scale}), and a selected worker's wallet "
            "receives {wallet_asset} (scale {wallet_scale}). Select somebody else, or let the "
            "next job fix what is sent instead."
        ),
        path=("jobId",),
        job_asset=reward.asset_code,
        job_scale=reward.asset_scale,
        wallet_asset=wallet.asset_code,
        wallet_scale=wallet.asset_scale,
    )


def _mismatch(
    message: Any, ask: Ask, wallet: WalletAddress, *, path: str, **words: object
) -> AssetMismatch:
    return AssetMismatch(
        message,
        path=(path,),
        job_asset=ask.total.asset_code,
        job_scale=ask.total.asset_scale,
        wallet_asset=wallet.asset_code,
        wallet_scale=wallet.asset_scale,
        **words,
    )


# --- what it means when the money is there --------------------------------------------------------


def money_is_secured(funding: Funding, *, at: datetime) -> None:
    """Let the work begin where everybody selected is covered, or the selection where none is.

    Who was selected when the payer was asked may not be any more: then nothing is promised to them,
    and where nobody is left the money waits for another selection, or to be called off.
    """
    for allocation in funding.allocations.select_related("funding", "application"):
        book_promise(allocation, at=at)
    job = Job.objects.select_for_update().get(id=funding.job_id)
    Job.objects.filter(id=job.id).update(money_moving=False)
    if job.status not in {JobStatus.RECRUITING, JobStatus.SELECTING}:
        return
    return_promises_to_unselected(job, at=at)
    if funding.allocations.exists():
        _begin_if_covered(job, at=at)
    else:
        close_paid_recruiting(job=job, at=at)


def consent_is_back(funding: Funding, *, at: datetime) -> None:
    """Let the work begin if only a consent behind this funding was missing that lasts."""
    job = Job.objects.select_for_update().get(id=funding.job_id)
    if job.status == JobStatus.SELECTING:
        return_promises_to_unselected(job, at=at)
        _begin_if_covered(job, at=at)


def _begin_if_covered(job: Job, *, at: datetime) -> None:
    selected = job.applications.filter(status=ApplicationStatus.SELECTED)
    if selected.exists() and not uncovered(job) and ends_too_soon(job, at=at) is None:
        begin_covered_work(job, at=at)


def begin_covered_work(job: Job, *, at: datetime, actor: User | None = None) -> None:
    """Let the work begin, because secured money covers everybody selected.

    What has lapsed is not needed beside that: else it would be promised to them a second time.
    """
    lapsed = Funding.objects.filter(job=job, status=FundingStatus.LAPSED)
    for funding in lapsed.select_related(*settling.NEEDED).order_by("id"):
        settling.close_funding(funding, at=at)
    begin_work(job=job, at=at, actor=actor)


def ends_too_soon(job: Job, *, at: datetime) -> datetime | None:
    """When the first consent ends under which work that begins now could not be paid; None: none.

    Of those that promise something. They were asked for before, and deadlines may have moved, or
    their payer took their time.
    """
    promising = Allocation.objects.filter(
        funding__job=job,
        funding__mode=FundingMode.PREAPPROVED,
        funding__status__in=sorted(LIVE),
        status__in=sorted(ALLOCATED),
    )
    ends = ends_of_consents(list(promising.values_list("funding_id", flat=True).distinct()))
    first = min(ends.values(), default=None)
    needed_until = all_is_decided_by(job, begins_at=at)
    return first if first is not None and first < needed_until else None


def money_did_not_come(funding: Funding, status: FundingStatus, *, at: datetime) -> None:
    """End a funding whose payer said no, or whose money could not be had."""
    return_allocations(funding, at=at)
    funding.move_to(status, at=at)
    Job.objects.filter(id=funding.job_id).update(money_moving=False)
