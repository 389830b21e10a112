"""The money behind a job."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry
from django.db.models import F, OuterRef, Subquery, UUIDField
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from strawberry.dataloader import DataLoader

from backend.accounts.models import User
from backend.errors import NotFound
from backend.events.feed import read_alone
from backend.funding import models, queries
from backend.funding.lifecycle import RULES, FundingAction, FundingFacts, funding_facts
from backend.funding.models import Payable
from backend.funding.rates import estimates_of_allocations
from backend.funding.status import (
    ALLOCATED,
    TRANSITIONS,
    UNHEARD_OF,
    AllocationStatus,
    FundingMode,
    FundingStatus,
)
from backend.jobs.lifecycle.rules import allowed
from backend.known import as_known
from backend.payments.models import Grant as GrantRow
from backend.payments.models import HeldGrant
from backend.payments.models import Payment as PaymentRow
from backend.payments.queries import payments_visible_to
from backend.payments.status import GrantScope
from backend.schema.amounts import Amount
from backend.schema.connections import LARGEST_PAGE, Connection, nested_page, newest_of_each
from backend.schema.context import Context, Info
from backend.schema.enums import describe_values
from backend.schema.grants import Grant, grants_visible_to
from backend.schema.nodes import Node, decode_id, load_node, node_of
from backend.schema.payments import Payment, PaymentFailure
from backend.schema.permissions import WITH_PARENT, rule, visible_rows
from backend.schema.scalars import EventCursor
from backend.schema.subscriptions import follow, has_seen_everything

if TYPE_CHECKING:
    from backend.schema.applications import Application
    from backend.schema.jobs import Job

# What one funding shows: whoever asks for the consent again makes another one each time.
MOST_GRANTS = 20

strawberry.enum(FundingMode, description="Who holds the money between consent and payout.")
describe_values(
    FundingMode,
    DIRECT="Nobody: the payer's wallet pays a registered seller at once.",
    ESCROW=(
        "The platform, in its treasury wallet, until work is accepted. Only where an operator "
        "offers it."
    ),
    PREAPPROVED=(
        "The payer. Their wallet has agreed to pay accepted work up to a limit and a day: a "
        "promise, not a hold."
    ),
)
strawberry.enum(FundingStatus, description="Where a funding stands.")
describe_values(
    FundingStatus,
    AWAITING_APPROVAL="The payer's consent, or the money, has yet to come.",
    SECURED="The money is held, or consented to, and accepted work is paid out of it.",
    PARTIALLY_RELEASED="A part of it has been paid out.",
    LAPSED="The consent behind it was lost, taken back or is over; renewGrant asks for another.",
    SETTLED="It has been paid out; what nobody was owed of it has gone back. Final.",
    REFUNDING="What is left of it is on its way back.",
    REFUNDED="All of it has gone back; none of it was paid out. Final.",
    REJECTED="The payer said no at their wallet. Final.",
    EXPIRED="The payer did not decide in time. Final.",
    FAILED="It could not be had: see `failure`, its own or its payment's. Final.",
    CANCELED="Called off before any of it was paid out. Final.",
)
# How one ends whose payer did not consent.
WITHOUT_CONSENT = frozenset({FundingStatus.REJECTED, FundingStatus.EXPIRED, FundingStatus.FAILED})
strawberry.enum(FundingAction, description="What somebody may do with a funding.")
describe_values(
    FundingAction,
    CANCEL="Call it off; what is held goes back: cancelFunding.",
    REFUND="Have back what nobody is promised: refundFunding.",
    RENEW="Consent again, where a consent is gone or does not suffice: renewGrant.",
)
strawberry.enum(
    AllocationStatus, description="Where the part of a funding stands that is promised to a worker."
)
describe_values(
    AllocationStatus,
    RESERVED="Promised; nothing of it is paid yet.",
    PARTIALLY_RELEASED="A part of it has arrived, the rest is still promised.",
    RELEASED="What was accepted has arrived, but for what was written off; no more will come.",
    RETURNED="Taken back: nothing of it will be paid.",
)


@rule(queries.allocations_visible_to)
@strawberry.type(
    description=(
        "The part of a funding that is promised to one worker. Seen by that worker and by whoever "
        "sees the funding."
    )
)
class Allocation(Node):
    application_key: strawberry.Private[UUID]
    funding_key: strawberry.Private[UUID]
    amount: Amount = strawberry.field(description="What was promised.")
    released: Amount = strawberry.field(description="What of it has arrived at the worker.")
    status: AllocationStatus = strawberry.field(description="Where the promise stands.")

    @classmethod
    def from_model(cls, row: models.Allocation) -> Self:
        return cls(
            key=row.id,
            application_key=row.application_id,
            funding_key=row.funding_id,
            amount=Amount.of(row.amount),
            released=Amount.of(row.released),
            status=as_known(row.status, otherwise=AllocationStatus.RESERVED),
        )

    @strawberry.field(
        description=(
            "Until when the payer's wallet pays what is left of it. Null where the money is held, "
            "nothing is left, the consent is gone, or it has no end."
        )
    )
    async def valid_until(self, info: Info) -> datetime | None:
        if self.status not in ALLOCATED:
            return None
        return await info.context.batched(queries.ends_of_consents, self.funding_key)

    @strawberry.field(
        description=(
            "What all of it makes at the worker's wallet, by the newest quote of the payer's "
            "wallet: rates move. Null where the job fixes what arrives, or nothing was quoted."
        )
    )
    async def estimated_receive(self, info: Info) -> Amount | None:
        estimate = await info.context.batched(estimates_of_allocations, self.key)
        return Amount.of(estimate) if estimate else None

    @strawberry.field(description="To whom; null when the viewer may not see that application.")
    async def application(
        self, info: Info
    ) -> Annotated["Application", strawberry.lazy("backend.schema.applications")] | None:
        from backend.schema.applications import Application

        return await load_node(info, Application, self.application_key)


def allocations_of_fundings(
    info: Info, viewer: User | None
) -> DataLoader[UUID, list[models.Allocation] | None]:
    """The newest promises out of each funding that `viewer` may see, oldest first."""

    def load(keys: list[UUID]) -> dict[UUID, list[models.Allocation]]:
        found: dict[UUID, list[models.Allocation]] = {}
        rows = queries.allocations_visible_to(viewer).filter(funding_id__in=keys)
        newest = newest_of_each(rows, parent_field="funding_id", most=LARGEST_PAGE)
        for row in newest.order_by("id"):
            found.setdefault(row.funding_id, []).append(row)
        return found

    return info.context.loader("allocations of a funding", lambda: load)


def grants_of_fundings(info: Info, viewer: User | None) -> DataLoader[UUID, list[GrantRow] | None]:
    """The newest consents to each funding that `viewer` was asked for, newest first."""

    def load(keys: list[UUID]) -> dict[UUID, list[GrantRow]]:
        found: dict[UUID, list[GrantRow]] = {}
        held = GrantRow.objects.filter(held_grant__reference__in=keys).values("id")
        single = GrantRow.objects.filter(payment__reference__in=keys).values("id")
        rows = grants_visible_to(viewer).filter(id__in=held.union(single, all=True))
        rows = rows.annotate(reference=Coalesce("held_grant__reference", "payment__reference"))
        newest = newest_of_each(rows, parent_field="reference", most=MOST_GRANTS)
        for row in newest.order_by("-created_at", "-id"):
            found.setdefault(row.asked_by.reference, []).append(row)
        return found

    return info.context.loader("grants of a funding", lambda: load)


def first_consents(info: Info) -> DataLoader[UUID, HeldGrant | None]:
    """The consent with which each funding began, where it began with one."""

    def load(keys: list[UUID]) -> dict[UUID, HeldGrant]:
        asked_for = HeldGrant.objects.filter(reference__in=keys).order_by("-id")
        return {row.reference: row for row in asked_for}

    return info.context.loader("first consent of a funding", lambda: load)


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
        description=(
            "The sum that was decided on, the platform's fee included: released + refunded + "
            "remaining."
        )
    )
    fee: Amount = strawberry.field(
        description=(
            "The most that the platform can get: a part of the total, at the rate of the day it "
            "was asked for. What of it is not earned goes back with the rest."
        )
    )
    fee_paid: Amount = strawberry.field(
        description="What the platform has got, a part of `released`: paid last, in proportion."
    )
    released: Amount = strawberry.field(
        description="What has been paid out, to workers and as the fee."
    )
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
            status=as_known(row.status, otherwise=UNHEARD_OF),
            seller_id=row.seller.slug if row.seller else None,
            total=Amount.of(row.total),
            fee=Amount.of(row.fee),
            fee_paid=Amount.of(row.fee_paid),
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
            "What the viewer may do with it now: the buttons to show. Empty to all but its payer."
        )
    )
    async def allowed_actions(self, info: Info) -> list[FundingAction]:
        viewer = await info.context.viewer()
        if viewer is None:
            return []
        loader = facts_of_fundings(info, viewer)
        facts = await loader.load(self.key)
        return allowed(RULES, facts) if facts else []

    @strawberry.field(
        description=(
            "The newest 100 of those that the viewer takes part in, of all to operators and "
            "auditors; newest first. `Job.payments` has every one of them."
        )
    )
    async def payments(self, info: Info) -> list[Payment]:
        loader = payments_of_fundings(info, await info.context.viewer())
        return [Payment.from_model(row) for row in await loader.load(self.key) or []]

    @strawberry.field(
        description=(
            "To whom it is promised, oldest first: the newest 100. `Application.allocation` has "
            "that of each worker."
        )
    )
    async def allocations(self, info: Info) -> list[Allocation]:
        loader = allocations_of_fundings(info, await info.context.viewer())
        return [Allocation.from_model(row) for row in await loader.load(self.key) or []]

    @strawberry.field(
        description=(
            "Why its payer's consent could not be had, where it is PREAPPROVED; null otherwise. In "
            "other modes see the `failure` of its payment."
        )
    )
    async def failure(self, info: Info) -> PaymentFailure | None:
        if self.status not in WITHOUT_CONSENT:
            return None
        consent = await first_consents(info).load(self.key)
        if consent is None or not consent.failure_code:
            return None
        return await info.context.db(PaymentFailure.of, consent, language=info.context.language)

    @strawberry.field(
        description=(
            "The newest 20 consents that its payer was asked for, newest first. Only to the "
            "payer, who decides the first of them at its redirectUrl while it is AWAITING_APPROVAL."
        )
    )
    async def grants(self, info: Info) -> list[Grant]:
        loader = grants_of_fundings(info, await info.context.viewer())
        return [Grant.from_model(row) for row in await loader.load(self.key) or []]


def facts_of_fundings(info: Info, viewer: User) -> DataLoader[UUID, FundingFacts | None]:
    """What decides what `viewer` may do with each funding."""

    def load(keys: list[UUID]) -> dict[UUID, FundingFacts]:
        rows = models.Funding.objects.filter(id__in=keys).select_related("job", "payer_wallet")
        return funding_facts(user=viewer, fundings=list(rows))

    return info.context.loader("facts of a funding", lambda: load)


def payments_of_fundings(
    info: Info, viewer: User | None
) -> DataLoader[UUID, list[PaymentRow] | None]:
    """The newest payments that `viewer` may see of each funding, newest first."""

    def load(keys: list[UUID]) -> dict[UUID, list[PaymentRow]]:
        owed = Payable.objects.filter(funding_id__in=keys).values("id")
        made_for = models.Funding.objects.filter(id__in=keys).values("id").union(owed, all=True)
        owed_out_of = Payable.objects.filter(id=OuterRef("reference")).values("funding_id")
        rows = payments_visible_to(viewer).filter(reference__in=made_for)
        rows = rows.annotate(
            funding_id=Coalesce(Subquery(owed_out_of), F("reference"), output_field=UUIDField())
        )
        newest = newest_of_each(rows, parent_field="funding_id", most=LARGEST_PAGE)
        found: dict[UUID, list[PaymentRow]] = {}
        for row in newest.order_by("-id"):
            found.setdefault(row.funding_id, []).append(row)
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


@strawberry.type
class FundingQuery:
    @strawberry.field(description="A funding that the viewer may see; null when there is none.")
    async def funding(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="As `Funding.id` gives it.")],
    ) -> Funding | None:
        return await node_of(info, Funding, id)

    @strawberry.field(
        description=(
            "The consents to pay out of the treasury that the viewer asked for, newest first: "
            "their redirectUrl, their limit and what is spent. Empty to all but operators."
        )
    )
    async def treasury_grants(self, info: Info) -> list[Grant]:
        viewer = await info.context.viewer()
        if viewer is None or not viewer.is_staff:
            return []
        asked = grants_visible_to(viewer).filter(held_grant__scope=GrantScope.TREASURY)
        rows = await info.context.db(list, asked.order_by("-created_at", "-id")[:MOST_GRANTS])
        return [Grant.from_model(row) for row in rows]


@rule(WITH_PARENT)
@strawberry.type(description="A change of a funding, or a snapshot of it.")
class FundingStatusEvent:
    cursor: EventCursor = strawberry.field(description="Pass as `after` to resume behind this.")
    status: FundingStatus = strawberry.field(description="The status that this event announced.")
    previous: FundingStatus | None = strawberry.field(
        description=(
            "The status before, the same where only amounts or consents changed; null in a "
            "snapshot and at the start."
        )
    )
    funding: Funding = strawberry.field(description="The funding as it is now.")
    terminal: bool = strawberry.field(description="Whether this is the last event.")


def _is_over(status: str) -> bool:
    return not TRANSITIONS[as_known(status, otherwise=UNHEARD_OF)]


@strawberry.type
class FundingSubscription:
    @strawberry.subscription(
        description=(
            "A funding's progress: consent, payouts, refunds. Without `after` the first item is "
            "the present state; with it, exactly the events behind that cursor, each once, in "
            "order. Completes after the terminal event."
        )
    )
    async def funding_status(
        self,
        info: Info,
        funding_id: Annotated[
            strawberry.ID,
            strawberry.argument(description="Of one that the viewer may see, by its `id`."),
        ],
        after: Annotated[
            EventCursor | None,
            strawberry.argument(
                description="The last `cursor` that arrived. Left out: from the present state on."
            ),
        ] = None,
    ) -> AsyncGenerator[FundingStatusEvent, None]:
        key = decode_id(funding_id, type_name="Funding", path=("fundingId",))
        topic = f"funding:{key}"
        look = partial(_look, info.context, key)
        if after is not None:
            # Read before the feed: whatever ends the funding after this is an event behind `after`.
            seen = await info.context.db(look)
            if _is_over(seen.status) and await has_seen_everything(info, topic=topic, after=after):
                return
        read = partial(read_alone, look=look)
        async with aclosing(follow(info, topic=topic, after=after, read=read)) as steps:
            async for step in steps:
                info.context.forget()
                announced = step.event.payload if step.event else {"status": step.seen.status}
                status = as_known(announced["status"], otherwise=UNHEARD_OF)
                before = None if step.is_snapshot else announced["previous"]
                yield FundingStatusEvent(
                    cursor=step.cursor,
                    status=status,
                    previous=as_known(before, otherwise=UNHEARD_OF) if before else None,
                    funding=Funding.from_model(step.seen),
                    terminal=_is_over(status),
                )
                if _is_over(status):
                    return


def _look(context: Context, key: UUID) -> models.Funding:
    rows = visible_rows("Funding", context.viewer_of_stream()).filter(pk=key)
    funding: models.Funding | None = next(iter(rows), None)
    if funding is None:
        raise NotFound(_("There is no such funding."), path=("fundingId",))
    return funding
