"""httpx transports that reach a `World` without a network: for tests and simulations.

Lost answers surface as they would on a wire: `httpx.ReadTimeout` for silence (and for a delay
longer than the read timeout), `httpx.ReadError` for a reset.
"""

from collections.abc import Awaitable, Callable

import httpx

from sandbox_wallet.wire import WireRequest, WireResponse
from sandbox_wallet.world import World


class WorldTransport(httpx.BaseTransport):
    """Send requests straight into `world`; `sleep` is told how long the client had to wait."""

    def __init__(self, world: World, *, sleep: Callable[[float], None] | None = None) -> None:
        self._world = world
        self._sleep = sleep

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer `request` as the sandbox would over HTTP."""
        answer = self._world.handle(_to_wire(self._world, request, request.read()))
        waited = _waiting_time(request, answer)
        if waited and self._sleep is not None:
            self._sleep(waited)
        return _from_wire(request, answer)


class AsyncWorldTransport(httpx.AsyncBaseTransport):
    """The same for `httpx.AsyncClient`."""

    def __init__(
        self, world: World, *, sleep: Callable[[float], Awaitable[None]] | None = None
    ) -> None:
        self._world = world
        self._sleep = sleep

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer `request` as the sandbox would over HTTP."""
        answer = self._world.handle(_to_wire(self._world, request, await request.aread()))
        waited = _waiting_time(request, answer)
        if waited and self._sleep is not None:
            await self._sleep(waited)
        return _from_wire(request, answer)


def _to_wire(world: World, request: httpx.Request, body: bytes) -> WireRequest:
    origin = f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"
    if origin != world.base_url:
        raise httpx.ConnectError(f"{origin} is not {world.base_url}", request=request)
    return WireRequest(
        method=request.method,
        url=f"{origin}{request.url.raw_path.decode('ascii')}",
        headers=tuple(
            (name.decode("latin-1").lower(), value.decode("latin-1"))
            for name, value in request.headers.raw
        ),
        body=body,
    )


def _waiting_time(request: httpx.Request, answer: WireResponse) -> float:
    limit = _read_timeout(request)
    return answer.delay_s if limit is None else min(answer.delay_s, limit)


def _read_timeout(request: httpx.Request) -> float | None:
    limit = request.extensions.get("timeout", {}).get("read")
    return None if limit is None else float(limit)


def _from_wire(request: httpx.Request, answer: WireResponse) -> httpx.Response:
    limit = _read_timeout(request)
    too_late = limit is not None and answer.delay_s > limit
    if answer.fate == "reset" or (answer.fate == "silence" and not too_late):
        raise httpx.ReadError("connection reset by peer", request=request)
    if too_late or answer.fate == "silence":
        raise httpx.ReadTimeout("the read operation timed out", request=request)
    return httpx.Response(
        answer.status,
        headers=list(answer.headers),
        content=answer.body,
        request=request,
    )
