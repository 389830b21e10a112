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
from django.db import connections, reset_queries

P = ParamSpec("P")
R = TypeVar("R")

THREADS = 8
_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="database")


async def in_database(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run `function` on a database thread and hand its connection back afterwards.

    Whatever transaction it needs it opens itself: two calls may use two connections.
    """
    call = partial(contextvars.copy_context().run, _with_connections, function, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_pool, call)


def _with_connections(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    _let_go_of_connections(only_unusable=True)
    if settings.DEBUG:
        # As Django does before each request of its own: else every thread keeps the text of its
        # last 9,000 statements.
        reset_queries()
    try:
        return function(*args, **kwargs)
    finally:
        _let_go_of_connections(only_unusable=False)


def _let_go_of_connections(*, only_unusable: bool) -> None:
    for connection in connections.all(initialized_only=True):
        # A SQLite connection is a file handle of this thread: nobody else waits for it, and
        # opening it again costs more than most queries.
        if only_unusable or connection.vendor == "sqlite":
            if connection.errors_occurred:
                connection.close()
        else:
            connection.close()
