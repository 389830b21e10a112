"""The way from a client to a server, which can be cut at any moment, without a goodbye."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Tunnel:
    """Forwards bytes from a port of its own to `port`, until it is cut."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._open: set[asyncio.StreamWriter] = set()
        self._closed = False
        self.port = 0

    def cut(self) -> None:
        """Tear every connection, and refuse new ones until `mend`."""
        self._closed = True
        for writer in self._open:
            writer.transport.abort()

    def mend(self) -> None:
        """Let connections through again."""
        self._closed = False

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        if self._closed:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        self._open |= {writer, back}
        try:
            await asyncio.gather(_forward(reader, back), _forward(there, writer))
        finally:
            self._open -= {writer, back}
            for each in (writer, back):
                each.transport.abort()


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while some := await reader.read(65_536):
            writer.write(some)
            await writer.drain()
    # What has ended on one side ends on the other, whether or not that one says more.
    writer.close()


@asynccontextmanager
async def tunnel_to(port: int) -> AsyncIterator[Tunnel]:
    """A tunnel to a server on this machine."""
    tunnel = Tunnel(port)
    server = await asyncio.start_server(tunnel.carry, "127.0.0.1", 0)
    tunnel.port = server.sockets[0].getsockname()[1]
    try:
        yield tunnel
    finally:
        server.close()
        tunnel.cut()
        await server.wait_closed()
