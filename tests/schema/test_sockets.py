import asyncio
from typing import Any

import httpx
import pytest
import websockets
from websockets.asyncio.client import connect

from backend.accounts.models import BearerToken
from backend.accounts.services import log_out
from backend.clock import SYSTEM_CLOCK
from backend.events.feed import RECHECK_SECONDS
from backend.events.threads import in_database
from backend.payments.status import PaymentStatus as Status
from backend.schema import seats
from backend.schema.context import STREAM_TRUST_SECONDS
from tests.schema.server import Server
from tests.schema.sockets import PAYMENT_STATUS, PROTOCOL, socket_to
from tests.schema.world import PaymentWorld, a_payment, a_person, bearer, global_id

pytestmark = pytest.mark.django_db(transaction=True)

TO_THE_END = (
    Status.AWAITING_APPROVAL,
    Status.AUTHORIZED,
    Status.QUOTED,
    Status.SENDING,
    Status.SENT,
    Status.COMPLETED,
)


@pytest.fixture
def world() -> PaymentWorld:
    return a_payment()


@pytest.fixture
def token(world: PaymentWorld) -> str:
    return bearer(world.payer)


async def test_a_subscriber_sees_the_present_and_then_every_step(
    server: Server, world: PaymentWorld, token: str
) -> None:
    async with socket_to(server, token=token) as socket:
        await socket.subscribe("1", PAYMENT_STATUS, id=world.id)
        first = await socket.next()
        await in_database(world.move, *TO_THE_END)
        rest = [await socket.next() for _ in TO_THE_END]
        last = await socket.receive()

    assert (first["status"], first["previous"], first["terminal"]) == ("CREATED", None, False)
    assert [item["status"] for item in rest] == list(TO_THE_END)
    assert [item["previous"] for item in rest] == ["CREATED", *TO_THE_END[:-1]]
    assert [item["terminal"] for item in rest] == [False] * 5 + [True]
    assert rest[-1]["payment"] == {"status": "COMPLETED"}
    assert last == {"id": "1", "type": "complete"}


async def test_resuming_with_the_last_cursor_gives_exactly_what_was_missed(
    server: Server, world: PaymentWorld, token: str
) -> None:
    async with socket_to(server, token=token) as socket:
        await socket.subscribe("1", PAYMENT_STATUS, id=world.id)
        cursor = (await socket.next())["cursor"]
    await in_database(world.move, *TO_THE_END[:3])
    async with socket_to(server, token=token) as socket:
        await socket.subscribe("1", PAYMENT_STATUS, id=world.id, after=cursor)
        missed = [await socket.next() for _ in range(2)]
    await in_database(world.move, *TO_THE_END[3:])
    async with socket_to(server, token=token) as socket:
        await socket.subscribe("1", PAYMENT_STATUS, id=world.id, after=missed[-1]["cursor"])
        rest = [await socket.next() for _ in range(4)]
        last = await socket.receive()

    assert [item["status"] for item in missed + rest] == list(TO_THE_END)
    assert last["type"] == "complete"


async def test_resuming_behind_the_terminal_event_completes_at_once(
    server: Server, world: PaymentWorld, token: str
) -> None:
    await in_database(world.move, Status.FAILED)
    async with socket_to(server, token=token) as socket:
        await socket.subscribe("1", PAYMENT_STATUS, id=world.id)
        snapshot = await socket.next()
        assert (await socket.receive())["type"] == "complete"
        await socket.subscribe("2", PAYMENT_STATUS, id=world.id, after=snapshot["cursor"])

        assert await socket.receive() == {"id": "2", "type": "complete"}
    assert snapshot["terminal"]


async def test_two_subscribers_of_one_socket_do_not_end_each_other(
    server: Server, world: PaymentWorld, token: str
) -> None:
    async with socket_to(server, token=token) as socket:
        await socket.subscribe("1", PAYMENT_STATUS, id=world.id)
        await socket.next()
        await socket.subscribe("2", PAYMENT_STATUS, id=world.id)
        await socket.next()
        await socket.send({"id": "1", "type": "complete"})
        await in_database(world.move, Status.CANCELED)

        assert (await socket.receive())["id"] == "2"


async def test_queries_run_over_the_socket_too(
    server: Server, world: PaymentWorld, token: str
) -> None:
    async with socket_to(server, token=token) as socket:
        await socket.subscribe("1", "{ viewer { displayName } }")

        assert await socket.next("viewer") == {"displayName": "payer"}
        assert (await socket.receive())["type"] == "complete"


@pytest.mark.parametrize("kind", ["stranger", "missing", "malformed", "another type"])
async def test_somebody_elses_payment_looks_like_none(
    server: Server, world: PaymentWorld, kind: str
) -> None:
    person = await in_database(a_person)
    stranger = await in_database(bearer, person)
    id = {
        "stranger": world.id,
        "missing": global_id("Payment", person.id),
        "malformed": "☃",
        "another type": global_id("User", world.payer.id),
    }[kind]

    async with socket_to(server, token=stranger) as socket:
        await socket.subscribe("1", PAYMENT_STATUS, id=id)
        message = await socket.receive()

    assert errors_of(message)[0]["extensions"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize("cursor", ["", "x", "☃", "MS5kZWFkYmVlZg", "OTk5OTk5OTk5OTk5"])
async def test_a_cursor_of_another_feed_is_refused_with_a_code(
    server: Server, world: PaymentWorld, token: str, cursor: str
) -> None:
    async with socket_to(server, token=token) as socket:
        await socket.subscribe("1", PAYMENT_STATUS, id=world.id, after=cursor)
        message = await socket.receive()

    assert errors_of(message)[0]["extensions"]["code"] == "BAD_CURSOR"


async def test_a_token_that_does_not_work_closes_the_socket(server: Server) -> None:
    async with socket_to(server, init=False) as socket:
        payload = {"Authorization": "Bearer faena_wrong"}
        await socket.send({"type": "connection_init", "payload": payload})

        assert await socket.closed() == 4403


async def test_a_revoked_token_ends_the_stream_at_the_next_event_after_two_seconds(
    server: Server, world: PaymentWorld, token: str
) -> None:
    async with socket_to(server, token=token) as socket:
        await socket.subscribe("1", PAYMENT_STATUS, id=world.id)
        await socket.next()
        mine = BearerToken.objects.filter(user=world.payer)
        await in_database(mine.update, revoked_at=SYSTEM_CLOCK.now())
        await asyncio.sleep(STREAM_TRUST_SECONDS + 0.1)
        await in_database(world.move, Status.FAILED)
        message = await socket.receive()

    assert errors_of(message)[0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_logging_out_ends_a_silent_stream_at_once(
    server: Server, world: PaymentWorld, token: str
) -> None:
    async with socket_to(server, token=token) as socket:
        await socket.subscribe("1", PAYMENT_STATUS, id=world.id)
        await socket.next()
        started = asyncio.get_running_loop().time()
        await in_database(log_out, header=token, everywhere=False, now=SYSTEM_CLOCK.now())
        message = await socket.receive()

    assert errors_of(message)[0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert asyncio.get_running_loop().time() - started < RECHECK_SECONDS / 3


async def test_subscribing_before_the_init_closes_the_socket(server: Server) -> None:
    async with socket_to(server, init=False) as socket:
        await socket.subscribe("1", "{ __typename }")

        assert await socket.closed() == 4401


async def test_more_than_twenty_operations_are_refused_and_the_socket_lives(
    server: Server, world: PaymentWorld, token: str
) -> None:
    async with socket_to(server, token=token) as socket:
        for number in range(20):
            await socket.subscribe(str(number), PAYMENT_STATUS, id=world.id)
            await socket.next()
        await socket.subscribe("20", PAYMENT_STATUS, id=world.id)
        refusal = await socket.receive()
        await socket.send({"id": "0", "type": "complete"})
        await socket.subscribe("21", PAYMENT_STATUS, id=world.id)

        assert (await socket.next())["status"] == "CREATED"
    assert refusal["type"] == "error"
    assert refusal["payload"][0]["extensions"]["code"] == "RATE_LIMITED"


async def test_a_person_has_a_bounded_number_of_streams_over_all_their_connections(
    server: Server, world: PaymentWorld, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seats.streams, "_most", 3)
    async with socket_to(server, token=token) as socket, socket_to(server, token=token) as other:
        for number in range(3):
            await socket.subscribe(str(number), PAYMENT_STATUS, id=world.id)
            await socket.next()
        await other.subscribe("1", PAYMENT_STATUS, id=world.id)
        refusal = errors_of(await other.receive())[0]
        assert (await other.receive())["type"] == "complete"
        await socket.send({"id": "0", "type": "complete"})
        await asyncio.sleep(0.2)
        await other.subscribe("2", PAYMENT_STATUS, id=world.id)

        assert (await other.next())["status"] == "CREATED"
    assert refusal["extensions"]["code"] == "RATE_LIMITED"
    assert refusal["extensions"]["retryAfterSeconds"] == seats.RETRY_AFTER_SECONDS


async def test_a_person_has_a_bounded_number_of_sockets(
    server: Server, world: PaymentWorld, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seats.sockets, "_most", 1)
    async with socket_to(server, token=token):
        async with socket_to(server, token=token) as second:
            assert await second.closed() == 1013
        person = await in_database(a_person)
        async with socket_to(server, token=await in_database(bearer, person)) as other:
            await other.subscribe("1", "{ viewer { displayName } }")
            assert await other.next("viewer") == {"displayName": "somebody"}
    await asyncio.sleep(0.2)

    async with socket_to(server, token=token) as third:
        await third.subscribe("1", "{ viewer { displayName } }")
        assert await third.next("viewer") == {"displayName": "payer"}


@pytest.mark.parametrize(
    "message",
    [
        1,
        [],
        "x",
        None,
        {},
        {"type": 1},
        {"type": "unknown"},
        {"type": "subscribe"},
        {"type": "subscribe", "id": 1, "payload": {"query": "{ __typename }"}},
        {"type": "subscribe", "id": "1", "payload": "x"},
        {"type": "subscribe", "id": "1", "payload": {}},
        {"type": "subscribe", "id": "1", "payload": {"query": 1}},
        {"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "variables": []}},
        {"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "operationName": 1}},
        {"type": "subscribe", "id": "1", "payload": {"query": "{"}},
        {"type": "complete", "id": []},
        {"type": "connection_init", "payload": []},
    ],
)
async def test_a_message_of_the_wrong_shape_closes_the_socket(server: Server, message: Any) -> None:
    async with socket_to(server) as socket:
        await socket.send(message)

        assert await socket.closed() in {4400, 4429}


async def test_a_page_of_another_origin_may_not_connect(server: Server) -> None:
    with pytest.raises(websockets.InvalidStatus) as refusal:
        async with socket_to(server, origin="https://evil.example"):
            pass

    assert refusal.value.response.status_code == 403


async def test_a_native_app_sends_no_origin_and_a_page_of_ours_sends_our_own(
    server: Server,
) -> None:
    async with socket_to(server), socket_to(server, origin=server.http):
        pass


async def test_only_graphql_transport_ws_is_spoken(server: Server) -> None:
    async with connect(
        server.socket, subprotocols=[websockets.Subprotocol("graphql-ws")]
    ) as connection:
        await asyncio.wait_for(connection.wait_closed(), 5)

        assert connection.close_code == 4406


async def test_there_is_no_socket_elsewhere(server: Server) -> None:
    with pytest.raises(websockets.InvalidStatus):
        async with connect(f"ws://127.0.0.1:{server.port}/other", subprotocols=[PROTOCOL]):
            pass


@pytest.mark.parametrize(
    ("accept", "ending"),
    [
        ("text/event-stream", "event: complete\ndata: \n\n"),
        ('multipart/mixed;subscriptionSpec="1.0", application/json', "--graphql--\r\n"),
    ],
)
async def test_http_streams_replay_what_was_missed_and_complete(
    server: Server, world: PaymentWorld, token: str, accept: str, ending: str
) -> None:
    async with socket_to(server, token=token) as socket:
        await socket.subscribe("1", PAYMENT_STATUS, id=world.id)
        cursor = (await socket.next())["cursor"]
    await in_database(world.move, *TO_THE_END)

    async with httpx.AsyncClient(timeout=10) as client:
        answer = await client.post(
            server.graphql,
            json={"query": PAYMENT_STATUS, "variables": {"id": world.id, "after": cursor}},
            headers={"Accept": accept, "Authorization": token},
        )

    places = [answer.text.index(f'"status":"{status}","previous"') for status in TO_THE_END]
    assert places == sorted(places)
    assert answer.text.endswith(ending)


async def test_an_http_stream_is_live(server: Server, world: PaymentWorld, token: str) -> None:
    async with (
        httpx.AsyncClient(timeout=10) as client,
        client.stream(
            "POST",
            server.graphql,
            json={"query": PAYMENT_STATUS, "variables": {"id": world.id}},
            headers={"Accept": "text/event-stream", "Authorization": token},
        ) as answer,
    ):
        lines = answer.aiter_lines()
        first = [await anext(lines) for _ in range(3)]
        await in_database(world.move, Status.FAILED)
        second = [await anext(lines) for _ in range(3)]

    assert '"status":"CREATED"' in first[1]
    assert '"status":"FAILED"' in second[1]


def errors_of(message: Any) -> list[Any]:
    """The errors of a next or error message."""
    payload = message["payload"]
    errors: list[Any] = payload if message["type"] == "error" else payload["errors"]
    return errors
