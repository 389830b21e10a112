"""What events keep of people: each one's feed, and who did what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from backend.accounts.models import User
from backend.accounts.personal import ERASED, KEPT, PersonalData
from backend.events.models import Event
from backend.events.retention import forget


class FeedData(PersonalData):
    """Rows of the outbox. Their payloads are ids, statuses and sums."""

    relations: ClassVar[Mapping[str, str]] = {
        "events.Event.actor": f"{KEPT}in feeds of others, by id, for the 30 days that events last",
        "events.Event.topic": f"{ERASED}: the events of their own feed",
        "events.Topic.name": f"{KEPT}their id, and how far the feed had come",
    }

    def erase(self, person: User, *, now: datetime) -> None:
        forget(Event.objects.filter(topic=f"user:{person.pk}"))
