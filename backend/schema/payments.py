"""Payments, and the consent they need; payment_status.py has their progress live."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, UUIDField
from django.db.models.functions import Coalesce
from django.utils import translation

from backend.accounts.models import User
from backend.errors import ErrorCode
from backend.funding.models import Funding, Payable
from backend.funding.status import PayableStatus
from backend.known import as_known
from backend.payments import models, queries
from backend.payments.status import (
    PaymentPurpose,
    PaymentStatus,
)
from backend.receipts.queries import may_see_receipt, receipts_of
from backend.schema.amounts import Amount
from backend.schema.connections import After, Connection, First, Part, Span, nested_page, page
from backend.schema.context import Info
from backend.schema.enums import describe_values
from backend.schema.grants import Grant
from backend.schema.nodes import Node, decode_id, load_node, node_of
from backend.schema.permissions import WITH_PARENT, rule
from backend.schema.receipts import Receipt
from backend.schema.scalars import URL
from backend.schema.wallets import Wallet

if TYPE_CHECKING:
    from backend.schema.jobs import Job
    from backend.schema.resolutions import PaymentResolution

strawberry.enum(PaymentPurpose, description="Why money moves.")
describe_values(
    PaymentPurpose,
    FUND="From a payer, to stand behind a job.",
    PAYOUT="To a worker, for accepted work.",
    REFUND="Back to a payer.",
    PLATFORM_FEE="To the platform, for the payouts that have arrived.",
)
strawberry.enum(
    PaymentStatus,
    description=(
        "Where a payment stands. Only COMPLETED says that the receiver has the money. UNKNOWN: "
        "the wallet's answer was lost and is being found out; nothing is sent twice."
    ),
)
describe_values(
    PaymentStatus,
    CREATED="Being prepared: receiver, quote and the question to the payer.",
    AWAITING_APPROVAL="The payer has to decide at `grant.redirectUrl`.",
    AUTHORIZED="The payer has consented; nothing is sent yet.",
    QUOTED="The payer's wallet has named its price, and that is within the consent.",
    SENDING="The order to pay is going out.",
    UNKNOWN="The answer to that order was lost; it is found out before anything is sent again.",
    SENT="The payer's wallet has taken the order; the money is on its way.",
    COMPLETED="The receiver's wallet shows the money. Final.",
    REJECTED="The payer said no. Nothing was charged. Final.",
    EXPIRED="The payer did not decide in time. Nothing was charged. Final.",
    FAILED="It ended without arriving in full: see `failure`. Final.",
    CANCELED="It was called off before anything was sent. Final.",
)


def attempts_of(payment_ids: list[UUID]) -> dict[UUID, list[models.Attempt]]:
    """The attempts of each payment, oldest first."""
    found: dict[UUID, list[models.Attempt]] = {}
    for attempt in models.Attempt.objects.filter(payment_id__in=payment_ids).order_by("number"):
        found.setdefault(attempt.payment_id, []).append(attempt)
    return found


def jobs_of_references(references: list[UUID]) -> dict[UUID, UUID]:
    """The job behind each payment's reference: a funding, or what is owed out of one."""
    found = dict(Funding.objects.filter(id__in=references).values_list("id", "job_id"))
    owed = Payable.objects.filter(id__in=[each for each in references if each not in found])
    return found | dict(owed.values_list("id", "funding__job_id"))


def next_tries_of(payment_ids: list[UUID]) -> dict[UUID, datetime]:
    """When what each payment was for is tried again, for the newest payments that wait for that."""
    newer = models.Payment.objects.filter(reference=OuterRef("reference"), id__gt=OuterRef("id"))
    due = Payable.objects.filter(id=OuterRef("reference"), status=PayableStatus.OWED)
    newest = models.Payment.objects.filter(~Exists(newer), id__in=payment_ids)
    waiting = newest.annotate(next_try_at=Subquery(due.values("due_at")))
    return dict(waiting.exclude(next_try_at=None).values_list("id", "next_try_at"))


@rule(WITH_PARENT)
@strawberry.type(description="Why a payment ended without delivering.")
class PaymentFailure:
    code: ErrorCode = strawberry.field(description="What programs decide by.")
    message: str = strawberry.field(
        description="A sentence to show, in the language of the viewer's profile."
    )
    retryable: bool = strawberry.field(
        description=(
            "Whether funding again, with a new idempotencyKey, can help; where the payment was for "
            "something owed, trying again."
        )
    )
    # The payment, or the consent, which has no other attempt of itself.
    asked_for: strawberry.Private[UUID]

    @strawberry.field(
        description=(
            "When another payment for the same begins by itself; null where one has begun, or it "
            "waits for something else than time."
        )
    )
    async def next_retry_at(self, info: Info) -> datetime | None:
        return await info.context.batched(next_tries_of, self.asked_for)

    @classmethod
    def of(cls, row: models.Payment | models.HeldGrant, *, language: str) -> Self:
        with translation.override(language):
            message = row.failure_sentence()
        return cls(
            code=ErrorCode(row.failure_code),
            message=message,
            retryable=row.failure_retryable,
            asked_for=row.id,
        )


@rule(WITH_PARENT)
@strawberry.type(
    description=(
        "One try to move the money. Another one begins only when this one is proved to be dead, so "
        "that nothing is paid twice."
    )
)
class PaymentAttempt:
    number: int = strawberry.field(description="1 for the first.")
    started_at: datetime = strawberry.field(description="When it began.")
    quote_expires_at: datetime | None = strawberry.field(
        description="Until when its price stands; null before there is one."
    )
    ended_at: datetime | None = strawberry.field(
        description="When it was proved that it will never pay; null otherwise."
    )


@rule(queries.payments_visible_to)
@strawberry.type(
    description=(
        "One transfer from one wallet to another. Seen by its payer, the owners of the two "
        "wallets, operators and auditors."
    )
)
class Payment(Node):
    row: strawberry.Private[models.Payment]
    purpose: PaymentPurpose = strawberry.field(description="Why the money moves.")
    status: PaymentStatus = strawberry.field(
        description="Where it stands; paymentStatus brings every change."
    )
    from_: Wallet = strawberry.field(name="from", description="The wallet that pays.")
    to: Wallet = strawberry.field(description="The wallet that receives.")
    receive_amount: Amount | None = strawberry.field(
        description=(
            "What the receiver is to get, exactly. Where the payer fixed what they send, null "
            "until that is quoted."
        )
    )
    debit_amount: Amount | None = strawberry.field(
        description="What the sender pays for that, fees included; null until it is quoted."
    )
    max_debit: Amount | None = strawberry.field(
        description="The most that the payer was asked to consent to; null before they are asked."
    )
    delivered_amount: Amount = strawberry.field(
        description="What the receiver's wallet showed last; 0 until money arrives."
    )
    refused_receive_amount: Amount | None = strawberry.field(
        description=(
            "What would have arrived, where it failed with RATE_TOO_LOW as that is too little; "
            "null otherwise."
        )
    )
    created_at: datetime = strawberry.field(description="When it was asked for.")
    updated_at: datetime = strawberry.field(description="When its status last changed.")

    @classmethod
    def from_model(cls, row: models.Payment) -> Self:
        return cls(
            key=row.id,
            row=row,
            purpose=PaymentPurpose(row.purpose),
            status=as_known(row.status, otherwise=PaymentStatus.UNKNOWN),
            from_=Wallet.from_model(row.sender),
            to=Wallet.from_model(row.receiver),
            receive_amount=Amount.of_maybe(row.receive_amount),
            debit_amount=Amount.of_maybe(row.debit_amount),
            max_debit=Amount.of_maybe(row.max_debit_amount),
            delivered_amount=Amount.of(row.delivered_amount),
            refused_receive_amount=Amount.of_maybe(row.refused_receive_amount),
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    @strawberry.field(description="What it pays for; null when the viewer may not see that job.")
    async def job(
        self, info: Info
    ) -> Annotated["Job", strawberry.lazy("backend.schema.jobs")] | None:
        from backend.schema.jobs import Job

        job_id = await info.context.batched(jobs_of_references, self.row.reference)
        return await load_node(info, Job, job_id) if job_id else None

    @strawberry.field(description="Why it failed; null unless it did.")
    def failure(self, info: Info) -> PaymentFailure | None:
        if not self.row.failure_code:
            return None
        return PaymentFailure.of(self.row, language=info.context.language)

    @strawberry.field(
        description=("The newest consent that it asked for; null before that. Only to its payer.")
    )
    async def grant(self, info: Info) -> Grant | None:
        viewer = await info.context.viewer()
        if viewer is None or viewer.pk != self.row.payer_id:
            return None
        row = await info.context.batched(queries.current_grants, self.key)
        return Grant.from_model(row) if row else None

    @strawberry.field(description="Every try so far, oldest first.")
    async def attempts(self, info: Info) -> list[PaymentAttempt]:
        return [
            PaymentAttempt(
                number=attempt.number,
                started_at=attempt.started_at,
                quote_expires_at=attempt.quote_expires_at,
                ended_at=attempt.dead_at,
            )
            for attempt in await info.context.batched(attempts_of, self.key) or []
        ]

    @strawberry.field(
        description=(
            "The incoming payment at the receiver's wallet; null before there is one. Only to its "
            "payer and the owners of the two wallets."
        )
    )
    async def incoming_payment_url(self, info: Info) -> URL | None:
        # On some wallets whoever knows this URL can complete, that is block, the payment.
        viewer = await info.context.viewer()
        parties = {self.row.payer_id, self.row.sender.owner_id, self.row.receiver.owner_id}
        if viewer is None or viewer.pk not in parties:
            return None
        return await self._newest_url(info, "incoming_payment_url")

    @strawberry.field(
        description=(
            "The quote at the sender's wallet; null before there is one. Only to its payer, "
            "operators and auditors."
        )
    )
    async def quote_url(self, info: Info) -> URL | None:
        return await self._payers_url(info, "quote_url")

    @strawberry.field(
        description=(
            "The outgoing payment at the sender's wallet; null before there is one. Only to its "
            "payer, operators and auditors."
        )
    )
    async def outgoing_payment_url(self, info: Info) -> URL | None:
        return await self._payers_url(info, "outgoing_payment_url")

    @strawberry.field(
        description=(
            "What proves that it was completed; null until it is, and where no wallet said so but "
            "two operators. Only to its payer and the owners of the two wallets."
        )
    )
    async def receipt(self, info: Info) -> Receipt | None:
        viewer = await info.context.viewer()
        is_over = self.row.status == PaymentStatus.COMPLETED
        if not is_over or not may_see_receipt(viewer, self.row):
            return None
        return Receipt.of_maybe(await info.context.batched(receipts_of, self.key))

    @strawberry.field(
        description=(
            "What operators said about its end while no wallet did, oldest first: see "
            "resolveUnknownPayment. Empty to all but operators and auditors."
        )
    )
    async def resolutions(
        self, info: Info
    ) -> list[Annotated["PaymentResolution", strawberry.lazy("backend.schema.resolutions")]]:
        from backend.schema.resolutions import resolutions_of_payment

        return await resolutions_of_payment(info, self.row)

    async def _payers_url(self, info: Info, column: str) -> URL | None:
        viewer = await info.context.viewer()
        if viewer is None or not (viewer.pk == self.row.payer_id or viewer.sees_everything):
            return None
        return await self._newest_url(info, column)

    async def _newest_url(self, info: Info, column: str) -> URL | None:
        attempts = await info.context.batched(attempts_of, self.key) or []
        url: str = getattr(attempts[-1], column) if attempts else ""
        return URL(url) if url else None


def job_payments_visible_to(viewer: User | None) -> QuerySet[models.Payment]:
    """The visible payments, each with the `job_id` it was made for."""
    funding = Funding.objects.filter(id=OuterRef("reference")).values("job_id")
    owed = Payable.objects.filter(id=OuterRef("reference")).values("funding__job_id")
    return queries.payments_visible_to(viewer).annotate(
        job_id=Coalesce(Subquery(funding), Subquery(owed), output_field=UUIDField())
    )


def made_for_jobs(job_ids: list[UUID]) -> Q:
    """Which payments are for these jobs: those for their fundings, and for what is owed there."""
    fundings = Funding.objects.filter(job_id__in=job_ids).values("id")
    owed = Payable.objects.filter(funding__job_id__in=job_ids).values("id")
    return Q(reference__in=fundings.union(owed, all=True))


async def payments_of_job(
    job_id: UUID, info: Info, first: int | None, after: str | None
) -> Connection[Payment]:
    """The payments behind a job that the viewer may see; read together for many jobs."""
    return await nested_page(
        info,
        job_payments_visible_to,
        parent_field="job_id",
        parent_id=job_id,
        convert=Payment.from_model,
        first=first,
        after=after,
        children=made_for_jobs,
    )


@strawberry.input(description="Which payments to list.")
class PaymentFilter:
    status: list[PaymentStatus] | None = strawberry.field(
        default=None, description="Those that stand at one of these. Left out: any."
    )
    purpose: list[PaymentPurpose] | None = strawberry.field(
        default=None, description="Those for one of these. Left out: any."
    )
    job_id: strawberry.ID | None = strawberry.field(
        default=None, description="Those behind this job. Left out: any."
    )

    @property
    def list_name(self) -> str:
        """Which list it makes, the same however it is written."""
        wished = (self.status, self.purpose)
        statuses, purposes = (None if each is None else sorted(set(each)) for each in wished)
        return repr((statuses, purposes, self.job_id))

    def narrow(self, rows: QuerySet[models.Payment]) -> QuerySet[models.Payment]:
        """Those of `rows` that it wants.

        Raises:
            NotFound: `jobId` is not the id of a job.
        """
        if self.status is not None:
            rows = rows.filter(status__in=sorted(self.status))
        if self.purpose is not None:
            rows = rows.filter(purpose__in=sorted(self.purpose))
        if self.job_id is not None:
            job_id = decode_id(self.job_id, type_name="Job", path=("filter", "jobId"))
            rows = rows.filter(made_for_jobs([job_id]))
        return rows


# How many payments one page of a filtered list is sought among, where all of them are listed.
LOOKED_AT = 2000


@strawberry.type
class PaymentQuery:
    @strawberry.field(
        description=(
            "The payments that the viewer takes part in, all of them to operators and auditors; "
            "newest first, empty to a visitor. `Payment.status` of one is followed by "
            "paymentStatus. Where all are listed with a filter, a page can be short while there "
            "are more."
        )
    )
    async def payments(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        filter: Annotated[
            PaymentFilter | None,
            strawberry.argument(description="Which of them. Left out: all."),
        ] = None,
    ) -> Connection[Payment]:
        viewer = await info.context.viewer()
        wanted = filter or PaymentFilter()
        rows = wanted.narrow(queries.payments_listed_for(viewer))
        among = models.Payment.objects.order_by("-pk")
        lists_all = viewer is not None and viewer.sees_everything and wanted.job_id is None
        return await page(
            info,
            rows,
            Span(first=first, after=after, list_name=wanted.list_name),
            convert=Payment.from_model,
            part=Part(among, at_most=LOOKED_AT) if lists_all else None,
        )

    @strawberry.field(description="A payment that the viewer may see; null when there is none.")
    async def payment(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="As `Payment.id` gives it.")],
    ) -> Payment | None:
        return await node_of(info, Payment, id)
