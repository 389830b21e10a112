"""What a payer can take back, and how a payment that failed is tried again."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from backend import rate_limits
from backend.accounts.idempotency import claim
from backend.accounts.models import User, WalletAddress
from backend.accounts.wallets import own_wallet
from backend.errors import (
    AssetMismatch,
    ErrorCode,
    Forbidden,
    NotFound,
    ValidationFailed,
)
from backend.funding import paying, settling
from backend.funding.allocating import (
    BEFORE_WORK,
    promisable_value,
    return_allocations,
    unpaid_fee,
)
from backend.funding.errors import NothingToRetry
from backend.funding.fees import Terms
from backend.funding.lifecycle import RULES, FundingAction, FundingFacts, funding_facts
from backend.funding.models import Allocation, Funding, Payable
from backend.funding.queries import fundings_visible_to, in_doubt
from backend.funding.securing import Ask, ask_to_hold, check_assets
from backend.funding.status import (
    ALLOCATED,
    FundingMode,
    FundingStatus,
    PayableStatus,
)
from backend.jobs.lifecycle.rules import require
from backend.jobs.models import Application, Job
from backend.open_payments.types import Amount
from backend.payments.links import check_return_url
from backend.payments.models import HeldGrant, Payment
from backend.payments.queries import payments_visible_to
from backend.payments.resolving import is_impartial, require_an_impartial_operator
from backend.payments.services import cancel_payment, close_held_grant
from backend.payments.status import PaymentStatus

# Somebody who is promised pay, and how much of it is neither paid nor taken back.
Promise = tuple[Application, int]


def cancel_funding(
    *, user: User, funding_id: UUID, idempotency_key: UUID, now: datetime
) -> Funding:
    """Call a funding off: while its payer decides, or while nobody works for it yet.

    What the treasury holds goes back to the payer's wallet. Safe to repeat with the same
    `idempotency_key`.

    Raises:
        NotFound, Forbidden: there is no such funding for `user`, or somebody else pays it.
        InvalidTransition: the money has been sent already, or workers rely on it.
        BeingLookedAt: the wallets are being asked whether it was paid already.
        IdempotencyConflict: the key was used with other input.
    """
    with transaction.atomic():
        funding = _lock_own(user, funding_id)
        if _done_before(user, "cancelFunding", idempotency_key, funding_id, now=now):
            return funding
        _require(FundingAction.CANCEL, user, funding)
        if funding.status == FundingStatus.AWAITING_APPROVAL:
            return _called_off(user, funding, now=now)
        settling.close_funding(funding, at=now)
    return funding


def _called_off(user: User, funding: Funding, *, now: datetime) -> Funding:
    if funding.mode == FundingMode.PREAPPROVED:
        settling.close_grants(funding, at=now)
        return_allocations(funding, at=now)
        funding.move_to(FundingStatus.CANCELED, at=now)
        Job.objects.filter(id=funding.job_id).update(money_moving=False)
        return funding
    payment = Payment.objects.filter(reference=funding.id).latest("created_at")
    # Its end moves the funding, as every end of a payment does. Whoever works on it may have been
    # quicker, since the rules were asked.
    if not cancel_payment(payment=payment, now=now):
        _require(FundingAction.CANCEL, user, funding)
        raise RULES[FundingAction.CANCEL].wrong_status(_facts(user, funding))
    return _with_what_is_needed(funding.id)


def refund_funding(
    *,
    user: User,
    funding_id: UUID,
    amount: Amount | None,
    idempotency_key: UUID,
    now: datetime,
) -> Funding:
    """Send back what the treasury holds and nobody is promised: `amount`, or all of that.

    Safe to repeat with the same `idempotency_key`.

    Raises:
        NotFound, Forbidden: there is no such funding for `user`, or somebody else pays it.
        NotRefundable: nothing is held, or all of it is promised to workers.
        ValidationFailed, AssetMismatch: the amount is more than that, or in another asset.
        IdempotencyConflict: the key was used with other input.
    """
    with transaction.atomic():
        funding = _lock_own(user, funding_id)
        inputs = {"amount": amount and amount.to_json()}
        if _done_before(user, "refundFunding", idempotency_key, funding_id, now=now, **inputs):
            return funding
        free = _require(FundingAction.REFUND, user, funding).free
        if amount is not None and not amount.same_asset(funding.total):
            raise AssetMismatch(
                _("The job pays {asset} with scale {scale}."),
                path=("amount",),
                asset=funding.asset_code,
                scale=funding.asset_scale,
            )
        if amount is not None and not 0 < amount.value <= free:
            raise ValidationFailed(
                _("Between 1 and {most} can go back."), path=("amount", "value"), most=free
            )
        rate_limits.hit("money", str(user.id))
        settling.owe_back(funding, value=amount.value if amount else free, at=now)
    return funding


def renew_grant(
    *,
    user: User,
    funding_id: UUID,
    payer_wallet_id: UUID | None = None,
    return_url: str,
    idempotency_key: UUID,
    now: datetime,
) -> Funding:
    """Ask the payer again for the consent behind a funding: it lapsed, or does not suffice.

    The new consent covers what is still promised or owed, and before the work begins what is
    promised to nobody yet; for a year at most. Once it is there, it takes the old one's place, and
    payments that wait for it begin. `payer_wallet_id` is another wallet of the payer that is to pay
    from then on; None keeps the one there is. Safe to repeat with the same `idempotency_key`.

    Raises:
        NotFound, Forbidden: there is no such funding for `user`, or somebody else pays it.
        InvalidTransition: nothing of it needs a consent, or the payer is being asked already.
        AssetMismatch: it is promised to nobody, and the payer's wallet has another asset; or the
            wallet that is named cannot pay what is promised.
        WalletHostSuspended: an operator has suspended the provider of the payer's wallet.
        ReturnUrlRefused, IdempotencyConflict: as they say.
    """
    check_return_url(return_url)
    with transaction.atomic():
        funding = _lock_own(user, funding_id)
        inputs: dict[str, object] = {"return": return_url}
        if payer_wallet_id is not None:
            inputs["wallet"] = payer_wallet_id
        if _done_before(user, "renewGrant", idempotency_key, funding_id, now=now, **inputs):
            return funding
        _require(FundingAction.RENEW, user, funding)
        wallet = _wallet_to_renew_with(user, funding, payer_wallet_id)
        rate_limits.hit("money", str(user.id))
        promised = Allocation.objects.filter(funding=funding, status__in=sorted(ALLOCATED))
        workers = [
            (each.application, each.kept_value - each.released_value)
            for each in promised.select_related("application__payout_wallet")
            if each.kept_value > each.released_value
        ]
        fee_value = unpaid_fee(funding)
        only_the_fee = fee_value > 0 and not workers
        if workers and funding.job.status in BEFORE_WORK and promisable_value(funding) > 0:
            workers = _with_the_rest(funding, wallet, workers, at=now)
        ask = Ask(
            job=funding.job,
            payer=user,
            wallet=wallet,
            total=funding.job.amount(fee_value) if only_the_fee else funding.remaining,
            fee_value=fee_value,
            terms=Terms(funding.fee_bps, funding.fee_wallet),
            seller=None,
            workers=workers,
            return_url=return_url,
            now=now,
        )
        check_assets(ask, FundingMode.PREAPPROVED)
        ask_to_hold(ask, funding)
        funding.announce(at=now, previous=FundingStatus(funding.status), actor=user)
    return funding


def _wallet_to_renew_with(user: User, funding: Funding, wallet_id: UUID | None) -> WalletAddress:
    if wallet_id is None:
        assert funding.payer_wallet is not None
        return funding.payer_wallet
    return own_wallet(user=user, wallet_id=wallet_id, path="payerWalletId", to_do="")


def _with_the_rest(
    funding: Funding, wallet: WalletAddress, workers: list[Promise], *, at: datetime
) -> list[Promise]:
    """Whom to ask for where some of a funding is promised to nobody yet, and can still be.

    For whoever comes. In another asset nobody can say what that takes: then the rest is let go, so
    that no more is promised than the new consent covers.
    """
    if wallet.asset == (funding.asset_code, funding.asset_scale):
        return []
    settling.let_go_of_what_is_free(funding, at=at)
    return workers


def close_older_grants(newest: HeldGrant, *, now: datetime) -> None:
    """A newer consent is there: let the older ones end."""
    older = HeldGrant.objects.filter(reference=newest.reference, id__lt=newest.id)
    for held_grant in older.order_by("id"):
        close_held_grant(held_grant=held_grant, now=now)


def retry_payment(*, user: User, payment_id: UUID, idempotency_key: UUID, now: datetime) -> Payment:
    """Try again, now, what a failed payment was for. Its payer and operators can.

    Only operators where the treasury has sent what a wallet does not show, and none whom it is
    from or to. What failed because of its rate they have paid at that rate. Safe to repeat with the
    same `idempotency_key`: the same payment is returned.

    Raises:
        NotFound, Forbidden: there is no such payment for `user`, or they may not decide about it.
        NothingToRetry: it did not fail, is being tried, is paid, or waits for a consent.
        IdempotencyConflict: the key was used with other input.
    """
    with transaction.atomic():
        payment = payments_visible_to(user).filter(id=payment_id).first()
        if payment is None:
            raise NotFound(_("There is no such payment."), path=("paymentId",))
        if payment.payer_id != user.pk and not user.is_staff:
            raise Forbidden(
                _("Only the payer of this payment or an operator can do this."),
                path=("paymentId",),
            )
        payable = Payable.objects.filter(id=payment.reference).select_related("funding").first()
        if payable is None:
            raise _nothing_to_retry()
        Job.objects.select_for_update().get(id=payable.funding.job_id)
        payable = Payable.objects.select_related(
            "funding__job", "funding__payer", "funding__seller__wallet", "receiver"
        ).get(id=payable.id)
        _require_somebody_who_may_decide(user, payment, payable)
        done = claim(
            caller=user,
            operation="retryPayment",
            key=idempotency_key,
            inputs={"payment": payment_id},
            result_id=payable.id,
            now=now,
        )
        if done is not None:
            return Payment.objects.filter(reference=payable.id).latest("created_at")
        if payment.status != PaymentStatus.FAILED or payable.status not in {
            PayableStatus.OWED,
            PayableStatus.STUCK,
        }:
            raise _nothing_to_retry()
        rate_limits.hit("money", str(user.id))
        payable.failures = 0
        payable.save(update_fields=["failures"])
        begun = paying.start(payable, at=now, at_the_rate_of=_accepted(user, payment))
        if begun is None:
            raise _nothing_to_retry()
    return begun


def _require_somebody_who_may_decide(user: User, payment: Payment, payable: Payable) -> None:
    """Refuse a payer where the treasury has sent what a wallet does not show, or only in part.

    That wallet may be run by the worker, or for a refund by the payer: their word would be enough
    to be paid twice with the money of others. A payer's own money is theirs to risk.
    """
    doubtful = in_doubt(Payable.objects.filter(id=payable.id))
    if payable.funding.mode != FundingMode.ESCROW or not doubtful.exists():
        return
    if not user.is_staff:
        raise Forbidden(
            _(
                "The treasury has paid this, and a wallet does not show all of it. Only operators "
                "can have it paid again, after they have looked at both wallets."
            ),
            path=("paymentId",),
        )
    require_an_impartial_operator(user, payment)


def _accepted(user: User, payment: Payment) -> Payment | None:
    """The payment whose rate `user` accepts by naming it; None: nobody has to, or they may not.

    Not the last one's: the payer, who may run the wallet that names the rate, can make another.
    """
    failed_so = payment.failure_code == ErrorCode.RATE_TOO_LOW
    return payment if failed_so and user.is_staff and is_impartial(user, payment) else None


def _nothing_to_retry() -> NothingToRetry:
    return NothingToRetry(
        _(
            "There is nothing to try again: this payment did not fail, what it was for is paid "
            "or being paid, or it waits for the payer's consent."
        ),
        path=("paymentId",),
    )


def _lock_own(user: User, funding_id: UUID) -> Funding:
    """A funding that `user` pays, with its job locked: one order of locks for everybody."""
    known = fundings_visible_to(user).filter(id=funding_id).first()
    if known is None:
        raise NotFound(_("There is no such funding."), path=("fundingId",))
    if known.payer_id != user.pk:
        raise Forbidden(_("Only the payer of this funding can do this."), path=("fundingId",))
    Job.objects.select_for_update().get(id=known.job_id)
    return _with_what_is_needed(funding_id)


def _with_what_is_needed(funding_id: UUID) -> Funding:
    return Funding.objects.select_related(*settling.NEEDED).get(id=funding_id)


def _done_before(
    user: User, operation: str, key: UUID, funding_id: UUID, *, now: datetime, **inputs: object
) -> bool:
    answer = claim(
        caller=user,
        operation=operation,
        key=key,
        inputs={"funding": funding_id, **inputs},
        result_id=funding_id,
        now=now,
    )
    return answer is not None


def _require(action: FundingAction, user: User, funding: Funding) -> FundingFacts:
    facts = _facts(user, funding)
    require(RULES, action, facts)
    return facts


def _facts(user: User, funding: Funding) -> FundingFacts:
    return funding_facts(user=user, fundings=[funding])[funding.id]
