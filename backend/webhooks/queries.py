"""What may be read of webhooks, and by whom."""

from uuid import UUID

from django.db.models import QuerySet

from backend.accounts.models import User
from backend.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint


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
    """The requests that were made for each delivery, in their order."""
    found: dict[UUID, list[WebhookAttempt]] = {id: [] for id in delivery_ids}
    for attempt in WebhookAttempt.objects.filter(delivery_id__in=delivery_ids).order_by("number"):
        found[attempt.delivery_id].append(attempt)
    return found
