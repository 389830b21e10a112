"""Following a topic live: every event after a point, each once, in order."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial
from typing import TypeVar

from django.db import InterfaceError, OperationalError

from backend.events import queries
from backend.events.hub import hub
from backend.events.models import Event
from backend.events.threads import in_database

log = logging.getLogger(__name__)
R = TypeVar("R")

RECHECK_SECONDS = 60.0
_RETRY_SECONDS = (0.05, 0.2, 0.5, 1.0, 2.0)


async def tail(
    *,
    topic: str,
    after: int,
    recheck: Callable[[], Awaitable[None]] | None = None,
    recheck_seconds: float = RECHECK_SECONDS,
) -> AsyncGenerator[Event, None]:
    """Yield every event of `topic` after seq `after`, then wait for more, for ever.

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
            while page := await patiently(partial(_read_page, topic, after)):
                for event in page:
                    after = event.seq
                    yield event
            if recheck is not None and time.monotonic() >= recheck_at:
                await recheck()
                recheck_at = time.monotonic() + recheck_seconds
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(woken.wait(), min(ears.poll_seconds, recheck_seconds))


async def _read_page(topic: str, after: int) -> list[Event]:
    return await in_database(queries.page_after, topic=topic, seq=after)


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
