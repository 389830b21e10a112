"""Putting money behind a job: `fundJob` in mode DIRECT, and `preFundJob` once it has arrived."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from backend import rate_limits
from backend.accounts.idempotency import claim
from backend.accounts.models import User, WalletAddress
from backend.accounts.wallets import own_wallet
from backend.errors import AssetMismatch
from backend.events import emit
from backend.funding.errors import (
    AlreadyFunded,
    AmountChanged,
    ModeUnavailable,
    ReturnUrlRefused,
    SellerNotFound,
)
from backend.funding.models import Funding, Seller
from backend.funding.status import COUNTING, FundingMode, FundingStatus
from backend.ids import new_id
from backend.jobs.changes import lock_job
from backend.jobs.facts import facts_of_job
from backend.jobs.lifecycle.job import RULES, JobAction
from backend.jobs.lifecycle.rules import require
from backend.jobs.models import Job
from backend.jobs.work import begin_work
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
        done_before = claim(
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
        if done_before is None:
            rate_limits.hit("money", str(payer.id))
            return _fund(
                funding_id=new_funding_id,
                payer=payer,
                job=_lock_job(payer, job_id, now),
                seller=_seller(mode, seller),
                wallet=own_wallet(
                    user=payer,
                    wallet_id=payer_wallet_id,
                    path="payerWalletId",
                    to_do=_("Add the wallet address you pay from, with addWallet."),
                ),
                expected_total=expected_total,
                return_url=return_url,
                now=now,
            )
    return Funded(_funding(done_before), payment=None)


def pre_fund_job(
    *,
    payer: User,
    job_id: UUID,
    expected_total: Amount | None,
    return_url: str,
    idempotency_key: UUID,
    now: datetime,
) -> Funding:
    """Put reward × selected workers behind the selected applications, and let the work begin.

    Money that is behind the job already is used first; where it covers the sum, as a settled
    funding of the whole budget does, the job moves to SUBMITTING at once, without any consent.
    `expected_total` None skips the check.

    Safe to repeat with the same `idempotency_key`: the same funding is returned. Refused input
    does not use up the key.

    Raises:
        NotFound, Forbidden, WrongStatus: the job is not there, not theirs, or not selecting.
        NoSelectedWorkers: nobody is selected.
        AmountChanged: reward × selected is not `expected_total`.
        ModeUnavailable: no money is behind the job, and this installation only takes it by
            `fundJob`.
        ReturnUrlRefused: as it says.
        IdempotencyConflict: the key was used with other input.
    """
    with transaction.atomic():
        job = lock_job(user=payer, job_id=job_id)
        funding = Funding.objects.filter(job=job, status=FundingStatus.SETTLED).first()
        done_before = claim(
            caller=payer,
            operation="preFundJob",
            key=idempotency_key,
            inputs={
                "job": job_id,
                "expected": expected_total and expected_total.to_json(),
                "return": return_url,
            },
            result_id=funding.id if funding else job_id,
            now=now,
        )
        if done_before is not None:
            return _funding(done_before)
        facts = facts_of_job(user=payer, job=job, now=now)
        require(RULES, JobAction.PRE_FUND, facts)
        _check_total(job.amount(job.reward_value * facts.selected), expected_total)
        _check_return_url(return_url)
        if funding is None:
            raise ModeUnavailable(
                _("No money is behind this job. Put its budget there with fundJob first."),
                path=("jobId",),
            )
        begin_work(job=job, at=now, actor=payer)
    return _funding(funding.id)


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
    _check_total(total, expected_total)
    if seller.wallet.asset != (total.asset_code, total.asset_scale):
        raise AssetMismatch(
            _(
                "The job pays in {job_asset} (scale {job_scale}), but {seller} receives "
                "{wallet_asset} (scale {wallet_scale})."
            ),
            path=("sellerId",),
            job_asset=total.asset_code,
            job_scale=total.asset_scale,
            seller=seller.slug,
            wallet_asset=seller.wallet.asset_code,
            wallet_scale=seller.wallet.asset_scale,
        )
    _check_return_url(return_url)
    # The job's row is locked: two payers cannot both find it free.
    if Funding.objects.filter(job=job, status__in=sorted(COUNTING)).exists():
        raise AlreadyFunded(
            _("This job is funded already, or waits for its payer's approval: see job.fundings."),
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
    # The row is locked, so this needs no version: nobody's form was about it.
    Job.objects.filter(id=job.id).update(money_moving=True)
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
    job = lock_job(user=payer, job_id=job_id)
    require(RULES, JobAction.FUND, facts_of_job(user=payer, job=job, now=now))
    return job


def _funding(funding_id: UUID) -> Funding:
    return Funding.objects.select_related("job", "seller").get(id=funding_id)


def _check_total(actual: Amount, expected: Amount | None) -> None:
    if expected is not None and expected != actual:
        raise AmountChanged(expected=expected, actual=actual)


def _check_return_url(return_url: str) -> None:
    if not is_allowed_return_url(return_url):
        raise ReturnUrlRefused(
            _("returnUrl must start with an origin that the operator listed in RETURN_URLS."),
            path=("returnUrl",),
        )


def _seller(mode: FundingMode | None, slug: str | None) -> Seller:
    if mode is None and slug is None and not settings.SELLER_WALLET_ADDRESS_URL:
        raise ModeUnavailable(
            _("No default seller is configured; name one in sellerId."), path=("sellerId",)
        )
    found = (
        Seller.objects.select_related("wallet")
        .filter(slug=slug or settings.SELLER_ID, active=True)
        .first()
    )
    if found is None:
        raise SellerNotFound(
            _("There is no seller {seller}."), path=("sellerId",), seller=slug or settings.SELLER_ID
        )
    return found
