"""Forgetting: events are kept for a while, so that a client can resume, and then deleted."""

from datetime import datetime, timedelta

import pgtrigger
from django.db import connection, transaction
from django.db.models import QuerySet

from backend.events.models import Event

EVENT_RETENTION_DAYS = 30
_BATCH = 1000


def delete_old_events(*, now: datetime, keep_days: int = EVENT_RETENTION_DAYS) -> int:
    """Delete events older than `keep_days` and say how many; safe to repeat and to interrupt.

    Topics keep their last number, so a cursor from before the deletion is answered with
    CURSOR_EXPIRED and never with somebody else's event.
    """
    deleted = 0
    while batch := _delete_batch(before=now - timedelta(days=keep_days)):
        deleted += batch
    return deleted


def _delete_batch(*, before: datetime) -> int:
    ids = list(
        Event.objects.filter(at__lt=before).order_by("at").values_list("id", flat=True)[:_BATCH]
    )
    return forget(Event.objects.filter(id__in=ids)) if ids else 0


def forget(events: QuerySet[Event]) -> int:
    """Delete events and say how many; PostgreSQL refuses every other way."""
    with transaction.atomic():
        if connection.vendor != "postgresql":
            return events.delete()[0]
        with pgtrigger.ignore("events.Event:keep"):
            return events.delete()[0]
