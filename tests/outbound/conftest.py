"""Every rule is tested twice: the same call by a thread and by a coroutine."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest

from backend import outbound
from backend.outbound.resolving import Resolver, system_resolver
from tests.outbound.certificates import Authority, new_authority


class Call(Protocol):
    """Sends requests in a row through one client of `policy`; the last answer is returned."""

    def __call__(
        self,
        url: str,
        *more: str,
        policy: outbound.Policy,
        resolve: Resolver = system_resolver,
        method: str = "GET",
        **extensions: object,
    ) -> httpx.Response: ...


def _by_thread(
    url: str,
    *more: str,
    policy: outbound.Policy,
    resolve: Resolver = system_resolver,
    method: str = "GET",
    **extensions: object,
) -> httpx.Response:
    with outbound.client(policy, resolve=resolve) as client:
        for each in (url, *more):
            response = client.request(method, each, extensions=dict(extensions))
    return response


def _by_coroutine(
    url: str,
    *more: str,
    policy: outbound.Policy,
    resolve: Resolver = system_resolver,
    method: str = "GET",
    **extensions: object,
) -> httpx.Response:
    async def call() -> httpx.Response:
        async with outbound.async_client(policy, resolve=resolve) as client:
            for each in (url, *more):
                response = await client.request(method, each, extensions=dict(extensions))
        return response

    return asyncio.run(call())


@pytest.fixture(params=[_by_thread, _by_coroutine], ids=["thread", "coroutine"])
def call(request: pytest.FixtureRequest) -> Call:
    chosen: Call = request.param
    return chosen


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder: Path = tmp_path_factory.mktemp("authority")
    return new_authority(folder)


class Names:
    """A resolver that answers from a script, and remembers what it was asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@pytest.fixture
def names() -> Callable[..., Names]:
    return Names


def policy_for(
    *ports: int, host: str = "127.0.0.1", scheme: str = "http", **limits: Any
) -> outbound.Policy:
    """A policy that admits loopback servers as development origins, with limits for tests."""
    origins = frozenset(f"{scheme}://{host}:{port}" for port in ports)
    return outbound.Policy(allowed_origins=origins, **limits)
