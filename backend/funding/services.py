"""Putting money behind a job: `fundJob` in mode DIRECT."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from backend import rate_limits
from backend.accounts.models import User, WalletAddress
from backend.accounts.wallets import own_wallet
from backend.errors import AssetMismatch, NotFound
from backend.events import emit
from backend.funding.errors import (
    AlreadyFunded,
    AmountChanged,
    ModeUnavailable,
    ReturnUrlRefused,
    SellerNotFound,
)
from backend.funding.idempotency import claim
from backend.funding.models import Funding, Seller
from backend.funding.status import COUNTING, FundingMode, FundingStatus
from backend.ids import new_id
from backend.jobs.models import Job
from backend.jobs.queries import jobs_visible_to
from backend.jobs.status import JobAction, require
from backend.open_payments.types import Amount
from backend.payments.links import is_allowed_return_url
from backend.payments.models import Payment
from backend.payments.services import create_payment
from backend.payments.status import PaymentPurpose


@dataclass(frozen=True, slots=True)
class Funded:
    """A funding. `payment` is the one that was made with it; None: it was made before."""

    funding: Funding
    payment: Payment | None


def fund_job(
    *,
    payer: User,
    job_id: UUID,
    mode: FundingMode | None,
    seller: str | None,
    payer_wallet_id: UUID | None,
    expected_total: Amount | None,
    return_url: str,
    idempotency_key: UUID,
    now: datetime,
) -> Funded:
    """Put the job's whole budget behind it by paying a registered seller.

    Writes the intent and returns at once, before any network call; the payer's redirect URL
    follows on `paymentStatus`. `mode` None is DIRECT; `seller` None is the default seller,
    `payer_wallet_id` None the payer's default wallet. `expected_total` None skips the check.

    Safe to repeat with the same `idempotency_key`: the same funding is returned. Refused input
    does not use up the key.

    Raises:
        NotFound, Forbidden, WrongStatus: the job is not there, not theirs, or not fundable now.
        ModeUnavailable, SellerNotFound, WalletRequired, ReturnUrlRefused: as they say.
        AmountChanged: the budget is not `expected_total`.
        AssetMismatch: the seller's wallet is not in the job's asset.
        AlreadyFunded: a funding stands behind the job already.
        IdempotencyConflict: the key was used with other input.
        RateLimited: too many fundings by this payer.
    """

    new_funding_id = new_id()
    with transaction.atomic():
        funding_id = claim(
            caller=payer,
            operation="fundJob",
            key=idempotency_key,
            inputs={
                "job": job_id,
                "mode": mode,
                "seller": seller,
                "wallet": payer_wallet_id,
                "expected": expected_total and expected_total.to_json(),
                "return": return_url,
            },
            result_id=new_funding_id,
            now=now,
        )
        if funding_id == new_funding_id:
            rate_limits.hit("money", str(payer.id))
            return _fund(
                funding_id=funding_id,
                payer=payer,
                job=_lock_job(payer, job_id, now),
                seller=_seller(mode, seller),
                wallet=own_wallet(
                    user=payer,
                    wallet_id=payer_wallet_id,
                    path="payerWalletId",
                    to_do="Add the wallet address you pay from, with addWallet.",
                ),
                expected_total=expected_total,
                return_url=return_url,
                now=now,
            )
    return Funded(Funding.objects.select_related("job", "seller").get(id=funding_id), payment=None)


def _fund(
    *,
    funding_id: UUID,
    payer: User,
    job: Job,
    seller: Seller,
    wallet: WalletAddress,
    expected_total: Amount | None,
    return_url: str,
    now: datetime,
) -> Funded:
    total = job.total_budget
    if expected_total is not None and expected_total != total:
        raise AmountChanged(expected=expected_total, actual=total)
    if seller.wallet.asset != (total.asset_code, total.asset_scale):
        raise AssetMismatch(
            f"The job pays in {total.asset_code} (scale {total.asset_scale}), but {seller.slug} "
            f"receives {seller.wallet.asset_code} (scale {seller.wallet.asset_scale}).",
            path=("sellerId",),
        )
    if not is_allowed_return_url(return_url):
        raise ReturnUrlRefused(
            "returnUrl must start with an origin that the operator listed in RETURN_URLS.",
            path=("returnUrl",),
        )
    # The job's row is locked: two payers cannot both find it free.
    if Funding.objects.filter(job=job, status__in=sorted(COUNTING)).exists():
        raise AlreadyFunded(
            "This job is funded already, or waits for its payer's approval: see job.fundings.",
            path=("jobId",),
        )
    funding = Funding.objects.create(
        id=funding_id,
        job=job,
        payer=payer,
        mode=FundingMode.DIRECT,
        seller=seller,
        total_value=total.value,
        asset_code=total.asset_code,
        asset_scale=total.asset_scale,
        created_at=now,
        updated_at=now,
    )
    payment = create_payment(
        purpose=PaymentPurpose.FUND,
        reference=funding.id,
        payer=payer,
        sender=wallet,
        receiver=seller.wallet,
        receive_amount=total,
        return_url=return_url,
        now=now,
    )
    emit(
        topic=f"funding:{funding.id}",
        type="funding.status",
        payload={"status": str(FundingStatus.AWAITING_APPROVAL), "previous": None},
        at=now,
        actor=payer,
        subject_id=funding.id,
    )
    return Funded(funding, payment)


def _lock_job(payer: User, job_id: UUID, now: datetime) -> Job:
    job = jobs_visible_to(payer).select_for_update().filter(id=job_id).first()
    if job is None:
        raise NotFound("There is no such job.", path=("jobId",))
    require(JobAction.FUND, job=job, user=payer, now=now)
    return job


def _seller(mode: FundingMode | None, slug: str | None) -> Seller:
    if mode is None and slug is None and not settings.SELLER_WALLET_ADDRESS_URL:
        raise ModeUnavailable(
            "No default seller is configured; name one in sellerId.", path=("sellerId",)
        )
    found = (
        Seller.objects.select_related("wallet")
        .filter(slug=slug or settings.SELLER_ID, active=True)
        .first()
    )
    if found is None:
        raise SellerNotFound(
            f"There is no seller {slug or settings.SELLER_ID!r}.", path=("sellerId",)
        )
    return found
