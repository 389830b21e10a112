"""From the outbox to those who read it: every event once, in the order of its topic, no gap.

Readers write their rows in the transaction that moves the topic's `relayed_seq`: whatever is
killed in between has done nothing, and whatever is done twice finds its rows there.
"""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from backend.events.models import Event, Topic

TOPICS = 100
EVENTS = 500

# Called with a batch of events and the time, inside the transaction.
Reader = Callable[[list[Event], datetime], None]
_READERS: list[Reader] = []


def reader(read: Reader) -> Reader:
    """Have `read` write down what it wants of every event, once, before the relay goes on.

    For apps above this one. It has to be short and to bear with any event: while it fails, nothing
    is relayed to anybody, and nothing is lost. It may see an event again, and writes nothing then.
    """
    _READERS.append(read)
    return read


def relay(*, now: datetime) -> int:
    """Hand what has happened since to every reader; return how many events there were.

    Safe to repeat, and to run at once. Topics that somebody writes to just now are left to the
    next round: nobody waits for a writer, and no writer for more than this.
    """
    read = 0
    while batch := _relay_batch(now):
        read += batch
    return read


def _relay_batch(now: datetime) -> int:
    not_relayed = Topic.objects.filter(last_seq__gt=F("relayed_seq"))
    # On SQLite a transaction takes the write lock, so none is opened for nothing.
    if not not_relayed.exists():
        return 0
    with transaction.atomic():
        topics = not_relayed.order_by("name").select_for_update(skip_locked=True, no_key=True)
        after = dict(topics.values_list("name", "relayed_seq")[:TOPICS])
        events = _events_behind(after)
        for read in _READERS:
            read(events, now)
        for name, seq in _how_far(after, events).items():
            Topic.objects.filter(name=name).update(relayed_seq=seq)
    return len(events)


def _events_behind(after: dict[str, int]) -> list[Event]:
    if not after:
        return []
    wanted = Q()
    for name, seq in after.items():
        wanted |= Q(topic=name, seq__gt=seq)
    return list(Event.objects.filter(wanted).order_by("topic", "seq")[:EVENTS])


def _how_far(after: dict[str, int], events: list[Event]) -> dict[str, int]:
    """The last number that was read of each topic.

    One whose events were forgotten before they were read has none: it is read up to its end.
    """
    reached = {event.topic: event.seq for event in events}
    if len(events) < EVENTS:
        for topic in Topic.objects.filter(name__in=after.keys() - reached.keys()):
            reached[topic.name] = topic.last_seq
    return reached
