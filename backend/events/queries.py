"""Reading a topic: pages, its newest event, and whether a cursor can still be served."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from backend.events.cursors import BadCursor, CursorExpired
from backend.events.models import Event, Topic

PAGE = 100
# Fewer topics than this are read right away; of more it is first asked which have grown.
_FEW = 4


def page_after(*, topic: str, seq: int, limit: int = PAGE) -> list[Event]:
    """The next `limit` events after `seq`, in order."""
    return list(Event.objects.filter(topic=topic, seq__gt=seq).order_by("seq")[:limit])


def pages_after(places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], list[Event]]:
    """The next PAGE events after each (topic, seq), in order; left out where there are none."""
    if len(places) > _FEW:
        names = {topic for topic, _ in places}
        last = dict(Topic.objects.filter(name__in=names).values_list("name", "last_seq"))
        places = [(topic, seq) for topic, seq in places if last.get(topic, 0) > seq]
    found = {(topic, seq): page_after(topic=topic, seq=seq) for topic, seq in places}
    return {place: events for place, events in found.items() if events}


def newest(*, topic: str) -> Event | None:
    """The last event of `topic`; None when it has none, or none any more."""
    return Event.objects.filter(topic=topic).order_by("-seq").first()


def oldest_kept(*, topic: str) -> int:
    """The number of the oldest event of `topic` that is still there; of the next one if none is."""
    oldest = Event.objects.filter(topic=topic).order_by("seq").values_list("seq", flat=True).first()
    return oldest or last_seq(topic=topic) + 1


def last_seq(*, topic: str) -> int:
    """The number of the newest event ever emitted; 0 when there was none."""
    return Topic.objects.filter(name=topic).values_list("last_seq", flat=True).first() or 0


def check_resumable(*, topic: str, seq: int) -> None:
    """Make sure that every event after `seq` still exists.

    Raises:
        BadCursor: the topic has not got as far as `seq`.
        CursorExpired: an event after `seq` has been deleted.
    """
    last = last_seq(topic=topic)
    if seq > last:
        raise ahead_of_its_feed()
    # Counted after reading `last`: an event emitted in between only makes it larger.
    if Event.objects.filter(topic=topic, seq__gt=seq).count() < last - seq:
        raise CursorExpired(
            _("Events after this cursor are no longer kept. Read the object, then subscribe anew."),
            path=("after",),
        )


def ahead_of_its_feed() -> BadCursor:
    """The refusal of a cursor that its topic has not got as far as, or that has no topic."""
    return BadCursor(_("This cursor is ahead of its feed."), path=("after",))
