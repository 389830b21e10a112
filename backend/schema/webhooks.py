"""Webhook endpoints of one's own, what each was told, and telling it again."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

import strawberry
from django.db.models import QuerySet

from backend.accounts.models import User
from backend.events import cursors
from backend.known import as_known
from backend.schema.connections import After, Connection, First, Span, nested_page, page
from backend.schema.context import Info
from backend.schema.enums import describe_values
from backend.schema.errors import Payload, mutation
from backend.schema.nodes import Node, decode_id
from backend.schema.permissions import WITH_PARENT, rule, visible_rows
from backend.schema.scalars import URL, EventCursor
from backend.webhooks import models, queries, services
from backend.webhooks.names import PayloadFormat
from backend.webhooks.status import DeliveryStatus, DisabledBecause, Flaw

strawberry.enum(
    PayloadFormat, name="WebhookFormat", description="How an endpoint wants to be told."
)
describe_values(
    PayloadFormat,
    STANDARD="Type, timestamp and data, as Standard Webhooks recommends, with a cursor.",
    GUIDE=(
        "The flat object of the integration guide, for payment.completed and payment.failed of "
        "payments that fund a job: handlers written for the guide take it unchanged."
    ),
)
strawberry.enum(
    DeliveryStatus, name="WebhookDeliveryStatus", description="Whether an event was taken."
)
describe_values(
    DeliveryStatus,
    PENDING="It is being brought, or tried again at nextAttemptAt.",
    DELIVERED="The endpoint answered with 2xx.",
    MISSED="Given up after the last try, or the endpoint was off. replayEvents brings it.",
)
strawberry.enum(
    DisabledBecause, name="WebhookDisabledBecause", description="Why an endpoint is off."
)
describe_values(
    DisabledBecause,
    OWNER="Its owner switched it off.",
    GONE="It answered 410, which asks for no more.",
    FAILING="It took nothing for five days.",
)
strawberry.enum(
    Flaw, name="WebhookFlaw", description="What was wrong with an attempt. Values may be added."
)
describe_values(
    Flaw,
    REFUSED="It answered, and not with 2xx; redirects are not followed.",
    TIMEOUT="It did not answer within 15 seconds.",
    UNREACHABLE="Nobody could be connected to, or the connection broke.",
    FORBIDDEN="The URL leads to where we do not go, such as a private network.",
    BAD_ANSWER="An answer came that is no proper HTTP, or is compressed unasked.",
)


@rule(WITH_PARENT)
@strawberry.type(description="One request to an endpoint. What it answered is not kept.")
class WebhookAttempt:
    number: int = strawberry.field(description="1 for the first request of this delivery.")
    at: datetime = strawberry.field(description="When the request began.")
    duration_ms: int = strawberry.field(description="Until it was answered or broke, in ms.")
    status_code: int | None = strawberry.field(
        description="The HTTP status of its answer; null when none came."
    )
    flaw: Flaw | None = strawberry.field(description="Null when the event was taken.")

    @classmethod
    def of(cls, row: models.WebhookAttempt) -> Self:
        return cls(
            number=row.number,
            at=row.at,
            duration_ms=row.duration_ms,
            status_code=row.status_code,
            flaw=Flaw(row.flaw) if row.flaw else None,
        )


@rule(queries.deliveries_visible_to)
@strawberry.type(
    description="One event for one endpoint. Seen by the endpoint's owner, operators and auditors."
)
class WebhookDelivery(Node):
    event_id: UUID = strawberry.field(
        description="What every request of it carries as webhook-id: the event's own id."
    )
    type: str = strawberry.field(description="The event's name, as in the body's `type`.")
    topic: str = strawberry.field(description="The feed it is of; replayEvents takes it.")
    cursor: EventCursor = strawberry.field(
        description="Its place in that feed, as in the body; grows with every event of the topic."
    )
    event_at: datetime = strawberry.field(description="When it happened.")
    status: DeliveryStatus = strawberry.field(description="Whether it was taken.")
    attempts_made: int = strawberry.field(description="How many requests were made for it.")
    next_attempt_at: datetime | None = strawberry.field(
        description=(
            "When it is tried next, at the earliest: events of a topic wait for those before them. "
            "Null unless PENDING."
        )
    )
    ended_at: datetime | None = strawberry.field(
        description="When it was taken or given up; null while PENDING."
    )

    @strawberry.field(
        description="The newest 20 of the requests that were made for it, in their order."
    )
    async def attempts(self, info: Info) -> list[WebhookAttempt]:
        found = await info.context.batched(queries.attempts_of, self.key)
        return [WebhookAttempt.of(row) for row in found or []]

    @classmethod
    def from_model(cls, row: models.WebhookDelivery) -> Self:
        return cls(
            key=row.id,
            event_id=row.event_id,
            type=row.name,
            topic=row.topic,
            cursor=EventCursor(cursors.encode(topic=row.topic, seq=row.seq)),
            event_at=row.event_at,
            status=as_known(row.status, otherwise=DeliveryStatus.PENDING),
            attempts_made=row.attempts_made,
            next_attempt_at=row.due_at,
            ended_at=row.ended_at,
        )


def _pending(viewer: User | None) -> QuerySet[models.WebhookDelivery]:
    return queries.deliveries_visible_to(viewer).filter(status=DeliveryStatus.PENDING)


def _delivered(viewer: User | None) -> QuerySet[models.WebhookDelivery]:
    return queries.deliveries_visible_to(viewer).filter(status=DeliveryStatus.DELIVERED)


def _missed(viewer: User | None) -> QuerySet[models.WebhookDelivery]:
    return queries.deliveries_visible_to(viewer).filter(status=DeliveryStatus.MISSED)


_DELIVERIES = {
    None: queries.deliveries_visible_to,
    DeliveryStatus.PENDING: _pending,
    DeliveryStatus.DELIVERED: _delivered,
    DeliveryStatus.MISSED: _missed,
}


@rule(queries.endpoints_visible_to)
@strawberry.type(
    description=(
        "A URL that is told what happens, by signed requests: docs/webhooks.md. Seen by its owner, "
        "operators and auditors; only its owner changes it."
    )
)
class WebhookEndpoint(Node):
    url: URL = strawberry.field(description="Where the requests go.")
    events: list[str] = strawberry.field(
        description="The names it asked for; one that ends in * stands for all that begin so."
    )
    format: PayloadFormat = strawberry.field(description="How it is told.")
    everything: bool = strawberry.field(
        description="Whether it hears what concerns others too, as operators and auditors may."
    )
    active: bool = strawberry.field(description="Whether it is told anything.")
    disabled_because: DisabledBecause | None = strawberry.field(
        description="Who or what switched it off; null while it is on."
    )
    disabled_at: datetime | None = strawberry.field(
        description="Since when it is off; null while it is on."
    )
    failing_since: datetime | None = strawberry.field(
        description=(
            "Since when it has taken nothing; after five days it is switched off. Null while it "
            "takes what it is told."
        )
    )
    previous_secret_until: datetime | None = strawberry.field(
        description="Until then the secret before signs too; null if it was never rotated."
    )
    created_at: datetime = strawberry.field(description="When it was made; it hears nothing older.")

    @strawberry.field(description="What it was told in the last 30 days, newest first.")
    async def deliveries(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        status: Annotated[
            DeliveryStatus | None,
            strawberry.argument(description="Only those that stand there. Left out: all."),
        ] = None,
    ) -> Connection[WebhookDelivery]:
        return await nested_page(
            info,
            _DELIVERIES[status],
            parent_field="endpoint_id",
            parent_id=self.key,
            convert=WebhookDelivery.from_model,
            first=first,
            after=after,
        )

    @classmethod
    def from_model(cls, row: models.WebhookEndpoint) -> Self:
        because = row.disabled_because
        return cls(
            key=row.id,
            url=URL(row.url),
            events=row.events,
            format=PayloadFormat(row.payload_format),
            everything=row.everything,
            active=row.disabled_at is None,
            disabled_because=DisabledBecause(because) if because else None,
            disabled_at=row.disabled_at,
            failing_since=row.failing_since,
            previous_secret_until=row.previous_secret_until,
            created_at=row.created_at,
        )


@strawberry.input(description="A URL to be told what happens.")
class WebhookInput:
    url: URL = strawberry.field(
        description="https on the public internet; redirects are not followed."
    )
    events: list[str] = strawberry.field(
        description=(
            "Names such as payment.status, or beginnings such as user.*, or * for all that one may "
            "hear: docs/webhooks.md lists them."
        )
    )
    format: PayloadFormat = strawberry.field(
        default=PayloadFormat.STANDARD, description="How it wants to be told; it cannot change."
    )
    everything: bool = strawberry.field(
        default=False,
        description="Hear what concerns others too. For operators and auditors.",
    )


@strawberry.input(description="What is to change of an endpoint; what is left out stays.")
class UpdateWebhookInput:
    endpoint_id: strawberry.ID = strawberry.field(description="One of one's own.")
    url: URL | None = strawberry.field(default=None, description="Where requests go from now on.")
    events: list[str] | None = strawberry.field(
        default=None, description="The names it asks for from now on, all of them."
    )
    active: bool | None = strawberry.field(
        default=None, description="Switch it off, or on again after it was switched off."
    )


@strawberry.input(description="An endpoint of one's own.")
class WebhookEndpointIdInput:
    endpoint_id: strawberry.ID = strawberry.field(description="One of one's own.")


@strawberry.input(
    description="Which events are brought again: `since`, or `topic` with `after`, not both."
)
class ReplayInput:
    endpoint_id: strawberry.ID = strawberry.field(
        description="One of one's own that is active; for operators anybody's."
    )
    since: datetime | None = strawberry.field(
        default=None, description="Of all topics, what happened then or later."
    )
    topic: str | None = strawberry.field(
        default=None, description="Of this one, as a webhook's body or a delivery names it."
    )
    after: EventCursor | None = strawberry.field(
        default=None, description="What is behind this cursor of the topic."
    )
    include_delivered: bool = strawberry.field(
        default=False, description="Also what it took already, for a receiver that lost it."
    )


@strawberry.input(description="One event to bring again.")
class ReplayDeliveryInput:
    delivery_id: strawberry.ID = strawberry.field(
        description="Of an endpoint of one's own; for operators of anybody's."
    )


@rule(WITH_PARENT)
@strawberry.type(description="What became of an endpoint.")
class WebhookPayload(Payload):
    endpoint: WebhookEndpoint | None = strawberry.field(
        default=None, description="As it is now; null when it is gone or there are errors."
    )
    signing_secret: str | None = strawberry.field(
        default=None,
        description=(
            "What the endpoint verifies with. Shown once, when it is made or rotated; else null."
        ),
    )
    replayed: int | None = strawberry.field(
        default=None,
        description="How many events are being brought again; null but in replayEvents.",
    )


@rule(WITH_PARENT)
@strawberry.type(description="What became of bringing an event again.")
class WebhookDeliveryPayload(Payload):
    delivery: WebhookDelivery | None = strawberry.field(
        default=None, description="In line again; null when there are errors."
    )


@strawberry.type
class WebhookQuery:
    @strawberry.field(
        description=(
            "One's own webhook endpoints, newest first; operators and auditors see everybody's."
        )
    )
    async def webhook_endpoints(
        self, info: Info, first: First = None, after: After = None
    ) -> Connection[WebhookEndpoint]:
        rows = visible_rows("WebhookEndpoint", await info.context.viewer())
        return await page(
            info, rows, Span(first=first, after=after), convert=WebhookEndpoint.from_model
        )


@strawberry.type
class WebhookMutation:
    @mutation(
        description=(
            "Be told what happens from now on, by signed requests to a URL of one's own. The "
            "answer holds the signing secret, this once. A repetition makes another endpoint."
        )
    )
    async def create_webhook_endpoint(self, info: Info, input: WebhookInput) -> WebhookPayload:
        user = await info.context.require_user()
        made = await info.context.db(
            services.create_endpoint,
            owner=user,
            url=input.url,
            events=input.events,
            payload_format=input.format,
            everything=input.everything,
            now=info.context.now(),
        )
        return _with_secret(made)

    @mutation(
        description=(
            "Change an endpoint, or switch it off or on. What happens while it is off is kept for "
            "replayEvents. Safe to repeat."
        )
    )
    async def update_webhook_endpoint(
        self, info: Info, input: UpdateWebhookInput
    ) -> WebhookPayload:
        user = await info.context.require_user()
        row = await info.context.db(
            services.update_endpoint,
            user=user,
            endpoint_id=_endpoint_id(input.endpoint_id),
            url=input.url,
            events=input.events,
            active=input.active,
            now=info.context.now(),
        )
        return WebhookPayload(endpoint=WebhookEndpoint.from_model(row))

    @mutation(
        description="Remove an endpoint and its log. A repetition is answered with NOT_FOUND."
    )
    async def delete_webhook_endpoint(
        self, info: Info, input: WebhookEndpointIdInput
    ) -> WebhookPayload:
        user = await info.context.require_user()
        await info.context.db(
            services.delete_endpoint, user=user, endpoint_id=_endpoint_id(input.endpoint_id)
        )
        return WebhookPayload()

    @mutation(
        description=(
            "Sign with a new secret, which the answer holds this once. For 24 hours the one before "
            "signs as well. A repetition makes yet another, and only the last two sign."
        )
    )
    async def rotate_webhook_secret(
        self, info: Info, input: WebhookEndpointIdInput
    ) -> WebhookPayload:
        user = await info.context.require_user()
        made = await info.context.db(
            services.rotate_secret,
            user=user,
            endpoint_id=_endpoint_id(input.endpoint_id),
            now=info.context.now(),
        )
        return _with_secret(made)

    @mutation(
        description=(
            "Bring again, now, what an endpoint has not taken. Requests carry the webhook-id that "
            "they had. Safe to repeat: what was taken meanwhile is not brought again."
        )
    )
    async def replay_events(self, info: Info, input: ReplayInput) -> WebhookPayload:
        user = await info.context.require_user()
        row, replayed = await info.context.db(
            services.replay_events,
            user=user,
            endpoint_id=_endpoint_id(input.endpoint_id),
            since=input.since,
            topic=input.topic,
            after=input.after,
            include_delivered=input.include_delivered,
            now=info.context.now(),
        )
        return WebhookPayload(endpoint=WebhookEndpoint.from_model(row), replayed=replayed)

    @mutation(
        description=(
            "Bring one event again, now, also one that was taken. A repetition brings it once more."
        )
    )
    async def replay_webhook_delivery(
        self, info: Info, input: ReplayDeliveryInput
    ) -> WebhookDeliveryPayload:
        user = await info.context.require_user()
        row = await info.context.db(
            services.replay_delivery,
            user=user,
            delivery_id=decode_id(
                input.delivery_id, type_name="WebhookDelivery", path=("deliveryId",)
            ),
            now=info.context.now(),
        )
        return WebhookDeliveryPayload(delivery=WebhookDelivery.from_model(row))


def _endpoint_id(id: strawberry.ID) -> UUID:
    return decode_id(id, type_name="WebhookEndpoint", path=("endpointId",))


def _with_secret(made: services.Secretive) -> WebhookPayload:
    return WebhookPayload(
        endpoint=WebhookEndpoint.from_model(made.endpoint), signing_secret=made.secret
    )
