"""`python -m bench.breakdown`: where the time of one GraphQL answer goes, in milliseconds.

Asks the product's ASGI application in this process, one request at a time, with watches around
the parts. The request is in BENCH_BODY and BENCH_AUTHORIZATION. Prints one JSON line.
"""

import asyncio
import inspect
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from statistics import median
from typing import Any
from unittest.mock import patch

WARM_UPS = 30
REQUESTS = 150
Parts = dict[str, float]


class Watches:
    """Milliseconds per part of the request that is running, over all threads."""

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, name: str, seconds: float) -> None:
        """Count towards a part."""
        with self._lock:
            self.spent[name] += seconds * 1000  # type: ignore[assignment]

    def around(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, watched: its thread's processor time."""

        def watched(*args: Any, **kwargs: Any) -> Any:
            began = time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                self.add(name, time.thread_time() - began)

        return watched

    def around_async(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same for a coroutine function, by the clock."""

        async def watched(*args: Any, **kwargs: Any) -> Any:
            began = time.perf_counter()
            try:
                return await function(*args, **kwargs)
            finally:
                self.add(name, time.perf_counter() - began)

        return watched


def main() -> None:
    """Measure and print."""
    from bench.asgi import application

    print(json.dumps(asyncio.run(_measure(application))))


async def _measure(application: Any) -> Parts:
    from django.db.backends.utils import CursorWrapper

    from backend.events import threads
    from backend.schema.http import GraphQLApp
    from backend.schema.pipeline import Schema

    watches = Watches()
    with ExitStack() as stack:

        def watch(name: str, owner: Any, attribute: str) -> None:
            function = getattr(owner, attribute)
            is_async = inspect.iscoroutinefunction(function)
            watched = (watches.around_async if is_async else watches.around)(name, function)
            stack.enter_context(patch.object(owner, attribute, watched))

        watch("prepare", Schema, "_prepare_operation_async")
        watch("schema", Schema, "execute")
        watch("json", GraphQLApp, "create_response")
        watch("database", threads, "_with_connections")
        watch("sql", CursorWrapper, "_execute")
        requests = [await _ask(application, watches) for _ in range(WARM_UPS + REQUESTS)]
    spent = {
        name: median(each[name] for each in requests[WARM_UPS:]) for name in requests[WARM_UPS]
    }
    # Processor time, of the loop's thread and of the database threads: they share one interpreter,
    # so it adds up. What is left of the clock's time everybody waited.
    around = spent["all"] - spent["schema"]
    return {
        "HTTP and the ASGI application": around - spent["json"],
        "parse, guard, validate": spent["prepare"],
        "resolve and complete fields": spent["loop"] - around - spent["prepare"],
        "JSON": spent["json"],
        "execute SQL": spent["sql"],
        "ORM and connections": spent["database"] - spent["sql"],
        "wait for database and threads": max(0.0, spent["all"] - spent["loop"] - spent["database"]),
    }


async def _ask(application: Any, watches: Watches) -> Parts:
    body = os.environ["BENCH_BODY"].encode()
    headers = {
        "host": "127.0.0.1",
        "content-type": "application/json",
        "authorization": os.environ["BENCH_AUTHORIZATION"],
    }
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "query_string": b"",
        "client": ("127.0.0.1", 1),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    watches.spent.clear()
    began, cpu_before = time.perf_counter(), time.thread_time()
    await application(scope, receive, send)
    watches.add("all", time.perf_counter() - began)
    watches.add("loop", time.thread_time() - cpu_before)
    assert sent[0]["status"] == 200, sent
    return dict(watches.spent)


if __name__ == "__main__":
    main()
