"""Forgetting: the log is kept as long as the events it is about."""

from datetime import datetime, timedelta

from backend.events.retention import EVENT_RETENTION_DAYS
from backend.webhooks.models import InboundEvent, WebhookDelivery
from backend.webhooks.status import DeliveryStatus

KEPT_FOR = timedelta(days=EVENT_RETENTION_DAYS)
_BATCH = 1000


def forget_old(*, now: datetime) -> int:
    """Delete ended deliveries and hints older than KEPT_FOR; return how many. Safe to repeat.

    Hints outlive the time in which a sender tries again, and that in which one can be replayed.
    """
    before = now - KEPT_FOR
    forgotten, _ = InboundEvent.objects.filter(received_at__lt=before).delete()
    while ids := list(
        WebhookDelivery.objects.filter(event_at__lt=before)
        .exclude(status=DeliveryStatus.PENDING)
        .values_list("id", flat=True)[:_BATCH]
    ):
        WebhookDelivery.objects.filter(id__in=ids).delete()
        forgotten += len(ids)
    return forgotten
