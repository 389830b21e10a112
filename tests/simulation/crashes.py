"""Crashing at every point: before and after each wallet call, statement and commit.

A crash is a BaseException, so that no `except Exception` survives it, and the connection is
closed under the worker, as the kernel does for a killed process. Nothing in the product knows.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from django.db import connection


class Crash(BaseException):
    """The worker is gone."""


def lose_connection() -> None:
    """What the kernel does for a killed process: the server rolls back, nothing is told."""
    if connection.connection is not None:
        connection.connection.close()
    connection.connection = None
    connection.in_atomic_block = False
    connection.needs_rollback = False
    connection.closed_in_transaction = False
    connection.savepoint_ids = []
    connection.atomic_blocks = []
    connection.run_on_commit = []
    connection.commit_on_exit = True


class CrashPoints:
    """Counts the points that a run passes, and crashes at the chosen one."""

    def __init__(self) -> None:
        self.passed = 0
        self.names: list[str] = []
        self._choose: Callable[[int], bool] = lambda _: False
        self.active = False
        self.crashed = False

    def choose(self, choose: Callable[[int], bool]) -> None:
        """Crash at every point for which `choose(index)` is true."""
        self._choose = choose

    def pass_(self, name: str) -> None:
        if not self.active:
            return
        index = self.passed
        self.passed += 1
        self.names.append(name)
        if self._choose(index):
            self.active, self.crashed = False, True
            if connection.connection is not None:
                connection.connection.close()  # nothing this worker still does can reach the rows
            raise Crash(f"{index}: {name}")

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Let the points count while a worker runs; other code passes them freely."""
        self.active, self.crashed = True, False
        real_commit = connection.commit

        def commit() -> None:
            self.pass_("before COMMIT")
            real_commit()
            self.pass_("after COMMIT")

        connection.commit = commit  # type: ignore[method-assign]
        try:
            with connection.execute_wrapper(self._statement):
                yield
        finally:
            self.active = False
            del connection.commit

    def _statement(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        writes = not sql.lstrip().upper().startswith("SELECT") or "FOR NO KEY UPDATE" in sql
        if writes:
            self.pass_(f"before {' '.join(sql.split()[:3])}")
        return execute(sql, params, many, context)


class CrashingTransport(httpx.BaseTransport):
    """A wire with a crash point at each end of every call."""

    def __init__(self, inner: httpx.BaseTransport, points: CrashPoints) -> None:
        self._inner, self._points = inner, points

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        call = f"{request.method} {request.url.path}"
        self._points.pass_(f"before {call}")
        response = self._inner.handle_request(request)
        self._points.pass_(f"after {call}")
        return response


class PausingTransport(httpx.BaseTransport):
    """A wire whose sender may be stopped with the request in hand."""

    def __init__(self, inner: httpx.BaseTransport, pause: Callable[[httpx.Request], None]) -> None:
        self._inner, self._pause = inner, pause

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._pause(request)
        return self._inner.handle_request(request)


class RepeatingTransport(httpx.BaseTransport):
    """Something before the wallets repeats a request, and passes on the second answer."""

    def __init__(
        self, wallets: httpx.BaseTransport, is_repeated: Callable[[httpx.Request], bool]
    ) -> None:
        self._wallets, self._is_repeated = wallets, is_repeated

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._is_repeated(request):
            self._wallets.handle_request(request)
        return self._wallets.handle_request(request)
