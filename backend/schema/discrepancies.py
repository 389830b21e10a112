"""What does not add up, for those who run an installation."""

from datetime import datetime
from typing import Annotated, Self

import strawberry
from django.db.models import QuerySet

from backend.accounts.models import User
from backend.payments import models
from backend.schema.connections import After, Connection, First, Span, page
from backend.schema.context import Info
from backend.schema.nodes import Node
from backend.schema.payments import Payment
from backend.schema.permissions import rule, visible_rows


def discrepancies_visible_to(viewer: User | None) -> QuerySet[models.Discrepancy]:
    """All of them, to operators and auditors."""
    rows = models.Discrepancy.objects.select_related("payment__sender", "payment__receiver")
    return rows if viewer is not None and viewer.sees_everything else rows.none()


@rule(discrepancies_visible_to)
@strawberry.type(
    description=(
        "Something about money that does not add up, once for each thing and kind. Seen by "
        "operators and auditors; docs/reconciliation.md says what to do about each kind."
    )
)
class Discrepancy(Node):
    kind: str = strawberry.field(
        description="What is wrong, such as DELIVERED_LESS. Kinds may be added at any time."
    )
    expected: str = strawberry.field(
        description="What should be; amounts in the smallest unit, followed by code/scale."
    )
    actual: str = strawberry.field(description="What is there instead.")
    first_seen_at: datetime = strawberry.field(description="When it was first found: its age.")
    last_seen_at: datetime = strawberry.field(description="When it was last found.")
    resolved_at: datetime | None = strawberry.field(
        description="When it was first looked for and gone; null while it is open."
    )
    payment: Payment | None = strawberry.field(
        description="The payment it is about; null for a consent, a funding, a wallet, the books."
    )

    @classmethod
    def from_model(cls, row: models.Discrepancy) -> Self:
        return cls(
            key=row.id,
            kind=row.kind,
            expected=row.expected,
            actual=row.actual,
            first_seen_at=row.first_seen_at,
            last_seen_at=row.last_seen_at,
            resolved_at=row.resolved_at,
            payment=None if row.payment is None else Payment.from_model(row.payment),
        )


@strawberry.type
class DiscrepancyQuery:
    @strawberry.field(
        description=(
            "What does not add up between our rows, the books and wallets, newest first. Empty to "
            "all but operators and auditors."
        )
    )
    async def discrepancies(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        open: Annotated[
            bool,
            strawberry.argument(
                description="True: those that are not resolved. False: the others."
            ),
        ] = True,
    ) -> Connection[Discrepancy]:
        rows = visible_rows("Discrepancy", await info.context.viewer())
        wanted = rows.filter(resolved_at__isnull=open)
        span = Span(first=first, after=after, list_name=f"open={open}")
        return await page(info, wanted, span, convert=Discrepancy.from_model)
