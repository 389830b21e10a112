"""The progress of a payment, live."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Annotated
from uuid import UUID

import strawberry
from django.utils.translation import gettext_lazy as _

from backend.errors import NotFound
from backend.events.feed import read_alone
from backend.known import as_known
from backend.payments import models, queries
from backend.payments.status import TERMINAL, PaymentStatus
from backend.schema.context import Context, Info
from backend.schema.nodes import decode_id
from backend.schema.payments import Payment, attempts_of
from backend.schema.permissions import WITH_PARENT, rule, visible_rows
from backend.schema.scalars import EventCursor
from backend.schema.subscriptions import follow, has_seen_everything, selected_names

# The fields of a payment that are read from its attempts.
_FROM_ATTEMPTS = frozenset({"attempts", "incomingPaymentUrl", "quoteUrl", "outgoingPaymentUrl"})


@rule(WITH_PARENT)
@strawberry.type(description="A change of a payment's status, or a snapshot of it.")
class PaymentStatusEvent:
    cursor: EventCursor = strawberry.field(description="Pass as `after` to resume behind this.")
    status: PaymentStatus = strawberry.field(description="The status that this event announced.")
    previous: PaymentStatus | None = strawberry.field(
        description="The status before; null in a snapshot and at the start."
    )
    payment: Payment = strawberry.field(description="The payment as it is now.")
    terminal: bool = strawberry.field(description="Whether this is the last event.")


@strawberry.type
class PaymentSubscription:
    @strawberry.subscription(
        description=(
            "A payment's progress. Without `after` the first item is the present state; with it, "
            "exactly the events behind that cursor, each once, in order. Completes after the "
            "terminal event."
        )
    )
    async def payment_status(
        self,
        info: Info,
        payment_id: Annotated[
            strawberry.ID,
            strawberry.argument(description="Of one that the viewer may see, by its `id`."),
        ],
        after: Annotated[
            EventCursor | None,
            strawberry.argument(
                description="The last `cursor` that arrived. Left out: from the present state on."
            ),
        ] = None,
    ) -> AsyncGenerator[PaymentStatusEvent, None]:
        key = decode_id(payment_id, type_name="Payment", path=("paymentId",))
        topic = f"payment:{key}"
        look = partial(_look, info.context, key, selected_names(info))
        if after is not None:
            # Read before the feed: whatever ends the payment after this is an event behind `after`.
            seen = await info.context.db(look)
            if seen.payment.status in TERMINAL and await has_seen_everything(
                info, topic=topic, after=after
            ):
                return
        read = partial(read_alone, look=look)
        async with aclosing(follow(info, topic=topic, after=after, read=read)) as steps:
            async for step in steps:
                step.seen.show(info.context)
                payment = step.seen.payment
                announced = step.event.payload if step.event else {"status": payment.status}
                status = as_known(announced["status"], otherwise=PaymentStatus.UNKNOWN)
                before = None if step.is_snapshot else announced["previous"]
                yield PaymentStatusEvent(
                    cursor=step.cursor,
                    status=status,
                    previous=as_known(before, otherwise=PaymentStatus.UNKNOWN) if before else None,
                    payment=Payment.from_model(payment),
                    terminal=status in TERMINAL,
                )
                if status in TERMINAL:
                    return


@dataclass(frozen=True, slots=True)
class _Seen:
    """A payment and what hangs on it, read together. None: nobody asked for those."""

    payment: models.Payment
    grants: dict[UUID, models.Grant] | None
    attempts: dict[UUID, list[models.Attempt]] | None

    def show(self, context: Context) -> None:
        """Have the resolvers of the next item find this, and nothing older."""
        context.forget()
        if self.grants is not None:
            context.remember(queries.current_grants, self.payment.id, self.grants)
        if self.attempts is not None:
            context.remember(attempts_of, self.payment.id, self.attempts)


def _look(context: Context, key: UUID, selected: frozenset[str]) -> _Seen:
    rows = visible_rows("Payment", context.viewer_of_stream()).filter(pk=key)
    # Not first(): ordering one row costs a quarter of the query.
    payment = next(iter(rows), None)
    if payment is None:
        raise NotFound(_("There is no such payment."), path=("paymentId",))
    return _Seen(
        payment=payment,
        grants=queries.current_grants([key]) if "grant" in selected else None,
        attempts=attempts_of([key]) if selected & _FROM_ATTEMPTS else None,
    )
