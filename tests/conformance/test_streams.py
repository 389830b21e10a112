"""The client libraries that people use, unmodified, following streams over a bad connection."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from django.db import transaction

from backend.accounts.models import User
from backend.accounts.services import log_out
from backend.clock import SYSTEM_CLOCK
from backend.events import emit
from backend.events.threads import in_database
from backend.payments.status import PaymentStatus as Status
from tests.conformance.conftest import HERE
from tests.conformance.tunnel import Tunnel, tunnel_to
from tests.schema.server import Server, serving
from tests.schema.world import a_payment, a_person, bearer

OURS = "clients/typescript"
CLIENTS = ("graphql-ws", "apollo over a socket", "apollo over multipart", "urql over SSE", OURS)
WAIT_SECONDS = 20.0
REVOKED_SECONDS = 5.0
THE_WAY = (
    Status.AWAITING_APPROVAL,
    Status.AUTHORIZED,
    Status.QUOTED,
    Status.SENDING,
    Status.SENT,
    Status.COMPLETED,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("client", CLIENTS, indirect=True),
]


@pytest.fixture
def server(transactional_db: None) -> Iterator[Server]:
    with serving() as running:
        yield running


class Following:
    """What a client says it sees."""

    def __init__(self, process: asyncio.subprocess.Process, tunnel: Tunnel) -> None:
        self._process = process
        self.tunnel = tunnel

    async def says(self) -> dict[str, Any]:
        """Its next line."""
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), WAIT_SECONDS)
        assert line, "the client has ended"
        return dict(json.loads(line))

    async def item(self) -> dict[str, Any]:
        """The next item, which may come over another connection."""
        while "lost" in (said := await self.says()):
            continue
        return dict(said["item"])

    async def is_cut_off(self) -> None:
        """Cut its connection, and wait until it knows."""
        self.tunnel.cut()
        assert "lost" in await self.says()


@pytest.fixture
def client(request: pytest.FixtureRequest) -> dict[str, str]:
    """What streams.mjs has to know of a client."""
    name: str = request.param
    if name == OURS:
        return {"client": name, "ours": str(request.getfixturevalue("typescript_client"))}
    return {"client": name}


@asynccontextmanager
async def following(
    node: str, server: Server, client: dict[str, str], **what: Any
) -> AsyncIterator[Following]:
    async with tunnel_to(server.port) as tunnel:
        url = f"http://127.0.0.1:{tunnel.port}/graphql"
        process = await asyncio.create_subprocess_exec(
            *(node, "streams.mjs", json.dumps({**client, "url": url, **what})),
            cwd=HERE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            yield Following(process, tunnel)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


def happen(person: User, *types: str) -> None:
    for type in types:
        with transaction.atomic():
            emit(topic=f"user:{person.pk}", type=type, payload={}, at=SYSTEM_CLOCK.now())


async def test_whoever_is_cut_off_from_their_feed_sees_every_event_once_in_order(
    node: str, server: Server, client: dict[str, str]
) -> None:
    person = await in_database(a_person)
    token = await in_database(bearer, person)
    async with following(node, server, client, token=token, field="viewerEvents") as app:
        first = await app.item()
        await in_database(happen, person, "job.one", "job.two")
        seen = [await app.item(), await app.item()]
        await app.is_cut_off()
        await in_database(happen, person, "job.three", "job.four")
        app.tunnel.mend()
        seen += [await app.item(), await app.item()]
        await in_database(happen, person, "job.five")
        seen.append(await app.item())

    assert first["node"] is None
    types = ["job.one", "job.two", "job.three", "job.four", "job.five"]
    assert [item["node"]["type"] for item in seen] == types


async def test_a_payment_is_followed_to_its_end_over_a_torn_connection(
    node: str, server: Server, client: dict[str, str]
) -> None:
    world = await in_database(a_payment)
    token = await in_database(bearer, world.payer)
    async with following(
        node, server, client, token=token, field="paymentStatus", id=world.id
    ) as app:
        seen = [await app.item()]
        await in_database(world.move, *THE_WAY[:3])
        seen += [await app.item() for _ in range(3)]
        await app.is_cut_off()
        await in_database(world.move, *THE_WAY[3:])
        app.tunnel.mend()
        seen += [await app.item() for _ in range(3)]
        last = await app.says()

    assert [item["status"] for item in seen] == ["CREATED", *THE_WAY]
    assert last == {"ended": True}


async def test_a_revoked_token_ends_a_silent_stream_with_an_error_that_the_client_shows(
    node: str, server: Server, client: dict[str, str]
) -> None:
    person = await in_database(a_person)
    token = await in_database(bearer, person)
    async with following(node, server, client, token=token, field="viewerEvents") as app:
        await app.item()
        await in_database(log_out, header=token, everywhere=False, now=SYSTEM_CLOCK.now())

        async with asyncio.timeout(REVOKED_SECONDS):
            assert await app.says() == {"refused": "UNAUTHENTICATED"}
