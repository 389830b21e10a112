"""From events to mails: one for each event that is worth it to its reader."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.conf import settings

from backend.accounts.models import User
from backend.events.models import Event
from backend.events.relay import reader
from backend.notifications.kinds import KINDS, TYPES, Kind, Side
from backend.notifications.models import Mail
from backend.notifications.subjects import people_on_sides, subject_of


@reader
def line_up(events: list[Event], now: datetime) -> None:
    """Write the mails of a batch; those that are there already stay as they are.

    None while no mail server is configured: nobody gets the news of last week once there is one.
    """
    if not settings.SENDS_MAIL:
        return
    of_people = [event for event in events if event.type in TYPES and _reader_of(event)]
    if not of_people:
        return
    Mail.objects.bulk_create(
        (
            Mail(
                recipient_id=user_id,
                event_id=event.id,
                event_at=event.at,
                subject_id=subject_id,
                kind=kind.name,
                due_at=now,
                created_at=now,
            )
            for event, subject_id, user_id, kind in _worth_a_mail(of_people)
        ),
        batch_size=500,
        ignore_conflicts=True,
    )


def _worth_a_mail(events: list[Event]) -> Iterator[tuple[Event, UUID, UUID, Kind]]:
    readers = {user_id for event in events if (user_id := _reader_of(event))}
    known = set(User.objects.filter(id__in=readers).values_list("id", flat=True))
    sides = people_on_sides(events)
    for event in events:
        user_id = _reader_of(event)
        if event.subject_id is None or user_id not in known or user_id == event.actor_id:
            continue
        if kind := _kind_for(event, user_id, sides.get(event.subject_id, {})):
            yield event, event.subject_id, user_id, kind


def _kind_for(event: Event, user_id: UUID, sides: dict[Side, UUID | None]) -> Kind | None:
    theirs = {side for side, person in sides.items() if person == user_id}
    if not theirs and (others := subject_of(event.type).others) is not None:
        theirs.add(others)
    for kind in KINDS:
        if kind.to in theirs and kind.is_about(event.type, event.payload):
            return kind
    return None


def _reader_of(event: Event) -> UUID | None:
    """Whose feed an event is in; None: that of no person."""
    kind, _, key = event.topic.partition(":")
    try:
        return UUID(key) if kind == "user" else None
    except ValueError:
        return None
