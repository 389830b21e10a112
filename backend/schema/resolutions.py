"""How operators end a payment of which no wallet says what became of it."""

from datetime import datetime
from typing import Self
from uuid import UUID

import strawberry

from backend.open_payments import types as op
from backend.payments import models, queries, resolving
from backend.payments.status import PaymentStatus
from backend.schema.accounts import User
from backend.schema.amounts import Amount, AmountInput
from backend.schema.context import Info
from backend.schema.errors import Payload, mutation
from backend.schema.nodes import decode_id, load_node
from backend.schema.payments import Payment, attempts_of
from backend.schema.permissions import WITH_PARENT, rule
from backend.schema.scalars import URL


@rule(WITH_PARENT)
@strawberry.type(
    description=(
        "One operator's word on how a payment ended. Another operator's equal word carries the "
        "first one out. Never changed, never deleted."
    )
)
class PaymentResolution:
    operator_key: strawberry.Private[UUID]
    outcome: PaymentStatus = strawberry.field(
        description="COMPLETED: all of it arrived. FAILED: nothing did, or no more than `arrived`."
    )
    arrived: Amount | None = strawberry.field(
        description=(
            "The part that arrived, or all where what was to arrive was not fixed. Null: what "
            "`outcome` says."
        )
    )
    debited: Amount | None = strawberry.field(
        description="What left the payer's wallet. Null: what the payment's quote says."
    )
    evidence_url: URL = strawberry.field(description="What the operator looked at.")
    note: str = strawberry.field(description="What they saw there, in their words.")
    at: datetime = strawberry.field(description="When they said so.")
    carried_out: bool = strawberry.field(
        description="Whether this was the second word, which ended the payment."
    )
    awaits_confirmation: bool = strawberry.field(
        description=(
            "Whether the same word by another operator ends the payment. False once another "
            "proposal took its place, and once the payment has moved on."
        )
    )

    @classmethod
    def from_model(cls, row: models.PaymentResolution, *, is_open: bool) -> Self:
        return cls(
            operator_key=row.operator_id,
            outcome=PaymentStatus(row.outcome),
            arrived=Amount.of_maybe(row.arrived),
            debited=Amount.of_maybe(row.debited),
            evidence_url=URL(row.evidence_url),
            note=row.note,
            at=row.at,
            carried_out=row.confirms_id is not None,
            awaits_confirmation=is_open,
        )

    @strawberry.field(description="Who said so; null when the account is closed.")
    async def operator(self, info: Info) -> User | None:
        return await load_node(info, User, self.operator_key)


async def resolutions_of_payment(info: Info, payment: models.Payment) -> list[PaymentResolution]:
    """What was said about the end of a payment, oldest first; nothing to most viewers."""
    viewer = await info.context.viewer()
    if viewer is None or not viewer.sees_everything:
        return []
    rows = await info.context.batched(queries.resolutions_of, payment.id) or []
    attempts = await info.context.batched(attempts_of, payment.id) or []
    alive = next((each for each in attempts if each.dead_at is None), None)
    proposal = resolving.open_proposal(rows, payment, alive)
    return [PaymentResolution.from_model(row, is_open=row is proposal) for row in rows]


@strawberry.input(description="How a payment ended, as an operator has found out by other ways.")
class ResolveUnknownInput:
    payment_id: strawberry.ID = strawberry.field(
        description=(
            "One that is past its deadline and UNKNOWN, or SENT with an open discrepancy; or one "
            "with the open discrepancy CANNOT_LOOK_UP. Not one's own."
        )
    )
    outcome: PaymentStatus = strawberry.field(
        description=(
            "COMPLETED: all of it arrived. FAILED: nothing did, or no more than `arrived`, and "
            "nothing can any more."
        )
    )
    arrived: AmountInput | None = strawberry.field(
        default=None,
        description=(
            "With FAILED the part that arrived, in the receiver's asset; null: nothing. With "
            "COMPLETED needed only where what was to arrive was never fixed."
        ),
    )
    debited: AmountInput | None = strawberry.field(
        default=None,
        description=(
            "What left the payer's wallet, in its asset; null: what the payment's quote says. "
            "Needed between two assets before there was a quote."
        ),
    )
    evidence_url: URL = strawberry.field(
        description=(
            "Where that can be seen: a page of the wallet, a provider's ticket. Nothing is read "
            "from there. Another one than the proposal's."
        )
    )
    note: str = strawberry.field(description="What is to be seen there: at most 2000 characters.")
    idempotency_key: UUID = strawberry.field(description="A fresh one per decision.")


def _amount(given: AmountInput | None, path: str) -> op.Amount | None:
    return None if given is None else given.to_amount(path=(path,))


@rule(WITH_PARENT)
@strawberry.type(description="What became of an operator's word.")
class ResolveUnknownPayload(Payload):
    payment: Payment | None = strawberry.field(
        default=None,
        description=(
            "It, as it is now: over when this was the second word. Null when there are errors."
        ),
    )


@strawberry.type
class ResolutionMutation:
    @mutation(
        description=(
            "Say how a payment ended of which no wallet says it. For operators: the first one "
            "proposes, another one who says the same with other evidence carries it out; anything "
            "else that is said takes the proposal's place. Whatever the wallets show meanwhile "
            "comes first. Safe to repeat with the same key."
        ),
        moves_money=True,
    )
    async def resolve_unknown_payment(
        self, info: Info, input: ResolveUnknownInput
    ) -> ResolveUnknownPayload:
        user = await info.context.require_user()
        row = await info.context.db(
            resolving.resolve_unknown_payment,
            user=user,
            payment_id=decode_id(input.payment_id, type_name="Payment", path=("paymentId",)),
            outcome=input.outcome,
            evidence_url=input.evidence_url,
            note=input.note,
            arrived=_amount(input.arrived, "arrived"),
            debited=_amount(input.debited, "debited"),
            idempotency_key=input.idempotency_key,
            now=info.context.now(),
        )
        return ResolveUnknownPayload(payment=Payment.from_model(row))
