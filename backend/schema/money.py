"""What money would cost, and what it has come to: previews, balances and their export."""

from datetime import datetime
from fractions import Fraction
from typing import Annotated, Self

import strawberry

from backend.funding import previewing
from backend.funding.status import FundingMode
from backend.ledger import queries as ledger
from backend.schema.accounts import User
from backend.schema.amounts import Amount
from backend.schema.context import Info
from backend.schema.nodes import decode_id
from backend.schema.permissions import WITH_PARENT, rule

RATE_DIGITS = 6


@rule(WITH_PARENT)
@strawberry.type(description="What one payee would get, and what that takes, by a real quote.")
class FundingPreviewLine:
    payee: User | None = strawberry.field(
        description="The worker; null for a seller, and for the platform."
    )
    is_platform_fee: bool = strawberry.field(
        description="Whether it is the platform's fee, which is paid last, from the same consent."
    )
    receive_amount: Amount = strawberry.field(description="What would arrive.")
    debit_amount: Amount = strawberry.field(
        description="What that takes from the payer's wallet, fees included."
    )
    cost: Amount | None = strawberry.field(
        description="What wallets keep; null between two currencies, where it is in the rate."
    )
    implied_rate: str | None = strawberry.field(
        description=(
            "How much of the receiver's whole unit one whole unit of the payer's makes, fees "
            "included: 17.05. Null in one currency."
        )
    )

    @classmethod
    def of(cls, line: previewing.PreviewLine) -> Self:
        return cls(
            payee=User.from_model(line.payee) if line.payee else None,
            is_platform_fee=line.is_fee,
            receive_amount=Amount.of(line.receive),
            debit_amount=Amount.of(line.debit),
            cost=Amount.of_maybe(line.cost),
            implied_rate=_decimal(line.implied_rate),
        )


def _decimal(rate: Fraction | None) -> str | None:
    return None if rate is None else f"{float(rate):.{RATE_DIGITS}g}"


@rule(WITH_PARENT)
@strawberry.type(description="What securing the pay of a job would cost now. Nothing is promised.")
class FundingPreview:
    lines: list[FundingPreviewLine] = strawberry.field(
        description=(
            "One for each selected worker whose pay is not secured, and one for the platform's "
            "fee where there is one; or one in all."
        )
    )
    total: Amount = strawberry.field(
        description=(
            "In the job's asset, the platform's fee included: what to pass as expectedTotal, "
            "unless some is secured."
        )
    )
    platform_fee: Amount = strawberry.field(
        description="The platform's part of the total, at the rate of today; 0 in mode DIRECT."
    )
    debit: Amount = strawberry.field(description="What it would take, in the payer's asset.")
    max_debit: Amount = strawberry.field(
        description="What the payer would be asked to consent to: more where a rate may move."
    )
    quote_expires_at: datetime | None = strawberry.field(
        description="Until when the first of these prices stands; null where a wallet says nothing."
    )


@strawberry.input(description="What to ask the wallets about.")
class PreviewFundingInput:
    job_id: strawberry.ID = strawberry.field(description="One's own.")
    mode: FundingMode = strawberry.field(
        default=FundingMode.PREAPPROVED, description="Who is to hold the money."
    )
    payer_wallet_id: strawberry.ID | None = strawberry.field(
        default=None, description="One of one's own to pay from. Left out: the default one."
    )
    seller_id: str | None = strawberry.field(
        default=None, description="In mode DIRECT, a seller's slug. Left out: the default seller."
    )


@rule(WITH_PARENT)
@strawberry.type(description="What one currency has come to for somebody, from the books only.")
class Money:
    earned: Amount = strawberry.field(description="What has arrived for one's work.")
    spent: Amount = strawberry.field(
        description="What has left one's wallets, fees included, less what came back."
    )
    promised_to_me: Amount = strawberry.field(
        description="What is secured for one's work and not paid yet."
    )
    promised_by_me: Amount = strawberry.field(
        description="What one has secured for others and not paid yet."
    )
    held: Amount = strawberry.field(description="What the platform holds of one's money.")

    @classmethod
    def of(cls, row: ledger.Money) -> Self:
        def amount(value: int) -> Amount:
            return Amount.from_parts(max(0, value), row.asset_code, row.asset_scale)

        return cls(
            earned=amount(row.earned),
            spent=amount(row.spent),
            promised_to_me=amount(row.promised_to_me),
            promised_by_me=amount(row.promised_by_me),
            held=amount(row.held),
        )


@strawberry.type
class MoneyQuery:
    @strawberry.field(
        description=(
            "What securing a job's pay would cost now: real quotes of the wallets, which leave "
            "nothing behind that could be spent. Only for the job's owner."
        )
    )
    async def preview_funding(
        self,
        info: Info,
        input: Annotated[
            PreviewFundingInput, strawberry.argument(description="Which job, and how.")
        ],
    ) -> FundingPreview:
        user = await info.context.require_user()
        wallet = input.payer_wallet_id
        found = await info.context.at_wallets(
            user,
            previewing.preview_funding,
            user=user,
            job_id=decode_id(input.job_id, type_name="Job", path=("jobId",)),
            mode=input.mode,
            seller=input.seller_id,
            payer_wallet_id=None
            if wallet is None
            else decode_id(wallet, type_name="Wallet", path=("payerWalletId",)),
            now=info.context.now(),
        )
        return FundingPreview(
            lines=[FundingPreviewLine.of(line) for line in found.lines],
            total=Amount.of(found.total),
            platform_fee=Amount.of(found.fee),
            debit=Amount.of(found.debit),
            max_debit=Amount.of(found.max_debit),
            quote_expires_at=found.quotes_expire_at,
        )

    @strawberry.field(
        description=(
            "What the viewer has earned, spent, promised and held, one line a currency; empty to a "
            "visitor."
        )
    )
    async def my_money(self, info: Info) -> list[Money]:
        viewer = await info.context.viewer()
        if viewer is None:
            return []
        return [Money.of(row) for row in await info.context.db(ledger.my_money, viewer)]
