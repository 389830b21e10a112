"""One call, from the checked URL to the last byte of a bounded answer."""

import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import cast

import certifi
import httpcore
import httpx

from backend.outbound.budget import Budget
from backend.outbound.errors import (
    AnswerRefused,
    DestinationRefused,
    as_httpx_errors,
)
from backend.outbound.gates import AsyncBulkhead, Breaker, Bulkhead
from backend.outbound.policy import Policy
from backend.outbound.resolving import Resolver
from backend.outbound.streams import AsyncGuardedBackend, GuardedBackend
from backend.outbound.urls import check_url, origin_of

_MAX_CONNECTIONS = 256
_MAX_KEPT_ALIVE = 64
# Shorter than the idle limits of common proxies (60 s and up), so that we close before they do.
_KEPT_ALIVE_SECONDS = 15.0

Headers = list[tuple[bytes, bytes]]


@lru_cache(maxsize=8)  # parsing the public roots takes 20 ms
def tls_context(ca_file: str | None) -> ssl.SSLContext:
    """Trust the public roots, and those of the PEM file `ca_file` unless it is None."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        context.load_verify_locations(cafile=ca_file)
    return context


def _new_budget(request: httpx.Request, policy: Policy) -> Budget:
    seconds = request.extensions.get("total_timeout_seconds", policy.total_timeout_seconds)
    # The wire carries headers, chunk framing and the body; twice the body is generous framing.
    answer_bytes = policy.max_header_bytes + 2 * policy.max_body_bytes
    return Budget(seconds, answer_bytes=answer_bytes)


def _core_request(request: httpx.Request, budget: Budget) -> httpcore.Request:
    url = request.url
    timeouts = {"connect": budget, "read": budget, "write": budget, "pool": budget.seconds_left()}
    return httpcore.Request(
        method=request.method,
        url=httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        ),
        headers=request.headers.raw,
        content=request.stream,
        extensions={"timeout": timeouts},
    )


def _check_headers(headers: Headers, policy: Policy) -> None:
    # 32 bytes an entry besides its text, as RFC 9113 §6.5.2 counts: empty ones cost us too.
    if sum(len(name) + len(value) + 32 for name, value in headers) > policy.max_header_bytes:
        raise AnswerRefused("the answer's headers are too large")
    for name, value in headers:
        match name.lower():
            # We asked for identity. 48 kB of gzip can unfold into 50 MB.
            case b"content-encoding" if value.strip().lower() not in (b"", b"identity"):
                raise AnswerRefused("the answer is content-encoded")
            case b"content-length" if int(value) > policy.max_body_bytes:
                raise AnswerRefused("the answer is too long")


class _Meter:
    """Counts a body's bytes against the policy."""

    def __init__(self, limit: int) -> None:
        self._left = limit

    def count(self, part: bytes) -> bytes:
        self._left -= len(part)
        if self._left < 0:
            raise AnswerRefused("the answer is too long")
        return part


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: object, *, limit: int, release: Callable[[], None]) -> None:
        self._stream = cast(Iterable[bytes], stream)
        self._meter = _Meter(limit)
        self._release: Callable[[], None] | None = release

    def __iter__(self) -> Iterator[bytes]:
        with as_httpx_errors():
            for part in self._stream:
                yield self._meter.count(part)

    def close(self) -> None:
        release, self._release = self._release, None
        if release:
            try:
                cast(httpx.SyncByteStream, self._stream).close()
            finally:
                release()


class _AsyncBody(httpx.AsyncByteStream):
    def __init__(self, stream: object, *, limit: int, release: Callable[[], None]) -> None:
        self._stream = cast(httpx.AsyncByteStream, stream)
        self._meter = _Meter(limit)
        self._release: Callable[[], None] | None = release

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with as_httpx_errors():
            async for part in self._stream:
                yield self._meter.count(part)

    async def aclose(self) -> None:
        release, self._release = self._release, None
        if release:
            try:
                await self._stream.aclose()
            finally:
                release()


class GuardedTransport(httpx.BaseTransport):
    """Carries the calls of threads. Two pools: one keeps connections, one never does."""

    def __init__(self, policy: Policy, resolve: Resolver) -> None:
        backend = GuardedBackend(policy, resolve)
        tls = tls_context(policy.ca_file)
        self._policy = policy
        self._pool, self._fresh_pool = (
            httpcore.ConnectionPool(
                ssl_context=tls,
                max_connections=_MAX_CONNECTIONS,
                max_keepalive_connections=kept_alive,
                keepalive_expiry=_KEPT_ALIVE_SECONDS,
                network_backend=backend,
            )
            for kept_alive in (_MAX_KEPT_ALIVE, 0)
        )
        self._bulkhead = Bulkhead(limit=policy.max_calls_per_host)
        self._breaker = _breaker(policy)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        policy = self._policy
        check_url(request.url, allowed_origins=policy.allowed_origins)
        origin = origin_of(request.url)
        budget = _new_budget(request, policy)
        self._breaker.admit(origin)
        wait = min(policy.slot_timeout_seconds, budget.seconds_left())
        self._bulkhead.enter(origin, timeout_seconds=wait)
        try:
            answer = self._exchange(request, origin, budget)
            try:
                _check_headers(answer.headers, policy)
            except BaseException:
                answer.close()
                raise
        except BaseException:
            self._bulkhead.leave(origin)
            raise
        body = _Body(
            answer.stream,
            limit=policy.max_body_bytes,
            release=lambda: self._bulkhead.leave(origin),
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=body)

    def _exchange(self, request: httpx.Request, origin: str, budget: Budget) -> httpcore.Response:
        # A kept-alive connection may have gone stale, and a harmless race then looks like a
        # payment whose outcome is unknown. What must not be repeated starts on a new one.
        pool = self._fresh_pool if request.extensions.get("fresh_connection") else self._pool
        with _watched(self._breaker, origin), as_httpx_errors():
            return pool.handle_request(_core_request(request, budget))

    def close(self) -> None:
        self._pool.close()
        self._fresh_pool.close()


class AsyncGuardedTransport(httpx.AsyncBaseTransport):
    """Carries the calls of coroutines, by the same rules."""

    def __init__(self, policy: Policy, resolve: Resolver) -> None:
        backend = AsyncGuardedBackend(policy, resolve)
        tls = tls_context(policy.ca_file)
        self._policy = policy
        self._pool, self._fresh_pool = (
            httpcore.AsyncConnectionPool(
                ssl_context=tls,
                max_connections=_MAX_CONNECTIONS,
                max_keepalive_connections=kept_alive,
                keepalive_expiry=_KEPT_ALIVE_SECONDS,
                network_backend=backend,
            )
            for kept_alive in (_MAX_KEPT_ALIVE, 0)
        )
        self._bulkhead = AsyncBulkhead(limit=policy.max_calls_per_host)
        self._breaker = _breaker(policy)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        policy = self._policy
        check_url(request.url, allowed_origins=policy.allowed_origins)
        origin = origin_of(request.url)
        budget = _new_budget(request, policy)
        self._breaker.admit(origin)
        wait = min(policy.slot_timeout_seconds, budget.seconds_left())
        await self._bulkhead.enter(origin, timeout_seconds=wait)
        try:
            answer = await self._exchange(request, origin, budget)
            try:
                _check_headers(answer.headers, policy)
            except BaseException:
                await answer.aclose()
                raise
        except BaseException:
            self._bulkhead.leave(origin)
            raise
        body = _AsyncBody(
            answer.stream,
            limit=policy.max_body_bytes,
            release=lambda: self._bulkhead.leave(origin),
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=body)

    async def _exchange(
        self, request: httpx.Request, origin: str, budget: Budget
    ) -> httpcore.Response:
        pool = self._fresh_pool if request.extensions.get("fresh_connection") else self._pool
        with _watched(self._breaker, origin), as_httpx_errors():
            return await pool.handle_async_request(_core_request(request, budget))

    async def aclose(self) -> None:
        await self._pool.aclose()
        await self._fresh_pool.aclose()


@contextmanager
def _watched(breaker: Breaker, origin: str) -> Iterator[None]:
    """Tell the breaker whether the call inside could connect."""
    try:
        yield
    except (DestinationRefused, httpx.PoolTimeout):
        raise  # says nothing about the host's health
    except (httpx.ConnectError, httpx.ConnectTimeout):
        breaker.failed(origin)
        raise
    except Exception:
        breaker.connected(origin)
        raise
    breaker.connected(origin)


def _breaker(policy: Policy) -> Breaker:
    return Breaker(
        failures_before_rest=policy.failures_before_rest, rest_seconds=policy.rest_seconds
    )
