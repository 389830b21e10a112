"""The database from async code: a bounded pool of threads of our own.

asgiref's sync_to_async would send every call of every socket through one single thread, and
leave each connection open behind it.
"""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import reset_queries

from backend.connections import let_go

P = ParamSpec("P")
R = TypeVar("R")

THREADS = 8
_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="database")


async def in_database(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run `function` on a database thread and hand its connection back afterwards.

    Whatever transaction it needs it opens itself: two calls may use two connections.
    """
    return await with_connections(_pool, function, *args, **kwargs)


def with_connections(
    pool: ThreadPoolExecutor, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
) -> asyncio.Future[R]:
    """Have a thread of `pool` do the same."""
    call = partial(contextvars.copy_context().run, _with_connections, function, *args, **kwargs)
    return asyncio.get_running_loop().run_in_executor(pool, call)


def _with_connections(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    let_go(only_unusable=True)
    if settings.DEBUG:
        # As Django does before each request of its own: else every thread keeps the text of its
        # last 9,000 statements.
        reset_queries()
    try:
        return function(*args, **kwargs)
    finally:
        let_go()
