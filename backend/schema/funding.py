"""The money behind a job."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from backend.accounts.models import User
from backend.funding import models, queries, services
from backend.funding.errors import AmountChanged
from backend.funding.status import FundingMode, FundingStatus
from backend.payments.models import Payment as PaymentRow
from backend.payments.queries import payments_visible_to
from backend.schema.amounts import Amount, AmountInput
from backend.schema.connections import Connection, nested_page
from backend.schema.context import Info
from backend.schema.enums import describe_values
from backend.schema.errors import Payload, UserError, common, converts, mutation
from backend.schema.nodes import Node, decode_id, load_node
from backend.schema.payments import Payment
from backend.schema.permissions import WITH_PARENT, rule
from backend.schema.scalars import URL

if TYPE_CHECKING:
    from backend.schema.jobs import Job

strawberry.enum(FundingMode, description="Who holds the money between consent and payout.")
describe_values(
    FundingMode,
    DIRECT="Nobody: the payer's wallet pays a registered seller at once.",
)
strawberry.enum(
    FundingStatus, description="Where a funding stands; all but AWAITING_APPROVAL are final."
)
describe_values(
    FundingStatus,
    AWAITING_APPROVAL="Its payment is under way: the consent, or the money, has yet to come.",
    SETTLED="The money has arrived.",
    REJECTED="The payer said no at their wallet.",
    EXPIRED="The payer did not decide in time.",
    FAILED="The payment ended without arriving in full: see its `failure`.",
    CANCELED="Called off before any money moved.",
)


@rule(queries.fundings_visible_to)
@strawberry.type(
    description=(
        "One decision by one payer to put money behind one job. Seen by who pays, the job's owner, "
        "operators and auditors."
    )
)
class Funding(Node):
    job_key: strawberry.Private[UUID]
    mode: FundingMode = strawberry.field(
        description="Who holds the money between consent and payout."
    )
    status: FundingStatus = strawberry.field(
        description="Where it stands; its payment's status is finer."
    )
    seller_id: str | None = strawberry.field(
        description="The slug of who is paid in mode DIRECT; null in others."
    )
    total: Amount = strawberry.field(
        description="The sum that was decided on: released + refunded + remaining."
    )
    released: Amount = strawberry.field(description="What has been paid out.")
    refunded: Amount = strawberry.field(description="What has gone back.")
    remaining: Amount = strawberry.field(description="What is neither paid out nor back yet.")
    created_at: datetime = strawberry.field(description="When it was asked for.")
    updated_at: datetime = strawberry.field(description="When its status last changed.")

    @classmethod
    def from_model(cls, row: models.Funding) -> Self:
        return cls(
            key=row.id,
            job_key=row.job_id,
            mode=FundingMode(row.mode),
            status=FundingStatus(row.status),
            seller_id=row.seller.slug if row.seller else None,
            total=Amount.of(row.total),
            released=Amount.of(row.released),
            refunded=Amount.of(row.refunded),
            remaining=Amount.of(row.remaining),
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    @strawberry.field(description="What it is for; null when the viewer may not see that job.")
    async def job(
        self, info: Info
    ) -> Annotated["Job", strawberry.lazy("backend.schema.jobs")] | None:
        from backend.schema.jobs import Job

        return await load_node(info, Job, self.job_key)

    @strawberry.field(
        description=(
            "Those that the viewer takes part in, all of them to operators and auditors; newest "
            "first."
        )
    )
    async def payments(self, info: Info) -> list[Payment]:
        loader = payments_of_fundings(info, await info.context.viewer())
        return [Payment.from_model(row) for row in await loader.load(self.key) or []]


def payments_of_fundings(
    info: Info, viewer: User | None
) -> DataLoader[UUID, list[PaymentRow] | None]:
    """The payments that `viewer` may see of each funding, newest first."""

    def load(keys: list[UUID]) -> dict[UUID, list[PaymentRow]]:
        found: dict[UUID, list[PaymentRow]] = {}
        for row in payments_visible_to(viewer).filter(reference__in=keys).order_by("-id"):
            found.setdefault(row.reference, []).append(row)
        return found

    return info.context.loader("payments of a funding", lambda: load)


async def fundings_of_job(
    job_id: UUID, info: Info, first: int | None, after: str | None
) -> Connection[Funding]:
    """The fundings of a job that the viewer may see; read together for many jobs."""
    return await nested_page(
        info,
        queries.fundings_visible_to,
        parent_field="job_id",
        parent_id=job_id,
        convert=Funding.from_model,
        first=first,
        after=after,
    )


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
            "Who is to hold the money. Left out: DIRECT where a default seller is configured."
        ),
    )
    seller_id: str | None = strawberry.field(
        default=None, description="A seller's slug. Left out: the default seller."
    )
    payer_wallet_id: strawberry.ID | None = strawberry.field(
        default=None, description="One of one's own to pay from. Left out: the default one."
    )
    expected_total: AmountInput | None = strawberry.field(
        default=None, description="Refuse when the total differs from what the user was shown."
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
    expected_total: AmountInput | None = strawberry.field(
        default=None,
        description="Refuse when reward × selected differs from what the user was shown.",
    )


@rule(WITH_PARENT)
@strawberry.type(description="What became of a decision about money.")
class FundingPayload(Payload):
    funding: Funding | None = strawberry.field(
        default=None,
        description=(
            "Subscribe to its payment for the redirectUrl and the progress. Null when there are "
            "errors."
        ),
    )


@strawberry.type
class FundingMutation:
    @mutation(
        description=(
            "Put the job's whole budget behind it. Answers at once; the payment's redirectUrl "
            "follows on paymentStatus within seconds. Safe to repeat with the same key."
        ),
        moves_money=True,
    )
    async def fund_job(self, info: Info, input: FundJobInput) -> FundingPayload:
        user = await info.context.require_user()
        expected_total = payer_wallet_id = None
        if input.expected_total is not None:
            expected_total = input.expected_total.to_amount(path=("expectedTotal",))
        if input.payer_wallet_id is not None:
            payer_wallet_id = decode_id(
                input.payer_wallet_id, type_name="Wallet", path=("payerWalletId",)
            )
        funded = await info.context.db(
            services.fund_job,
            payer=user,
            job_id=decode_id(input.job_id, type_name="Job", path=("jobId",)),
            mode=input.mode,
            seller=input.seller_id,
            payer_wallet_id=payer_wallet_id,
            expected_total=expected_total,
            return_url=input.return_url,
            idempotency_key=input.idempotency_key,
            now=info.context.now(),
        )
        if funded.payment is not None:
            loader = payments_of_fundings(info, user)
            loader.prime(funded.funding.id, [funded.payment])
        return FundingPayload(funding=Funding.from_model(funded.funding))

    @mutation(
        description=(
            "Secure reward × selected workers and let the work begin. Money that is behind the "
            "job already is used first: where it covers the sum, the job moves to SUBMITTING at "
            "once. Refused with NO_SELECTED_WORKERS, or MODE_UNAVAILABLE where no money is "
            "behind the job. Safe to repeat with the same key."
        ),
        moves_money=True,
    )
    async def pre_fund_job(self, info: Info, input: PreFundJobInput) -> FundingPayload:
        user = await info.context.require_user()
        total = input.expected_total
        row = await info.context.db(
            services.pre_fund_job,
            payer=user,
            job_id=decode_id(input.job_id, type_name="Job", path=("jobId",)),
            expected_total=None if total is None else total.to_amount(path=("expectedTotal",)),
            return_url=input.return_url,
            idempotency_key=input.idempotency_key,
            now=info.context.now(),
        )
        return FundingPayload(funding=Funding.from_model(row))
