"""Following a topic from a subscription: a snapshot or a replay first, then live.

Without `after` the first item is the present state, with the cursor of the newest event that it
includes. With `after` there is no snapshot: exactly the events behind that cursor follow, each
once and in order. So a client that always resumes with the last cursor it got misses nothing
and sees nothing twice, over any number of connections and restarts.
"""

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from strawberry.types.nodes import SelectedField

from backend.events import cursors, queries
from backend.events.feed import Page, Read, pages, patiently
from backend.events.hub import session_of
from backend.events.models import Event
from backend.schema.context import Info
from backend.schema.scalars import EventCursor
from backend.schema.seats import streams

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Step(Generic[S]):
    """One item to send. `event` None: a snapshot of an object without events.

    `seen` is what `look` returned when the step was read.
    """

    cursor: EventCursor
    event: Event | None
    is_snapshot: bool
    seen: S


async def follow(
    info: Info, *, topic: str, after: EventCursor | None, read: Callable[[str], Read[S]]
) -> AsyncGenerator[Step[S], None]:
    """Yield the steps of `topic`, for ever. `read` makes the topic's reader, see events.feed.

    What the reader's `look` does has to ask whether the viewer may still see it:
    `info.context.viewer_of_stream()` or `viewer_of_crowd()`.

    Raises:
        BadCursor, CursorExpired: `after` cannot be resumed from.
        Unauthenticated: the token does not work, or has stopped working meanwhile.
        RateLimited: the viewer follows too many already.
    """
    viewer = await info.context.viewer()
    with streams.one(str(viewer.pk) if viewer else info.context.holder):
        seq = None
        if after is not None:
            seq = cursors.decode(after, topic=topic)
            check = partial(info.context.db, queries.check_resumable, topic=topic, seq=seq)
            await patiently(check)
        feed = pages(
            topic=topic,
            after=seq,
            read=read(topic),
            session=session_of(viewer.pk) if viewer else "",
            recheck=partial(patiently, info.context.recheck_viewer),
        )
        async with aclosing(feed) as found:
            async for page in found:
                for step in _steps(topic, page):
                    yield step


def _steps(topic: str, page: Page[S]) -> Iterator[Step[S]]:
    if page.is_snapshot:
        newest = page.events[0] if page.events else None
        yield Step(cursor_of(topic, page.seq), newest, True, page.seen)
        return
    for event in page.events:
        yield Step(cursor_of(topic, event.seq), event, False, page.seen)


async def has_seen_everything(info: Info, *, topic: str, after: EventCursor) -> bool:
    """Whether nothing has happened since `after`.

    Raises:
        BadCursor: it is not a cursor of this feed.
    """
    seq = cursors.decode(after, topic=topic)
    return seq == await info.context.db(queries.last_seq, topic=topic)


def selected_names(info: Info) -> frozenset[str]:
    """The names of all fields that the operation selects, at any depth."""
    names = set()
    selections = list(info.selected_fields)
    while selections:
        selection = selections.pop()
        if isinstance(selection, SelectedField):
            names.add(selection.name)
        selections.extend(selection.selections)
    return frozenset(names)


def cursor_of(topic: str, seq: int) -> EventCursor:
    """The cursor of whoever has seen everything of `topic` up to and including `seq`."""
    return EventCursor(cursors.encode(topic=topic, seq=seq))
