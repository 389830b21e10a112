"""What stands in front of several web processes: one address, each connection to the next one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

_CHUNK = 64 * 1024


class Proxy:
    """`ports` are those of the processes that take connections now; change them at any time."""

    def __init__(self, *ports: str) -> None:
        self.ports = list(ports)
        self._number = 0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on until either side has said everything."""
        self._number += 1
        port = self.ports[self._number % len(self.ports)]
        try:
            with suppress(OSError):
                there = await asyncio.open_connection("127.0.0.1", int(port))
                await asyncio.gather(_copy(reader, there[1]), _copy(there[0], writer))
        finally:
            writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    finally:
        writer.close()


@asynccontextmanager
async def in_front_of(*ports: str, url: str) -> AsyncIterator[Proxy]:
    """Answer at `url` until the block ends."""
    proxy = Proxy(*ports)
    server = await asyncio.start_server(proxy.take, "127.0.0.1", urlsplit(url).port)
    try:
        yield proxy
    finally:
        server.close()
