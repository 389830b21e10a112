"""A trivial GraphQL query, against a bare Django view on the same server."""

import asyncio
import json
import time
from urllib.parse import urlsplit

from bench.results import Row
from bench.world import World

CONNECTIONS = 8
SLICES = 6
SLICE_SECONDS = 0.8
QUERY = json.dumps({"query": "{ viewer { displayName } }"})


async def measure(world: World) -> list[Row]:
    """Load both in turns from the same few connections; requests per second."""
    host = urlsplit(world.base_url).netloc
    query = (
        f"POST /graphql HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(QUERY)}\r\n\r\n{QUERY}"
    ).encode()
    bare = f"GET /bench/bare HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    answered = {query: 0, bare: 0}
    for _ in range(SLICES):
        for request in answered:
            answered[request] += await _load(host, request)
    seconds = SLICES * SLICE_SECONDS
    return [
        Row(
            name="trivial GraphQL query / bare Django view, throughput",
            unit="/s",
            ours=answered[query] / seconds,
            baseline=answered[bare] / seconds,
            at_least=0.45,
        )
    ]


async def _load(host: str, request: bytes) -> int:
    until = time.perf_counter() + SLICE_SECONDS
    tasks = [_ask_until(until, host, request) for _ in range(CONNECTIONS)]
    return sum(await asyncio.gather(*tasks))


async def _ask_until(until: float, host: str, request: bytes) -> int:
    # Not httpx: the load must cost less than what it loads.
    address, port = host.split(":")
    reader, writer = await asyncio.open_connection(address, int(port))
    answered = 0
    while time.perf_counter() < until:
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 200"), head
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = json.loads(await reader.readexactly(length))
        assert body == {"data": {"viewer": None}}, body
        answered += 1
    writer.close()
    await writer.wait_closed()
    return answered
