"""Following a topic live: every event after a point, each once, in order."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from django.db import InterfaceError, OperationalError

from backend.events import queries
from backend.events.hub import hub
from backend.events.models import Event
from backend.events.threads import in_database

log = logging.getLogger(__name__)
R = TypeVar("R")
S = TypeVar("S")

RECHECK_SECONDS = 15.0
_RETRY_SECONDS = (0.05, 0.2, 0.5, 1.0, 2.0)


@dataclass(frozen=True, slots=True)
class Page(Generic[S]):
    """Some events, and what was true when they were read.

    A snapshot stands for everything up to `seq`, and has the newest event only, or none.
    """

    events: list[Event]
    seq: int
    seen: S
    is_snapshot: bool


Read = Callable[[int | None], Awaitable[Page[S] | None]]


async def pages(
    *,
    topic: str,
    after: int | None,
    read: Read[S],
    session: str = "",
    recheck: Callable[[], Awaitable[None]] | None = None,
    recheck_seconds: float = RECHECK_SECONDS,
) -> AsyncGenerator[Page[S], None]:
    """Yield every event of `topic` after seq `after`, then wait for more, for ever.

    `after` None begins with a snapshot. `read`, one of the two below, gets what is behind a seq.

    `recheck` is awaited about every `recheck_seconds`, also while nothing happens, and before
    anything is read once the topic `session` was woken: raise in it to end the feed, because a
    token was revoked for instance. A database that goes away is waited for.
    """
    recheck_at = time.monotonic() + recheck_seconds
    # Registered before the first read: an event committed in between sets the waiter.
    ears = hub()
    with ears.waiter(topic, *filter(None, [session])) as waiter:
        while True:
            # Cleared before reading: what is committed after the read sets it again.
            waiter.clear()
            now = time.monotonic()
            if recheck is not None and (waiter.is_suspicious or now >= recheck_at):
                waiter.is_suspicious = False
                recheck_at = now + recheck_seconds
                await recheck()
            page = await patiently(partial(read, after))
            if page is not None:
                after = page.seq
                yield page
                if len(page.events) == queries.PAGE:
                    continue
            waiter.due_at = min(time.monotonic() + ears.poll_seconds, recheck_at)
            await waiter.wait()


def read_alone(topic: str, look: Callable[[], S]) -> Read[S]:
    """A reader of events with what goes with them, for a topic that few follow.

    `look` runs right after events were read, on the same connection, so that it sees at least
    what they say; its result comes with them.
    """

    async def read(after: int | None) -> Page[S] | None:
        return await in_database(_read, topic, after, look)

    return read


def read_together(topic: str, look: Callable[[], Awaitable[S]]) -> Read[S]:
    """A reader of events alone. However many read the same ones now, they are read once.

    `look` is awaited after events were read, by each follower for itself: so it sees at least
    what they say. Raise in it to end the feed without them.
    """

    pages_after = hub().batches(queries.pages_after)

    async def read(after: int | None) -> Page[S] | None:
        if after is None:
            seq = await in_database(queries.last_seq, topic=topic)
            return Page([], seq, await look(), is_snapshot=True)
        events = await pages_after.get((topic, after))
        return Page(events, events[-1].seq, await look(), is_snapshot=False) if events else None

    return read


def _read(topic: str, after: int | None, look: Callable[[], S]) -> Page[S] | None:
    if after is None:
        newest = queries.newest(topic=topic)
        seq = newest.seq if newest else queries.last_seq(topic=topic)
        return Page([newest] if newest else [], seq, look(), is_snapshot=True)
    events = queries.page_after(topic=topic, seq=after)
    return Page(events, events[-1].seq, look(), is_snapshot=False) if events else None


async def patiently(read: Callable[[], Awaitable[R]]) -> R:
    """Await `read()`, again and again while the database is away."""
    tries = 0
    while True:
        try:
            return await read()
        except (OperationalError, InterfaceError) as error:
            log.warning("feed: %s, trying again", type(error).__name__)
            await asyncio.sleep(_RETRY_SECONDS[min(tries, len(_RETRY_SECONDS) - 1)])
            tries += 1
