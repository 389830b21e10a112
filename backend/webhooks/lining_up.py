"""From events to deliveries: one for each endpoint that is to be told."""

from datetime import datetime

from backend.events.models import Event
from backend.events.relay import reader
from backend.webhooks.audience import audience
from backend.webhooks.models import WebhookDelivery
from backend.webhooks.status import DeliveryStatus


@reader
def put_down(events: list[Event], now: datetime) -> None:
    """Write the deliveries of a batch; those that are there already stay as they are."""
    WebhookDelivery.objects.bulk_create(
        (
            WebhookDelivery(
                endpoint=endpoint,
                event_id=event.id,
                topic=event.topic,
                seq=event.seq,
                name=name,
                event_at=event.at,
                created_at=now,
                # Kept for a replay, while the endpoint is off.
                **(
                    {"due_at": now}
                    if endpoint.disabled_at is None
                    else {"status": DeliveryStatus.MISSED, "ended_at": now}
                ),
            )
            for event, endpoint, name in audience(events)
        ),
        batch_size=500,
        ignore_conflicts=True,
    )
