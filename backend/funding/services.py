"""Putting money behind a job: `fundJob` for its whole budget, `preFundJob` for those selected."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Case, When
from django.utils.translation import gettext_lazy as _

from backend import rate_limits
from backend.accounts.idempotency import claim
from backend.accounts.models import User, WalletAddress
from backend.accounts.suspending import refuse_suspended
from backend.accounts.wallets import own_wallet
from backend.funding.allocating import allocate_what_is_there, uncovered
from backend.funding.errors import (
    AlreadyFunded,
    AmountChanged,
    DeadlineTooFar,
    ModeUnavailable,
    SellerNotFound,
)
from backend.funding.fees import NO_FEE, fee_on, terms_of, with_fee
from backend.funding.models import Funding, Seller
from backend.funding.securing import (
    LONGEST_WINDOW,
    Ask,
    all_is_decided_by,
    begin_covered_work,
    check_assets,
    ends_too_soon,
    open_funding,
)
from backend.funding.status import COUNTING, LIVE, FundingMode, FundingStatus
from backend.funding.treasury import treasury
from backend.ids import new_id
from backend.jobs.changes import lock_job
from backend.jobs.facts import facts_of_job
from backend.jobs.lifecycle.job import RULES, JobAction
from backend.jobs.lifecycle.rules import require
from backend.jobs.models import Job
from backend.jobs.recruiting import close_recruiting_to_fund
from backend.jobs.work import begin_work
from backend.open_payments.types import Amount
from backend.payments.links import check_return_url
from backend.payments.models import Payment


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
    """Put the job's whole budget behind it: paid to a seller, held by us, or by a consent.

    Writes the intent and returns at once, before any network call; the payer's redirect URL
    follows on `fundingStatus` and, where there is a payment, on `paymentStatus`. `mode` None is
    DIRECT where a seller is named or configured, else PREAPPROVED; `seller` None is the default
    seller, `payer_wallet_id` None the payer's default wallet. `expected_total` None skips the
    check.

    Safe to repeat with the same `idempotency_key`: the same funding is returned. Refused input
    does not use up the key.

    Raises:
        NotFound, Forbidden, WrongStatus: the job is not there, not theirs, or not fundable now.
        ModeUnavailable, SellerNotFound, WalletRequired, ReturnUrlRefused: as they say.
        AmountChanged: the budget and the platform's fee are not `expected_total`.
        AmountOutOfRange: they are more than anybody can count.
        AssetMismatch: whoever is to hold the money has another asset than the job.
        DeadlineTooFar: no consent reaches until all of the job can be decided.
        WalletHostSuspended: an operator has suspended the provider of a wallet.
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
                mode=_mode(mode, seller),
                seller_slug=seller,
                wallet=_payer_wallet(payer, payer_wallet_id),
                expected_total=expected_total,
                return_url=return_url,
                now=now,
            )
    return Funded(_funding(done_before), payment=None)


def pre_fund_job(
    *,
    payer: User,
    job_id: UUID,
    mode: FundingMode | None = None,
    payer_wallet_id: UUID | None = None,
    expected_total: Amount | None,
    return_url: str,
    idempotency_key: UUID,
    now: datetime,
) -> Funded:
    """Put reward × selected workers behind the selected applications, and let the work begin.

    The platform's fee comes on top of what the payer is asked for.

    Money that is behind the job already is used first; consent is asked for the shortfall only,
    by `mode` (None is PREAPPROVED), and the job moves to SUBMITTING when that is there. Where
    nothing is missing it moves at once. Recruiting is closed in any case. `expected_total` None
    skips the check.

    Safe to repeat with the same `idempotency_key`: the same funding is returned. Refused input
    does not use up the key.

    Raises:
        NotFound, Forbidden, WrongStatus: the job is not there, not theirs, or not selecting.
        NoSelectedWorkers: nobody is selected.
        AmountChanged: reward × selected and the fee of today are not `expected_total`.
        AmountOutOfRange: they are more than anybody can count.
        AlreadyFunded: the payer is being asked for this job already.
        ModeUnavailable, WalletRequired, ReturnUrlRefused, RateLimited: as they say.
        AssetMismatch: a wallet's asset makes the promise impossible.
        DeadlineTooFar: no consent reaches until all of the job can be decided, or the one that is
            there ends before that: it has to be renewed first.
        WalletHostSuspended: an operator has suspended the provider of a wallet.
        IdempotencyConflict: the key was used with other input.
    """
    new_funding_id = new_id()
    with transaction.atomic():
        job = lock_job(user=payer, job_id=job_id)
        done_before = claim(
            caller=payer,
            operation="preFundJob",
            key=idempotency_key,
            inputs={
                "job": job_id,
                "mode": mode,
                "wallet": payer_wallet_id,
                "expected": expected_total and expected_total.to_json(),
                "return": return_url,
            },
            result_id=new_funding_id,
            now=now,
        )
        if done_before is not None:
            return Funded(_funding_or_newest(done_before, job), payment=None)
        facts = facts_of_job(user=payer, job=job, now=now)
        require(RULES, JobAction.PRE_FUND, facts)
        mode = mode or FundingMode.PREAPPROVED
        paid = _seller_is_paid(job)
        terms = NO_FEE if paid else terms_of(job, mode)
        _check_total(with_fee(job, job.reward_value * facts.selected, terms), expected_total)
        check_return_url(return_url)
        if paid:
            begin_work(job=job, at=now, actor=payer)
            return Funded(_funding_or_newest(None, job), payment=None)
        _refuse_while_asking(job)
        refuse_suspended(each.payout_wallet for each, _value in uncovered(job))
        allocate_what_is_there(job, at=now)
        # Before anybody is asked for the rest: that money could not let the work begin either.
        _refuse_short_consents(job, now)
        missing = uncovered(job)
        if not missing:
            begin_covered_work(job, at=now, actor=payer)
            return Funded(_funding_or_newest(None, job), payment=None)
        rate_limits.hit("money", str(payer.id))
        value = sum(value for _application, value in missing)
        ask = Ask(
            job=job,
            payer=payer,
            wallet=_payer_wallet(payer, payer_wallet_id),
            total=with_fee(job, value, terms),
            fee_value=fee_on(value, terms.bps),
            terms=terms,
            seller=holder_of(mode),
            workers=missing,
            return_url=return_url,
            now=now,
        )
        close_recruiting_to_fund(job=job, at=now, actor=payer)
        return Funded(*open_funding(ask, funding_id=new_funding_id, mode=mode))


def holder_of(mode: FundingMode) -> Seller | None:
    """Who is to hold the pay of workers; None: their payer.

    Raises:
        ModeUnavailable: nobody can, or not by this mode.
    """
    if mode is FundingMode.DIRECT:
        raise ModeUnavailable(
            _("preFundJob secures the pay of workers: by ESCROW or PREAPPROVED."), path=("mode",)
        )
    return treasury() if mode is FundingMode.ESCROW else None


def _seller_is_paid(job: Job) -> bool:
    paid = Funding.objects.filter(job=job, mode=FundingMode.DIRECT)
    return paid.filter(status=FundingStatus.SETTLED).exists()


def _refuse_short_consents(job: Job, now: datetime) -> None:
    ends_at = ends_too_soon(job, at=now)
    if ends_at is None:
        return
    if all_is_decided_by(job, begins_at=now) <= now + LONGEST_WINDOW:
        why = _(
            "The payer's consent ends at {ends_at:%Y-%m-%d %H:%M} UTC, before work that begins now "
            "could be handed in and decided. Renew it first, with renewGrant."
        )
    else:
        why = _(
            "The payer's consent ends at {ends_at:%Y-%m-%d %H:%M} UTC, and none can last until "
            "work that begins now is handed in and decided. Call it off, with cancelFunding, and "
            "use ESCROW."
        )
    raise DeadlineTooFar(why, path=("jobId",), ends_at=ends_at)


def _refuse_while_asking(job: Job) -> None:
    if Funding.objects.filter(job=job, status=FundingStatus.AWAITING_APPROVAL).exists():
        raise AlreadyFunded(
            _("This job waits for its payer's approval already: see job.fundings."),
            path=("jobId",),
        )


def _fund(
    *,
    funding_id: UUID,
    payer: User,
    job: Job,
    mode: FundingMode,
    seller_slug: str | None,
    wallet: WalletAddress,
    expected_total: Amount | None,
    return_url: str,
    now: datetime,
) -> Funded:
    terms = terms_of(job, mode)
    total = with_fee(job, job.total_budget.value, terms)
    seller = seller_named(seller_slug) if mode is FundingMode.DIRECT else holder_of(mode)
    _check_total(total, expected_total)
    ask = Ask(
        job=job,
        payer=payer,
        wallet=wallet,
        total=total,
        fee_value=fee_on(job.total_budget.value, terms.bps),
        terms=terms,
        seller=seller,
        return_url=return_url,
        now=now,
    )
    check_assets(ask, mode)
    check_return_url(return_url)
    # The job's row is locked: two payers cannot both find it free.
    if Funding.objects.filter(job=job, status__in=sorted(COUNTING)).exists():
        raise AlreadyFunded(
            _("This job is funded already, or waits for its payer's approval: see job.fundings."),
            path=("jobId",),
        )
    return Funded(*open_funding(ask, funding_id=funding_id, mode=mode))


def _lock_job(payer: User, job_id: UUID, now: datetime) -> Job:
    job = lock_job(user=payer, job_id=job_id)
    require(RULES, JobAction.FUND, facts_of_job(user=payer, job=job, now=now))
    return job


def _funding(funding_id: UUID) -> Funding:
    return Funding.objects.select_related("job", "seller").get(id=funding_id)


def _funding_or_newest(funding_id: UUID | None, job: Job) -> Funding:
    """The funding made with a key, or the one that made another unnecessary."""
    fundings = Funding.objects.select_related("job", "seller").filter(job=job)
    made = fundings.filter(id=funding_id).first() if funding_id else None
    if made is not None:
        return made
    stands = Case(When(status__in=sorted(LIVE | {FundingStatus.SETTLED}), then=1), default=0)
    # Where the same key comes again much later, what stood behind the job may be over.
    return fundings.order_by(stands.desc(), "-created_at")[0]


def _check_total(actual: Amount, expected: Amount | None) -> None:
    if expected is not None and expected != actual:
        raise AmountChanged(expected=expected, actual=actual)


def _payer_wallet(payer: User, wallet_id: UUID | None) -> WalletAddress:
    return own_wallet(
        user=payer,
        wallet_id=wallet_id,
        path="payerWalletId",
        to_do=_("Add the wallet address you pay from, with addWallet."),
    )


def _mode(mode: FundingMode | None, slug: str | None) -> FundingMode:
    if mode is not None:
        return mode
    direct = slug is not None or bool(settings.SELLER_WALLET_ADDRESS_URL)
    return FundingMode.DIRECT if direct else FundingMode.PREAPPROVED


def seller_named(slug: str | None) -> Seller:
    """The active seller of this slug; None is the default one.

    Raises:
        SellerNotFound: there is none.
    """
    found = (
        Seller.objects.select_related("wallet")
        .filter(
            slug=slug or settings.SELLER_ID, active=True, is_treasury=False, is_fee_wallet=False
        )
        .first()
    )
    if found is None:
        raise SellerNotFound(
            _("There is no seller {seller}."), path=("sellerId",), seller=slug or settings.SELLER_ID
        )
    return found
