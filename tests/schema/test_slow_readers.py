"""A client that does not read loses its connection, and nobody else notices."""

import asyncio
import json
import socket as sockets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from django.db import transaction
from websockets.asyncio.client import connect

from backend.accounts.models import User
from backend.clock import SYSTEM_CLOCK
from backend.events import emit
from backend.events.threads import in_database
from backend.schema import seats, slow_readers
from tests.schema.server import Server
from tests.schema.sockets import PROTOCOL, Socket, socket_to
from tests.schema.world import a_person, bearer

pytestmark = pytest.mark.django_db(transaction=True)

WAIT_SECONDS = 20.0
EVENTS = 3000
BATCH = 250
VIEWER_EVENTS = "subscription { viewerEvents { cursor node { type data } } }"
SSE = (
    "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: {token}\r\n"
    "Accept: {accept}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
)


def happen(person: User, count: int) -> None:
    with transaction.atomic():
        for _ in range(count):
            emit(
                topic=f"user:{person.pk}",
                type="job.status",
                payload={"text": "x" * 2000},
                at=SYSTEM_CLOCK.now(),
            )


@asynccontextmanager
async def a_socket_that_does_not_read(server: Server, token: str) -> AsyncIterator[None]:
    raw = _small_socket(server)
    await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", server.port))
    async with connect(
        server.socket, subprotocols=[PROTOCOL], sock=raw, max_queue=1, compression=None
    ) as connection:
        client = Socket(connection)
        await client.send({"type": "connection_init", "payload": {"Authorization": token}})
        assert await client.receive() == {"type": "connection_ack"}
        await client.subscribe("1", VIEWER_EVENTS)
        await client.next("viewerEvents")
        connection.transport.pause_reading()
        yield
        connection.transport.abort()


@asynccontextmanager
async def a_request_that_does_not_read(
    server: Server, token: str, accept: str
) -> AsyncIterator[None]:
    raw = _small_socket(server)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(raw, ("127.0.0.1", server.port))
    body = json.dumps({"query": VIEWER_EVENTS})
    request = SSE.format(port=server.port, token=token, accept=accept, length=len(body), body=body)
    await loop.sock_sendall(raw, request.encode())
    assert b"200 OK" in await loop.sock_recv(raw, 1000)
    await asyncio.sleep(0.3)
    yield
    raw.close()


def _small_socket(server: Server) -> sockets.socket:
    raw = sockets.socket()
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    raw.setblocking(False)
    return raw


@pytest.mark.parametrize(
    "accept", ["", "text/event-stream", 'multipart/mixed;subscriptionSpec="1.0", application/json']
)
async def test_who_does_not_read_is_cut_off_while_others_get_everything(
    server: Server, accept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_readers, "READ_SECONDS", 1.0)
    person = await in_database(a_person)
    token = await in_database(bearer, person)
    slow = (
        a_request_that_does_not_read(server, token, accept)
        if accept
        else a_socket_that_does_not_read(server, token)
    )
    async with socket_to(server, token=token) as other:
        await other.subscribe("1", VIEWER_EVENTS)
        await other.next("viewerEvents")
        async with slow:
            assert seats.streams._taken[str(person.pk)] == 2
            got = 0
            for _ in range(EVENTS // BATCH):
                await in_database(happen, person, BATCH)
                for _ in range(BATCH):
                    await other.next("viewerEvents")
                    got += 1
            for _ in range(int(WAIT_SECONDS / 0.1)):
                await asyncio.sleep(0.1)
                if seats.streams._taken[str(person.pk)] == 1:
                    break
            held = seats.streams._taken[str(person.pk)]

    assert (got, held) == (EVENTS, 1)
