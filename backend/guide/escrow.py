"""The guide's `POST /api/payments/incoming`: money set aside, said to be there only when it is.

In the guide this makes an invoice, and the marketplace lets the work begin. Here the payer is
asked, and `success` waits for the money: the marketplace asks again after its payer has approved.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from backend.accounts.models import Asset
from backend.funding.errors import AlreadyFunded
from backend.funding.models import Allocation, Funding
from backend.funding.services import pre_fund_job
from backend.funding.status import LIVE, FundingMode, FundingStatus
from backend.guide import offers
from backend.guide.amounts import exact_amount
from backend.guide.models import OfferJob, OfferKind
from backend.guide.offers import Wish
from backend.ids import new_id
from backend.jobs.models import Job
from backend.jobs.status import ApplicationStatus, JobStatus
from backend.open_payments.types import Amount
from backend.payments.models import Payment
from backend.payments.status import TERMINAL, PaymentStatus

# The money is there, or has gone where it was to go. What went back to its payer is not there.
THERE = LIVE | {FundingStatus.SETTLED}
# A job whose work has not begun. What is held for one of these is yet to be promised to workers.
BEFORE_WORK = frozenset({JobStatus.RECRUITING, JobStatus.SELECTING})


@dataclass(frozen=True, slots=True)
class SetAside:
    """The payment that sets money aside, and whether the money is there."""

    payment: Payment
    secured: bool


def set_aside(wish: Wish, *, offer_id: str | None, description: str) -> SetAside:
    """Ask for the money, or tell whether it is there.

    With an `offer_id` repeating is safe for ever. Without one, `description` and amount name what
    it is for; as two things may be called alike, `secured` is then told once, and the same call
    after that asks for another payment.

    Raises:
        ValidationFailed, AmountTooLarge, SellerNotFound: the wish is unusable.
        AlreadyFunded: its payer is being asked for something else.
        Whatever `fund_job` and `pre_fund_job` refuse.
    """
    job = None if offer_id is None else offers.job_of_ours(wish.owner, offer_id)
    if job is not None:
        return _for_job(job, wish)
    with transaction.atomic():
        return _for_offer(wish, offer_id, description)


def _for_job(job: Job, wish: Wish) -> SetAside:
    """The pay of those selected for a job of ours, held by the treasury."""
    amount = exact_amount(wish.amount, Asset(job.asset_code, job.asset_scale))
    with transaction.atomic():
        job = Job.objects.select_for_update().get(id=job.id)
        told = {FundingStatus.AWAITING_APPROVAL}
        if job.status not in BEFORE_WORK:
            told |= THERE
        made = Funding.objects.filter(
            job=job, payer=wish.owner, mode=FundingMode.ESCROW, status__in=sorted(told)
        )
        funding = made.order_by("-id").first()
        if funding is None or amount not in {funding.total, _promised_for(job)}:
            funding = pre_fund_job(
                payer=wish.owner,
                job_id=job.id,
                mode=FundingMode.ESCROW,
                payer_wallet_id=wish.wallet.id,
                expected_total=amount,
                return_url=wish.return_url,
                idempotency_key=new_id(),
                now=wish.now,
            ).funding
        payments = Payment.objects.filter(reference=funding.id)
        payment = payments.select_related("sender", "receiver").order_by("-created_at").first()
        if payment is None:
            # Nothing is set aside, so there is no payment to tell of, and nothing has begun.
            raise AlreadyFunded(
                _("Its payer has consented to pay the workers: begin the work with preFundJob."),
                path=("offerId",),
            )
    return SetAside(payment, funding.status in THERE)


def _promised_for(job: Job) -> Amount:
    """What those selected are promised, out of however many fundings."""
    chosen = Allocation.objects.filter(
        funding__job=job, application__status=ApplicationStatus.SELECTED
    )
    return job.amount(chosen.aggregate(sum=Sum("amount_value"))["sum"] or 0)


def _for_offer(wish: Wish, offer_id: str | None, description: str) -> SetAside:
    seller, amount = wish.exact()
    kind = OfferKind.DESCRIBED if offer_id is None else OfferKind.ESCROW
    offer = offers.locked_offer(wish.owner, offer_id or description, kind=kind, now=wish.now)
    newest = OfferJob.objects.filter(offer=offer).select_related("job").order_by("-id").first()
    payment = newest and offers.newest_payment(newest.job)
    if newest and payment and not _is_over(payment):
        same = payment.receive_amount == amount and payment.receiver_id == seller.wallet_id
        completed = payment.status == PaymentStatus.COMPLETED
        if offer_id is None and completed:
            if same and newest.claimed_at is None:
                OfferJob.objects.filter(id=newest.id).update(claimed_at=wish.now)
                return SetAside(payment, secured=True)
            # It was told already, or is about another sum: this is something else.
            job = offers.another_job(offer, wish, amount, title=description)
            return SetAside(offers.fund(job, wish, amount), secured=False)
        if not same:
            raise offers.already_asked()
        return SetAside(payment, secured=completed)
    job = offers.job_to_fund(offer, newest.job if newest else None, wish, amount, title=description)
    return SetAside(offers.fund(job, wish, amount), secured=False)


def _is_over(payment: Payment) -> bool:
    """Whether it ended without the money."""
    return payment.status in TERMINAL - {PaymentStatus.COMPLETED}
