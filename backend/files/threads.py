"""Storage from async code: a bounded pool of threads, apart from those of the database.

A slow store keeps nobody from the database then, and who waits for it holds no connection.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

THREADS = 8
_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="storage")


async def in_storage(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run `function`, which reads or writes files and never our database, on a storage thread."""
    call = partial(function, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_pool, call)
