"""What may be read of webhooks, and by whom."""

from uuid import UUID

from django.db.models import F, QuerySet

from backend.accounts.models import User
from backend.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint

# What one delivery shows: whoever replays it makes another request each time.
MOST_ATTEMPTS = 20


def endpoints_visible_to(user: User | None) -> QuerySet[WebhookEndpoint]:
    """The endpoints of `user`; operators and auditors see all."""
    if user is None:
        return WebhookEndpoint.objects.none()
    if user.sees_everything:
        return WebhookEndpoint.objects.all()
    return WebhookEndpoint.objects.filter(owner=user)


def deliveries_visible_to(user: User | None) -> QuerySet[WebhookDelivery]:
    """What those endpoints were told."""
    return WebhookDelivery.objects.filter(endpoint__in=endpoints_visible_to(user))


def attempts_of(delivery_ids: list[UUID]) -> dict[UUID, list[WebhookAttempt]]:
    """The newest requests that were made for each delivery, in their order."""
    found: dict[UUID, list[WebhookAttempt]] = {id: [] for id in delivery_ids}
    newest = WebhookAttempt.objects.filter(
        delivery_id__in=delivery_ids, number__gt=F("delivery__attempts_made") - MOST_ATTEMPTS
    )
    for attempt in newest.order_by("number"):
        found[attempt.delivery_id].append(attempt)
    return found
