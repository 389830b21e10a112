"""Executing GraphQL in a test: the real schema, in the test's own thread and transaction."""

import asyncio
import atexit
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

from strawberry.types import ExecutionResult

from backend.accounts import tokens
from backend.accounts.models import User
from backend.schema import schema
from backend.schema.context import Context
from tests.conftest import NOON

P = ParamSpec("P")
R = TypeVar("R")


class FixedClock:
    """A clock that stands still."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now


# One loop for all operations of a process: most of them are shorter than making one takes.
_runner = asyncio.Runner()
atexit.register(_runner.close)


async def in_the_tests_thread(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Right here, in the thread that holds the transaction, as if no event loop were running.

    Only for `function`: Django still refuses a resolver that uses the database by itself.
    """
    loop = asyncio.get_running_loop()
    asyncio._set_running_loop(None)
    try:
        return function(*args, **kwargs)
    finally:
        asyncio._set_running_loop(loop)


async def wallets_in_the_tests_thread(
    _principal: str, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
) -> R:
    """The same for what waits for wallets."""
    return await in_the_tests_thread(function, *args, **kwargs)


def bearer_of(user: User, *, now: datetime = NOON) -> str:
    """An Authorization value of a fresh session."""
    return f"Bearer {tokens.issue(user=user, label='test', now=now)}"


def a_context(
    *, bearer: str | None = None, accept_language: str = "", now: datetime = NOON
) -> Context:
    """The surroundings of one operation in a test."""
    return Context(
        bearer=bearer,
        remote_address="192.0.2.1",
        accept_language=accept_language,
        clock=FixedClock(now),
        run=in_the_tests_thread,
        ask=wallets_in_the_tests_thread,
    )


def execute(
    query: str,
    *,
    variables: Mapping[str, Any] | None = None,
    user: User | None = None,
    bearer: str | None = None,
    accept_language: str = "",
    now: datetime = NOON,
) -> ExecutionResult:
    """Run one operation as `user` (None: a visitor), or with a raw Authorization value."""
    if user is not None:
        bearer = bearer_of(user, now=now)
    context = a_context(bearer=bearer, accept_language=accept_language, now=now)
    return run(schema.execute(query, variable_values=dict(variables or {}), context_value=context))


def run(coroutine: Coroutine[Any, Any, R]) -> R:
    """What comes of a coroutine that uses `a_context`, in the test's own thread."""
    return _runner.run(coroutine)


def data_of(result: ExecutionResult) -> dict[str, Any]:
    """The data of an operation that must have had no top-level error."""
    assert result.errors is None, result.errors
    assert result.data is not None
    return result.data


def code_of(result: ExecutionResult) -> str:
    """The code of an operation's first top-level error."""
    assert result.errors, result.data
    return str((result.errors[0].extensions or {})["code"])
