"""A WebSocket client that costs next to nothing: thousands of them share a core with a server."""

import asyncio
import json
import struct
import time
from typing import Any

_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_NO_MASK = b"\0\0\0\0"
WAIT_SECONDS = 60.0


class RawSocket(asyncio.Protocol):
    """Notes when texts arrive. `arrived` has a (time, text) for each since it was emptied."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._buffer = b""
        self._upgraded = False
        self._waiting: asyncio.Future[None] | None = None
        self.upgraded = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport
        self.arrived: list[tuple[float, bytes]] = []
        self.closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        lines = [
            "GET /graphql HTTP/1.1",
            f"Host: {self._host}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: graphql-transport-ws",
        ]
        transport.write("\r\n".join([*lines, "", ""]).encode())

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        self._wake()

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        self._buffer += data
        if not self._upgraded:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            assert head.startswith(b"HTTP/1.1 101"), head
            self._upgraded, self._buffer = True, rest
            self.upgraded.set_result(None)
        while frame := self._frame():
            code, body = frame
            if code == _TEXT:
                self.arrived.append((now, body))
                self._wake()
            elif code == _PING:
                self._write(_PONG, body)
            elif code == _CLOSE:
                self.transport.close()

    def _frame(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, start = buffer[1], 2
        if length >= 126:
            size, form = (2, "!H") if length == 126 else (8, "!Q")
            start += size
            if len(buffer) < start:
                return None
            (length,) = struct.unpack(form, buffer[2:start])
        end = start + length
        if len(buffer) < end:
            return None
        self._buffer = buffer[end:]
        return buffer[0] & 15, buffer[start:end]

    def _write(self, code: int, body: bytes) -> None:
        length = len(body)
        size = bytes([128 | length]) if length < 126 else b"\xfe" + struct.pack("!H", length)
        self.transport.write(bytes([128 | code]) + size + _NO_MASK + body)

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def send(self, message: Any) -> None:
        """Send JSON."""
        self._write(_TEXT, json.dumps(message).encode())

    async def next(self) -> Any:
        """The next text, as JSON; it leaves `arrived`."""
        if not self.arrived and not self.closed:
            self._waiting = asyncio.get_running_loop().create_future()
            await asyncio.wait_for(self._waiting, WAIT_SECONDS)
        assert self.arrived, "the server has closed the socket"
        return json.loads(self.arrived.pop(0)[1])


async def open_socket(host: str) -> RawSocket:
    """A connection to a host such as 127.0.0.1:8000."""
    address, port = host.split(":")
    _, socket = await asyncio.get_running_loop().create_connection(
        lambda: RawSocket(host), address, int(port)
    )
    await asyncio.wait_for(socket.upgraded, WAIT_SECONDS)
    return socket
