from django.contrib import admin

from backend.payments.admin import ReadOnlyAdmin
from backend.webhooks.models import (
    InboundEvent,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ReadOnlyAdmin):
    list_display = ("url", "owner", "payload_format", "everything", "disabled_because")
    list_filter = ("disabled_because", "payload_format", "everything")
    search_fields = ("id", "url", "owner__email")
    exclude = ("secret", "previous_secret")


class AttemptInline(admin.TabularInline):  # type: ignore[type-arg]
    model = WebhookAttempt
    fields = ("number", "at", "duration_ms", "status_code", "flaw")
    extra = 0
    can_delete = False


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    list_display = ("name", "event_id", "endpoint", "status", "attempts_made", "due_at")
    list_filter = ("status",)
    search_fields = ("id", "event_id", "topic")
    inlines = (AttemptInline,)


@admin.register(InboundEvent)
class InboundEventAdmin(ReadOnlyAdmin):
    list_display = ("event_id", "type", "payments", "received_at")
    search_fields = ("event_id",)
