"""Requests over a few kept-alive connections, as fast as they are answered.

Not httpx: the load must cost less than what it loads.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Request:
    """One request, written out, to a host such as 127.0.0.1:8000."""

    host: str
    raw: bytes

    @classmethod
    def get(cls, host: str, path: str, headers: Mapping[str, str] | None = None) -> "Request":
        """A GET of `path`."""
        return cls(host, _head("GET", path, host, headers or {}))

    @classmethod
    def post(
        cls, host: str, path: str, body: Any, headers: Mapping[str, str] | None = None
    ) -> "Request":
        """A POST of `body` as JSON."""
        content = json.dumps(body).encode()
        described = {
            "Content-Type": "application/json",
            "Content-Length": str(len(content)),
            **(headers or {}),
        }
        return cls(host, _head("POST", path, host, described) + content)


def _head(method: str, path: str, host: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


async def answer_to(request: Request) -> bytes:
    """The body of one answer, which must be a 200."""
    bodies: list[bytes] = []
    await _ask_until(0.0, request, None, bodies)
    return bodies[0]


async def load(request: Request, *, expected: bytes, seconds: float) -> int:
    """How often `request` is answered in that time; every answer must be `expected`."""
    until = time.perf_counter() + seconds
    tasks = [_ask_until(until, request, expected) for _ in range(CONNECTIONS)]
    return sum(await asyncio.gather(*tasks))


async def _ask_until(
    until: float, request: Request, expected: bytes | None, bodies: list[bytes] | None = None
) -> int:
    address, port = request.host.split(":")
    reader, writer = await asyncio.open_connection(address, int(port))
    answered = 0
    while not answered or time.perf_counter() < until:
        writer.write(request.raw)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        assert head.startswith(b"http/1.1 200"), (head, body)
        assert expected is None or body == expected, body
        if bodies is not None:
            bodies.append(body)
        answered += 1
    writer.close()
    await writer.wait_closed()
    return answered
