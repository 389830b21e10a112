"""Wallets asked from async code: a bounded pool of threads, apart from those of the database.

Whoever runs a wallet decides how long an answer takes. That keeps nobody from the database then,
and whoever asks many wallets at once keeps few others from theirs.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from backend.errors import RateLimited
from backend.events.threads import with_connections
from backend.outbound import AsyncBulkhead, HostBusy

P = ParamSpec("P")
R = TypeVar("R")

THREADS = 8
# A quarter of them.
AT_ONCE = 2
SLOT_WITHIN_SECONDS = 30.0
RETRY_AFTER_SECONDS = 10
_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="wallets")
_bulkhead = AsyncBulkhead(limit=AT_ONCE)


async def asking_wallets(
    principal: str, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
) -> R:
    """Run `function`, which waits for wallets and uses the database, at most AT_ONCE a principal.

    Raises:
        RateLimited: this principal waits for too many already.
    """
    # A task, because a resolver may not ask for its own, as whoever waits for a slot does.
    asked = asyncio.ensure_future(_in_a_slot(principal, function, *args, **kwargs))
    try:
        return await asked
    finally:
        asked.cancel()


async def _in_a_slot(
    principal: str, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
) -> R:
    try:
        await _bulkhead.enter(principal, timeout_seconds=SLOT_WITHIN_SECONDS)
    except HostBusy:
        raise RateLimited(retry_after_seconds=RETRY_AFTER_SECONDS) from None
    asked = with_connections(_pool, function, *args, **kwargs)
    # Who hangs up gives up the answer, but not the thread: that waits on, and so does the slot.
    asked.add_done_callback(lambda _: _bulkhead.leave(principal))
    return await asyncio.shield(asked)
