"""The network stage: connect only to checked addresses, and keep to the call's budget.

These are httpcore network backends. Below the name-based URL and above the socket is the one
place where the address that was checked is the address that is connected to, while TLS name,
SNI, Host and the signed target URI stay the name.
"""

# ruff: noqa: ASYNC109  (`timeout` parameters are httpcore's interface)

import ssl
from collections.abc import Iterable, Sequence
from typing import Any

import anyio.to_thread
import httpcore

from backend.outbound.budget import Budget
from backend.outbound.policy import Policy
from backend.outbound.resolving import (
    MAX_LOOKUPS,
    BoundedResolver,
    Resolver,
    checked,
    literal,
)

# A small slice keeps one write from outliving the deadline at a peer that reads slowly.
_WRITE_SLICE = 16 * 1024
# A name may have hundreds of addresses; trying them all is what its owner might want us to do.
_MAX_TRIES = 4


def _budget(timeout: float | None) -> Budget:
    # The transport puts a Budget wherever httpcore takes a timeout.
    assert isinstance(timeout, Budget)
    return timeout


class _Rule:
    """What both backends know: who may be connected to, for how long."""

    def __init__(self, policy: Policy, resolve: Resolver) -> None:
        self._policy = policy
        self._resolve = BoundedResolver(resolve)
        self._development = frozenset(
            origin.partition("://")[2] for origin in policy.allowed_origins
        )

    def addresses(self, host: str, port: int, *, budget: Budget) -> Sequence[str]:
        name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        must_be_public = name not in self._development
        if address := literal(host):
            return checked([address], must_be_public=must_be_public)
        limit = min(
            self._policy.resolve_timeout_seconds, budget.seconds_or(httpcore.ConnectTimeout)
        )
        found = self._resolve(host, port, timeout_seconds=limit)
        return checked(found, must_be_public=must_be_public)

    def time_for_one(self, budget: Budget, tries_left: int) -> float:
        left = budget.seconds_or(httpcore.ConnectTimeout)
        return min(self._policy.connect_timeout_seconds, left) / tries_left


class GuardedBackend(httpcore.NetworkBackend):
    """Connects threads."""

    def __init__(self, policy: Policy, resolve: Resolver) -> None:
        self._rule = _Rule(policy, resolve)
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        budget = _budget(timeout)
        addresses = self._rule.addresses(host, port, budget=budget)[:_MAX_TRIES]
        failure: Exception | None = None
        for tried, address in enumerate(addresses):
            seconds = self._rule.time_for_one(budget, len(addresses) - tried)
            try:
                return GuardedStream(self._plain.connect_tcp(address, port, timeout=seconds))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        assert failure is not None
        raise failure


class GuardedStream(httpcore.NetworkStream):
    """A connection whose every read and write is cut off by the call's own deadline."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        budget = _budget(timeout)
        data = self._stream.read(max_bytes, timeout=budget.seconds_or(httpcore.ReadTimeout))
        budget.count_received(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        budget = _budget(timeout)
        for start in range(0, len(buffer), _WRITE_SLICE):
            left = budget.seconds_or(httpcore.WriteTimeout)
            self._stream.write(buffer[start : start + _WRITE_SLICE], timeout=left)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = _budget(timeout).seconds_left()
        if not left:
            self.close()
            raise httpcore.ConnectTimeout("the call's total time is used up")
        return GuardedStream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class AsyncGuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects coroutines; a look-up runs in a thread that a cancelled call leaves behind."""

    def __init__(self, policy: Policy, resolve: Resolver) -> None:
        self._rule = _Rule(policy, resolve)
        self._plain = httpcore.AnyIOBackend()
        self._lookups = anyio.CapacityLimiter(MAX_LOOKUPS)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        budget = _budget(timeout)
        addresses = (await self._addresses(host, port, budget))[:_MAX_TRIES]
        failure: Exception | None = None
        for tried, address in enumerate(addresses):
            seconds = self._rule.time_for_one(budget, len(addresses) - tried)
            try:
                stream = await self._plain.connect_tcp(address, port, timeout=seconds)
                return AsyncGuardedStream(stream)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        assert failure is not None
        raise failure

    async def _addresses(self, host: str, port: int, budget: Budget) -> Sequence[str]:
        if literal(host):
            return self._rule.addresses(host, port, budget=budget)
        return await anyio.to_thread.run_sync(
            lambda: self._rule.addresses(host, port, budget=budget),
            abandon_on_cancel=True,
            limiter=self._lookups,
        )


class AsyncGuardedStream(httpcore.AsyncNetworkStream):
    """A connection whose every read and write is cut off by the call's own deadline."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        budget = _budget(timeout)
        data = await self._stream.read(max_bytes, timeout=budget.seconds_or(httpcore.ReadTimeout))
        budget.count_received(len(data))
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        left = _budget(timeout).seconds_or(httpcore.WriteTimeout)
        # One deadline covers the whole buffer here: anyio's does, a socket's is per send.
        await self._stream.write(buffer, timeout=left)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        left = _budget(timeout).seconds_left()
        if not left:
            await self.aclose()
            raise httpcore.ConnectTimeout("the call's total time is used up")
        stream = await self._stream.start_tls(ssl_context, server_hostname, left)
        return AsyncGuardedStream(stream)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
