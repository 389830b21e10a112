"""Following a topic from a subscription: a snapshot or a replay first, then live.

Without `after` the first item is the present state, with the cursor of the newest event that it
includes. With `after` there is no snapshot: exactly the events behind that cursor follow, each
once and in order. So a client that always resumes with the last cursor it got misses nothing
and sees nothing twice, over any number of connections and restarts.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

from backend.events import cursors, queries
from backend.events.feed import patiently, tail
from backend.events.models import Event
from backend.schema.context import Info
from backend.schema.scalars import EventCursor


@dataclass(frozen=True, slots=True)
class Step:
    """One item to send. `event` None: a snapshot of an object without events."""

    cursor: EventCursor
    event: Event | None
    is_snapshot: bool


async def follow(
    info: Info, *, topic: str, after: EventCursor | None
) -> AsyncGenerator[Step, None]:
    """Yield the steps of `topic`, for ever. Check that the viewer may see it before, and at
    every step again: the context has forgotten who asks.

    Raises:
        BadCursor, CursorExpired: `after` cannot be resumed from.
        Unauthenticated: the token has stopped working meanwhile.
    """
    if after is None:
        event, seq = await patiently(partial(info.context.db, _present, topic))
        yield Step(_cursor(topic, seq), event, is_snapshot=True)
    else:
        seq = cursors.decode(after, topic=topic)
        check = partial(info.context.db, queries.check_resumable, topic=topic, seq=seq)
        await patiently(check)

    async def recheck() -> None:
        info.context.forget()
        await patiently(info.context.viewer)

    async with aclosing(tail(topic=topic, after=seq, recheck=recheck)) as events:
        async for event in events:
            info.context.forget()
            yield Step(_cursor(topic, event.seq), event, is_snapshot=False)


async def has_seen_everything(info: Info, *, topic: str, after: EventCursor) -> bool:
    """Whether nothing has happened since `after`.

    Raises:
        BadCursor: it is not a cursor of this feed.
    """
    seq = cursors.decode(after, topic=topic)
    return seq == await info.context.db(queries.last_seq, topic=topic)


def _present(topic: str) -> tuple[Event | None, int]:
    event = queries.newest(topic=topic)
    return event, event.seq if event else queries.last_seq(topic=topic)


def _cursor(topic: str, seq: int) -> EventCursor:
    return EventCursor(cursors.encode(topic=topic, seq=seq))
