"""Putting money behind a job, taking it back, and asking for it again."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import strawberry

from backend.accounts.models import User
from backend.funding import models, returning, services, treasury
from backend.funding.errors import AmountChanged
from backend.funding.status import FundingMode
from backend.schema.amounts import Amount, AmountInput
from backend.schema.context import Info
from backend.schema.errors import Payload, UserError, common, converts, mutation
from backend.schema.funding import Funding, payments_of_fundings
from backend.schema.nodes import decode_id
from backend.schema.payments import Payment
from backend.schema.permissions import WITH_PARENT, rule
from backend.schema.scalars import URL


@rule(WITH_PARENT)
@strawberry.type(description="The total is not what the caller expected. Ask the user again.")
class AmountChangedError(UserError):
    expected: Amount = strawberry.field(description="The sum in the input.")
    actual: Amount = strawberry.field(description="The sum it would be now.")


@converts(AmountChanged)
def _amount_changed(error: AmountChanged) -> UserError:
    return AmountChangedError(
        **common(error), expected=Amount.of(error.expected), actual=Amount.of(error.actual)
    )


@strawberry.input(description="Put a job's whole budget behind it. The server knows the amount.")
class FundJobInput:
    job_id: strawberry.ID = strawberry.field(description="One's own, RECRUITING or SELECTING.")
    return_url: URL = strawberry.field(
        description="Where the payer's browser goes after the wallet; its origin must be listed."
    )
    idempotency_key: UUID = strawberry.field(
        description="A fresh one per decision. Repeating it gives the same funding."
    )
    mode: FundingMode | None = strawberry.field(
        default=None,
        description=(
            "Who is to hold the money. Left out: DIRECT where a seller is named or configured, "
            "else PREAPPROVED."
        ),
    )
    seller_id: str | None = strawberry.field(
        default=None, description="In mode DIRECT, a seller's slug. Left out: the default seller."
    )
    payer_wallet_id: strawberry.ID | None = strawberry.field(
        default=None, description="One of one's own to pay from. Left out: the default one."
    )
    expected_total: AmountInput | None = strawberry.field(
        default=None,
        description=(
            "Refuse when the total differs from what the user was shown: totalBudget, and "
            "platformFee unless the mode is DIRECT."
        ),
    )


@strawberry.input(description="Secure the pay of the selected workers. The server knows the sum.")
class PreFundJobInput:
    job_id: strawberry.ID = strawberry.field(description="The job whose work is to begin.")
    return_url: URL = strawberry.field(
        description=(
            "Where the payer's browser goes after the wallet, if consent is needed; its origin "
            "must be listed."
        )
    )
    idempotency_key: UUID = strawberry.field(
        description="A fresh one per decision. Repeating it gives the same funding."
    )
    mode: FundingMode = strawberry.field(
        default=FundingMode.PREAPPROVED,
        description="Who is to hold what is not secured yet: PREAPPROVED or ESCROW.",
    )
    payer_wallet_id: strawberry.ID | None = strawberry.field(
        default=None, description="One of one's own to pay from. Left out: the default one."
    )
    expected_total: AmountInput | None = strawberry.field(
        default=None,
        description=(
            "Refuse when reward × selected, and the platform's fee on it at the rate of today, "
            "differ from what the user was shown."
        ),
    )


@strawberry.input(description="A funding to call off.")
class CancelFundingInput:
    funding_id: strawberry.ID = strawberry.field(description="One that one pays.")
    idempotency_key: UUID = strawberry.field(description="A fresh one per decision.")


@strawberry.input(description="What to take back of a funding that is held.")
class RefundFundingInput:
    funding_id: strawberry.ID = strawberry.field(description="One that one pays, in mode ESCROW.")
    idempotency_key: UUID = strawberry.field(description="A fresh one per decision.")
    amount: AmountInput | None = strawberry.field(
        default=None, description="In the job's asset. Left out: all that is promised to nobody."
    )


@strawberry.input(description="Ask for the consent behind a funding again.")
class RenewGrantInput:
    funding_id: strawberry.ID = strawberry.field(
        description="One that one pays, in mode PREAPPROVED."
    )
    payer_wallet_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Another of one's wallets, to pay from then on; null: the one there is.",
    )
    return_url: URL = strawberry.field(
        description="Where the payer's browser goes after the wallet; its origin must be listed."
    )
    idempotency_key: UUID = strawberry.field(description="A fresh one per decision.")


@strawberry.input(description="A payment to try again.")
class RetryPaymentInput:
    payment_id: strawberry.ID = strawberry.field(
        description="One that failed: to a worker, back to its payer, or of the platform's fee."
    )
    idempotency_key: UUID = strawberry.field(description="A fresh one per decision.")


@strawberry.input(description="The consent to pay out of the treasury.")
class AuthorizeTreasuryInput:
    limit: AmountInput = strawberry.field(
        description="The most in 30 days: pay, refunds and the platform's fee, with wallets' costs."
    )
    return_url: URL = strawberry.field(
        description="Where the browser goes after the treasury's wallet; its origin must be listed."
    )
    idempotency_key: UUID = strawberry.field(description="A fresh one per decision.")


@rule(WITH_PARENT)
@strawberry.type(description="What became of a decision about money.")
class FundingPayload(Payload):
    funding: Funding | None = strawberry.field(
        default=None,
        description=(
            "Follow fundingStatus for the redirectUrl and the progress. Null when there are errors."
        ),
    )


@rule(WITH_PARENT)
@strawberry.type(description="What became of trying a payment again.")
class PaymentPayload(Payload):
    payment: Payment | None = strawberry.field(
        default=None, description="The new payment; null when there are errors."
    )


@rule(WITH_PARENT)
@strawberry.type(description="What became of asking for the treasury's consent.")
class TreasuryPayload(Payload):
    asked: bool = strawberry.field(
        default=False, description="Whether it is being asked for; false when there are errors."
    )


@strawberry.type
class FundingMutation:
    @mutation(
        description=(
            "Put the job's whole budget behind it. Answers at once; the redirectUrl follows within "
            "seconds on fundingStatus and, where there is a payment, on paymentStatus. Safe to "
            "repeat with the same key."
        ),
        moves_money=True,
    )
    async def fund_job(self, info: Info, input: FundJobInput) -> FundingPayload:
        user = await info.context.require_user()
        total = input.expected_total
        funded = await info.context.db(
            services.fund_job,
            payer=user,
            job_id=decode_id(input.job_id, type_name="Job", path=("jobId",)),
            mode=input.mode,
            seller=input.seller_id,
            payer_wallet_id=_wallet_id(input.payer_wallet_id),
            expected_total=None if total is None else total.to_amount(path=("expectedTotal",)),
            return_url=input.return_url,
            idempotency_key=input.idempotency_key,
            now=info.context.now(),
        )
        return _payload(info, user, funded)

    @mutation(
        description=(
            "Secure reward × selected workers and let the work begin. Money that is behind the "
            "job already is used first: where it covers the sum, the job moves to SUBMITTING at "
            "once. Else the payer is asked for the rest, and it moves when that is secured: follow "
            "fundingStatus for the redirectUrl. Safe to repeat with the same key."
        ),
        moves_money=True,
    )
    async def pre_fund_job(self, info: Info, input: PreFundJobInput) -> FundingPayload:
        user = await info.context.require_user()
        total = input.expected_total
        funded = await info.context.db(
            services.pre_fund_job,
            payer=user,
            job_id=decode_id(input.job_id, type_name="Job", path=("jobId",)),
            mode=input.mode,
            payer_wallet_id=_wallet_id(input.payer_wallet_id),
            expected_total=None if total is None else total.to_amount(path=("expectedTotal",)),
            return_url=input.return_url,
            idempotency_key=input.idempotency_key,
            now=info.context.now(),
        )
        return _payload(info, user, funded)

    @mutation(
        description=(
            "Call a funding off: while its payer decides, or before anybody works for it. A "
            "consent is revoked at the wallet, and what is held goes back to where it came from. "
            "Safe to repeat with the same key."
        ),
        moves_money=True,
    )
    async def cancel_funding(self, info: Info, input: CancelFundingInput) -> FundingPayload:
        return await _change(
            info,
            returning.cancel_funding,
            funding_id=_funding_id(input.funding_id),
            idempotency_key=input.idempotency_key,
        )

    @mutation(
        description=(
            "Send back what is held of a funding and promised to no worker, all of it or a part. "
            "Safe to repeat with the same key."
        ),
        moves_money=True,
    )
    async def refund_funding(self, info: Info, input: RefundFundingInput) -> FundingPayload:
        amount = input.amount
        return await _change(
            info,
            returning.refund_funding,
            funding_id=_funding_id(input.funding_id),
            amount=None if amount is None else amount.to_amount(path=("amount",)),
            idempotency_key=input.idempotency_key,
        )

    @mutation(
        description=(
            "Ask for the consent behind a funding again, because it lapsed or does not suffice. It "
            "covers what is still promised or owed; payments that wait for it begin once it is "
            "there. Follow fundingStatus for the redirectUrl. Safe to repeat with the same key."
        ),
        moves_money=True,
    )
    async def renew_grant(self, info: Info, input: RenewGrantInput) -> FundingPayload:
        return await _change(
            info,
            returning.renew_grant,
            funding_id=_funding_id(input.funding_id),
            payer_wallet_id=_wallet_id(input.payer_wallet_id),
            return_url=input.return_url,
            idempotency_key=input.idempotency_key,
        )

    @mutation(
        description=(
            "Try again, now, what a failed payment was for. Its payer and operators can; only "
            "operators where the treasury has sent what a wallet does not show. Safe to repeat "
            "with the same key."
        ),
        moves_money=True,
    )
    async def retry_payment(self, info: Info, input: RetryPaymentInput) -> PaymentPayload:
        user = await info.context.require_user()
        row = await info.context.db(
            returning.retry_payment,
            user=user,
            payment_id=decode_id(input.payment_id, type_name="Payment", path=("paymentId",)),
            idempotency_key=input.idempotency_key,
            now=info.context.now(),
        )
        return PaymentPayload(payment=Payment.from_model(row))

    @mutation(
        description=(
            "Ask whoever holds the treasury's wallet to let the platform pay out of it; another "
            "consent beside the first is a spare. For operators; `treasuryGrants` has the "
            "redirectUrl within seconds. Safe to repeat with the same key."
        ),
        moves_money=True,
    )
    async def authorize_treasury(
        self, info: Info, input: AuthorizeTreasuryInput
    ) -> TreasuryPayload:
        user = await info.context.require_user()
        await info.context.db(
            treasury.authorize_treasury,
            user=user,
            limit=input.limit.to_amount(path=("limit",)),
            return_url=input.return_url,
            idempotency_key=input.idempotency_key,
            now=info.context.now(),
        )
        return TreasuryPayload(asked=True)


async def _change(
    info: Info, change: Callable[..., models.Funding], **arguments: Any
) -> FundingPayload:
    user = await info.context.require_user()
    row = await info.context.db(change, user=user, now=info.context.now(), **arguments)
    return FundingPayload(funding=Funding.from_model(row))


def _funding_id(id: strawberry.ID) -> UUID:
    return decode_id(id, type_name="Funding", path=("fundingId",))


def _wallet_id(id: strawberry.ID | None) -> UUID | None:
    return None if id is None else decode_id(id, type_name="Wallet", path=("payerWalletId",))


def _payload(info: Info, user: User, funded: services.Funded) -> FundingPayload:
    if funded.payment is not None:
        loader = payments_of_fundings(info, user)
        loader.prime(funded.funding.id, [funded.payment])
    return FundingPayload(funding=Funding.from_model(funded.funding))
