"""Following a topic live: every event after a point, each once, in order."""

import asyncio
import contextlib
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

RECHECK_SECONDS = 60.0
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


async def pages(
    *,
    topic: str,
    after: int | None,
    look: Callable[[], S],
    recheck: Callable[[], Awaitable[None]] | None = None,
    recheck_seconds: float = RECHECK_SECONDS,
) -> AsyncGenerator[Page[S], None]:
    """Yield every event of `topic` after seq `after`, then wait for more, for ever.

    `after` None begins with a snapshot. `look` runs right after events were read, on the same
    connection, so that it sees at least what they say; its result comes with them.

    `recheck` is awaited about every `recheck_seconds`, also while nothing happens: raise in it
    to end the feed, because a token was revoked for instance. A database that goes away is
    waited for.
    """
    recheck_at = time.monotonic() + recheck_seconds
    # Registered before the first read: an event committed in between sets `woken`.
    ears = hub()
    with ears.waiter(topic) as woken:
        while True:
            # Cleared before reading: what is committed after the read sets it again.
            woken.clear()
            page = await patiently(partial(in_database, _read, topic, after, look))
            if page is not None:
                after = page.seq
                yield page
                if len(page.events) == queries.PAGE:
                    continue
            if recheck is not None and time.monotonic() >= recheck_at:
                await recheck()
                recheck_at = time.monotonic() + recheck_seconds
            # Not wait_for: on Python 3.11 it can swallow the cancellation of an unsubscribing
            # client that comes together with a wake-up, and the feed would live on.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(ears.poll_seconds, recheck_seconds)):
                    await woken.wait()


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
