"""The consents that payers give at their own wallets."""

from datetime import datetime
from typing import Self

import strawberry
from django.db.models import Q, QuerySet

from backend.accounts.models import User
from backend.known import as_known
from backend.payments import links, models, services
from backend.payments.status import GrantKind, GrantScope, GrantStatus
from backend.schema.amounts import Amount
from backend.schema.context import Info
from backend.schema.enums import describe_values
from backend.schema.errors import Payload, mutation
from backend.schema.nodes import Node, decode_id
from backend.schema.permissions import WITH_PARENT, rule
from backend.schema.scalars import URL

strawberry.enum(GrantStatus, description="Where the payer's consent stands.")
describe_values(
    GrantStatus,
    AWAITING_APPROVAL="The payer has to decide at `redirectUrl`, until `expiresAt`.",
    APPROVED="The payer said yes at their wallet.",
    REJECTED="The payer said no.",
    EXPIRED="The payer did not decide in time, or the time that they approved is over.",
    SUPERSEDED="Another grant of the same payment took its place.",
    LOST="The wallet's answer was lost. The payer is asked again, or renewGrant asks.",
    REVOKED="The payer took it back at their wallet.",
    ENDED="It is not needed any more; nothing more can be taken with it.",
)

strawberry.enum(GrantScope, description="What a payer consents to.")
describe_values(
    GrantScope,
    SINGLE_PAYMENT="One payment to one receiver, at once.",
    POOLED="All payments of one funding, up to its limit, until it ends.",
    TREASURY="What the platform pays out of what it holds, up to its limit in every period.",
)


def grants_visible_to(viewer: User | None) -> QuerySet[models.Grant]:
    """Those that the viewer has to decide, or has decided."""
    grants = models.Grant.objects.select_related("payment__sender", "held_grant__sender")
    if viewer is None:
        return grants.none()
    theirs = Q(payment__payer=viewer) | Q(held_grant__payer=viewer)
    return grants.filter(theirs, kind=GrantKind.OUTGOING_PAYMENT)


@rule(grants_visible_to)
@strawberry.type(
    description=(
        "The payer's consent at their own wallet, seen by the payer only. redirectUrl is all "
        "that a client needs."
    )
)
class Grant(Node):
    held: strawberry.Private[models.HeldGrant | None]
    status: GrantStatus = strawberry.field(description="Where the consent stands.")
    redirect_url: URL | None = strawberry.field(
        description="Send the payer's browser there. Null unless the status is AWAITING_APPROVAL."
    )
    expires_at: datetime | None = strawberry.field(
        description="When the time to decide ends; null while that is not known."
    )
    max_debit: Amount | None = strawberry.field(
        description="The most that can be taken, fees included; null while that is not known."
    )

    scope: GrantScope = strawberry.field(description="What it is a consent to.")
    valid_until: datetime | None = strawberry.field(
        description="When the wallet stops paying under it; null where there is no such end."
    )

    @classmethod
    def from_model(cls, row: models.Grant) -> Self:
        waiting, held = row.status == GrantStatus.AWAITING_APPROVAL, row.held_grant
        return cls(
            key=row.id,
            status=as_known(row.status, otherwise=GrantStatus.AWAITING_APPROVAL),
            redirect_url=URL(links.start_url(row.id)) if waiting else None,
            expires_at=row.expires_at,
            max_debit=_max_debit(row),
            scope=GrantScope(held.scope) if held else GrantScope.SINGLE_PAYMENT,
            valid_until=held.ends_at if held else None,
            held=held,
        )

    @strawberry.field(
        description=(
            "What payments under it have taken or are taking, in the present period where it has "
            "periods; null for one that is for a single payment."
        )
    )
    def spent(self, info: Info) -> Amount | None:
        return Amount.of(self.held.taken(at=info.context.now())) if self.held else None


def _max_debit(row: models.Grant) -> Amount | None:
    if row.max_debit_value is None:
        return None
    sender = row.asked_by.sender
    return Amount.from_parts(row.max_debit_value, sender.asset_code, sender.asset_scale)


@strawberry.input(description="An approval that came back to another browser or device.")
class ConfirmGrantInput:
    grant_id: strawberry.ID = strawberry.field(
        description="One's own, as the page that the wallet led back to names it."
    )


@rule(WITH_PARENT)
@strawberry.type(description="What became of a consent.")
class GrantPayload(Payload):
    grant: Grant | None = strawberry.field(
        default=None, description="It, confirmed; null when there are errors."
    )


@strawberry.type
class GrantMutation:
    @mutation(
        description=(
            "Confirm that one approved this grant oneself, after the approval came back to "
            "another browser than the one that opened redirectUrl. Safe to repeat."
        ),
        moves_money=True,
    )
    async def confirm_grant(self, info: Info, input: ConfirmGrantInput) -> GrantPayload:
        user = await info.context.require_user()
        row = await info.context.db(
            services.confirm_grant,
            user=user,
            grant_id=decode_id(input.grant_id, type_name="Grant", path=("grantId",)),
            now=info.context.now(),
        )
        seen = await info.context.db(grants_visible_to(user).get, pk=row.pk)
        return GrantPayload(grant=Grant.from_model(seen))
