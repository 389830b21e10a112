"""The ASGI shell: turns HTTP into `World.handle` and makes the faults of the wire happen."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from sandbox_wallet.wire import WireRequest, WireResponse
from sandbox_wallet.world import World

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_LARGEST_BODY = 1024 * 1024
# Close with a reset instead of a polite end: linger on, for no time.
_RESET = struct.pack("ii", 1, 0)


class App:
    """An ASGI application for uvicorn around one `World`."""

    def __init__(self, world: World) -> None:
        self.world = world
        # Set when the server stops: whoever is being kept waiting is let go.
        self.stopping = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        if scope["type"] != "http":
            raise RuntimeError(f"the sandbox does not speak {scope['type']}")
        body = await _read_body(receive)
        if body is None:
            await _send(send, WireResponse(status=413))
            return
        request = self._request(scope, body)
        if self.world.bank.options.client_origins:
            # The client's keys may have to be fetched from a server of this very process.
            answer = await asyncio.to_thread(self.world.handle, request)
        else:
            # A request takes well under a millisecond; a hop to a thread would double that.
            answer = self.world.handle(request)
        if answer.fate == "silence":
            await self._say_nothing(receive, answer.delay_s)
            await _reset(receive, send)
        elif answer.fate == "reset":
            await _reset(receive, send)
        else:
            if answer.delay_s:
                await self._wait(answer.delay_s)
            await _send(send, answer)

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)

    async def _say_nothing(self, receive: Receive, seconds: float) -> None:
        """Wait for `seconds`, or until the client gives up."""
        gone = asyncio.ensure_future(_until_disconnected(receive))
        patience = asyncio.ensure_future(self._wait(seconds))
        await asyncio.wait({gone, patience}, return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        patience.cancel()

    def _request(self, scope: Scope, body: bytes) -> WireRequest:
        path = scope["raw_path"].decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        target = f"{path}?{query}" if query else path
        return WireRequest(
            method=scope["method"],
            # Signatures are over the public address, whatever Host a proxy passed on.
            url=f"{self.world.base_url}{target}",
            headers=tuple((n.decode("latin-1"), v.decode("latin-1")) for n, v in scope["headers"]),
            body=body,
        )


async def _read_body(receive: Receive) -> bytes | None:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > _LARGEST_BODY:
            return None
        if not message.get("more_body", False):
            return bytes(body)


async def _send(send: Send, answer: WireResponse) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    if answer.status != 204:
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def _until_disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _reset(receive: Receive, send: Send) -> None:
    """Tear the connection down so that the client reads a reset, not an end.

    ASGI has no word for this; the transport is behind uvicorn's `send`.
    """
    transport: asyncio.Transport = send.__self__.transport  # type: ignore[attr-defined]
    connection = transport.get_extra_info("socket")
    if connection is not None and not transport.is_closing():
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()
    await _until_disconnected(receive)
