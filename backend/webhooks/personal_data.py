"""What webhooks keep of people: their endpoints, and what those were told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from backend.accounts.models import User
from backend.accounts.personal import ERASED, PersonalData
from backend.webhooks.models import WebhookEndpoint


class WebhookData(PersonalData):
    """Endpoints with their secrets, deliveries and attempts."""

    relations: ClassVar[Mapping[str, str]] = {"webhooks.WebhookEndpoint.owner": ERASED}

    def erase(self, person: User, *, now: datetime) -> None:
        WebhookEndpoint.objects.filter(owner=person).delete()

    def export(self, person: User) -> Mapping[str, object]:
        endpoints = WebhookEndpoint.objects.filter(owner=person).order_by("id")
        return {
            "webhookEndpoints": [
                {"url": each.url, "events": each.events, "createdAt": each.created_at}
                for each in endpoints
            ]
        }
