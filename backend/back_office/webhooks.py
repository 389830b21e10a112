"""Endpoints, what each of them was told, and bringing it again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backend.admin_pages import ReadOnlyAdmin, ReadOnlyInline
from backend.back_office.actions import act
from backend.back_office.deeds import DeedAdmin, DeedForm, Offer
from backend.clock import SYSTEM_CLOCK
from backend.webhooks.models import (
    InboundEvent,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from backend.webhooks.services import replay_delivery, replay_events

# As long as the log is kept.
ALL_THAT_IS_KEPT = timedelta(days=30)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(DeedAdmin):
    list_display = ("url", "owner", "payload_format", "everything", "failing_since", "off")
    list_filter = ("disabled_because", "payload_format", "everything")
    list_select_related = ("owner",)
    search_fields = ("id", "url", "owner__email")
    exclude = ("secret", "previous_secret")

    @admin.display(description=gettext_lazy("off because"))
    def off(self, row: WebhookEndpoint) -> str:
        return row.disabled_because

    def offers(self, request: HttpRequest, row: WebhookEndpoint) -> list[Offer]:
        if row.disabled_at is not None:
            return []
        return [
            Offer(
                deed="replay",
                says=_("Bring again what it missed"),
                explained=_("All that it has not taken, as far as the log goes back: 30 days."),
                form=DeedForm(),
            )
        ]

    def replay(self, request: HttpRequest, row: WebhookEndpoint, answers: dict[str, Any]) -> None:
        now = SYSTEM_CLOCK.now()
        act(
            request,
            row,
            _("Brought again what it missed"),
            lambda operator: replay_events(
                user=operator, endpoint_id=row.id, since=now - ALL_THAT_IS_KEPT, now=now
            ),
        )

    deeds: ClassVar = {"replay": (DeedForm, replay)}


class AttemptInline(ReadOnlyInline):
    model = WebhookAttempt
    fields = ("number", "at", "duration_ms", "status_code", "flaw")


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(DeedAdmin):
    list_display = ("name", "event_at", "endpoint_url", "status", "attempts_made", "due_at")
    list_filter = ("status",)
    list_select_related = ("endpoint",)
    search_fields = ("id", "event_id", "topic", "=endpoint__id")
    ordering = ("-id",)
    inlines = (AttemptInline,)

    @admin.display(description=gettext_lazy("endpoint"))
    def endpoint_url(self, row: WebhookDelivery) -> str:
        return row.endpoint.url

    def offers(self, request: HttpRequest, row: WebhookDelivery) -> list[Offer]:
        if row.endpoint.disabled_at is not None:
            return []
        return [Offer(deed="replay", says=_("Bring it again now"), form=DeedForm())]

    def replay(self, request: HttpRequest, row: WebhookDelivery, answers: dict[str, Any]) -> None:
        act(
            request,
            row,
            _("Brought it again"),
            lambda operator: replay_delivery(
                user=operator, delivery_id=row.id, now=SYSTEM_CLOCK.now()
            ),
        )

    deeds: ClassVar = {"replay": (DeedForm, replay)}


@admin.register(InboundEvent)
class InboundEventAdmin(ReadOnlyAdmin):
    list_display = ("event_id", "type", "payments", "received_at")
    search_fields = ("event_id",)
