"""The synchronous and the asynchronous client, held to the same sentences."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import parse_qs

import httpx
import pytest

from backend.open_payments import (
    Answer,
    AsyncClient,
    Client,
    InvalidValue,
    ListOperation,
    NotFound,
    Operation,
    Signer,
    UnexpectedResponse,
    WalletUnreachable,
    operations,
    verify_request,
)
from tests.open_payments.samples import (
    ALICE,
    BOB,
    CONTINUE_URI,
    MANAGE_URL,
    NOON,
    QUOTE_URL,
    RESOURCE_SERVER,
    SIGNER,
    amount,
    outgoing_payment,
    page,
    quote,
    wallet_address,
)

Wallet = Callable[[httpx.Request], httpx.Response]
TOKEN = "OS9M2PMHKUR64TB8N6BW"
GET_QUOTE = operations.get_quote(url=QUOTE_URL, token=TOKEN)
PAY = operations.create_outgoing_payment(
    resource_server=RESOURCE_SERVER,
    token=TOKEN,
    wallet_address=ALICE,
    quote=QUOTE_URL,
    metadata={"description": "Diseño ñ €"},
)


class Shell(Protocol):
    def exchange(self, operation: Operation[Any]) -> Answer: ...
    def send(self, operation: Operation[Any]) -> Any: ...
    def items(self, operation: ListOperation[Any]) -> list[Any]: ...


class SyncShell:
    def __init__(self, wallet: Wallet, signer: Signer | None) -> None:
        http = httpx.Client(transport=httpx.MockTransport(wallet))
        self.client = Client(http, signer, clock=lambda: NOON)
        self.exchange = self.client.exchange
        self.send = self.client.send

    def items(self, operation: ListOperation[Any]) -> list[Any]:
        return list(self.client.pages(operation))


class AsyncShell:
    def __init__(self, wallet: Wallet, signer: Signer | None) -> None:
        http = httpx.AsyncClient(transport=httpx.MockTransport(wallet))
        self.client = AsyncClient(http, signer, clock=lambda: NOON)

    def exchange(self, operation: Operation[Any]) -> Answer:
        return asyncio.run(self.client.exchange(operation))

    def send(self, operation: Operation[Any]) -> Any:
        return asyncio.run(self.client.send(operation))

    def items(self, operation: ListOperation[Any]) -> list[Any]:
        async def collect() -> list[Any]:
            return [item async for item in self.client.pages(operation)]

        return asyncio.run(collect())


class Connect(Protocol):
    def __call__(self, wallet: Wallet, signer: Signer | None = SIGNER) -> Shell: ...


@pytest.fixture(params=[SyncShell, AsyncShell], ids=["sync", "async"])
def connect(request: pytest.FixtureRequest) -> Connect:
    def make(wallet: Wallet, signer: Signer | None = SIGNER) -> Shell:
        shell: Shell = request.param(wallet, signer)
        return shell

    return make


class Recorder:
    """A wallet that answers with one response and remembers what it was asked."""

    def __init__(self, status: int = 200, document: object = None, **more: Any) -> None:
        self.response = (status, {"json": document, **more})
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        status, content = self.response
        return httpx.Response(status, **content)


def test_an_operation_is_sent_and_its_answer_read(connect: Connect) -> None:
    wallet = Recorder(document=quote())

    received = connect(wallet).send(GET_QUOTE)

    assert received.id == QUOTE_URL
    (request,) = wallet.requests
    assert (request.method, str(request.url)) == ("GET", QUOTE_URL)
    assert request.headers["accept"] == "application/json"
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["authorization"] == f"GNAP {TOKEN}"


@pytest.mark.parametrize(
    "operation",
    [
        GET_QUOTE,
        PAY,
        operations.rotate_token(manage_url=MANAGE_URL, token=TOKEN),
        operations.cancel_grant(uri=CONTINUE_URI, token=TOKEN),
        operations.continue_grant(uri="https://auth.example", token=TOKEN),
        operations.list_outgoing_payments(
            resource_server=RESOURCE_SERVER, token=TOKEN, wallet_address=ALICE, cursor="ñ/?&"
        ),
    ],
    ids=lambda operation: operation.name,
)
def test_what_arrives_is_signed_over_what_is_on_the_wire(
    connect: Connect, operation: Operation[Any]
) -> None:
    wallet = Recorder(document={})

    connect(wallet).exchange(operation)

    (request,) = wallet.requests
    # As a server sees it: the host header and the raw request target.
    target = request.url.raw_path.decode()
    verified = verify_request(
        method=request.method,
        target_uri=f"https://{request.headers['host']}{target}",
        headers=request.headers.multi_items(),
        body=request.content,
        key_for=lambda key_id: SIGNER.public_jwk().public_key(),
        now=NOON,
        max_age_seconds=0,
    )
    assert verified.created == NOON
    assert request.content == (operation.body or b"")
    assert target.startswith("/")


def test_public_documents_are_asked_for_without_a_key(connect: Connect) -> None:
    wallet = Recorder(document=wallet_address())

    connect(wallet, signer=None).send(operations.get_wallet_address(url=ALICE))

    (request,) = wallet.requests
    assert not {"signature", "signature-input", "authorization"} & set(request.headers)


def test_a_signed_request_without_a_key_is_not_sent(connect: Connect) -> None:
    wallet = Recorder(document=quote())

    with pytest.raises(InvalidValue):
        connect(wallet, signer=None).send(GET_QUOTE)

    assert wallet.requests == []


def test_a_url_that_no_client_can_request_is_refused(connect: Connect) -> None:
    wallet = Recorder(document=wallet_address())
    operation = operations.get_wallet_address(url="https://xn--zzz-.example/alice")

    with pytest.raises(InvalidValue):
        connect(wallet).send(operation)

    assert wallet.requests == []


def test_only_what_must_not_be_repeated_asks_for_a_fresh_connection(connect: Connect) -> None:
    wallet = Recorder(document={})
    shell = connect(wallet)

    shell.exchange(GET_QUOTE)
    shell.exchange(PAY)

    fresh = [request.extensions.get("fresh_connection", False) for request in wallet.requests]
    assert fresh == [False, True]


def test_an_exchange_returns_any_answer_unread(connect: Connect) -> None:
    wallet = Recorder(503, headers={"Retry-After": "3"}, content=b"busy", json=None)
    wallet.response = (503, {"headers": {"Retry-After": "3"}, "content": b"busy"})

    received = connect(wallet).exchange(GET_QUOTE)

    assert (received.status, received.body) == (503, b"busy")
    assert received.headers["retry-after"] == "3"


def test_a_redirect_is_never_followed(connect: Connect) -> None:
    wallet = Recorder(302, headers={"Location": BOB})

    with pytest.raises(UnexpectedResponse):
        connect(wallet).send(GET_QUOTE)

    assert len(wallet.requests) == 1


def test_a_refusal_is_raised_by_its_class(connect: Connect) -> None:
    wallet = Recorder(404, {"error": {"code": "404", "description": "unknown quote"}})

    with pytest.raises(NotFound) as refusal:
        connect(wallet).send(GET_QUOTE)

    assert refusal.value.operation == "get-quote"
    assert refusal.value.description == "unknown quote"


@pytest.mark.parametrize(
    ("error", "request_sent"),
    [
        (httpx.ConnectError("refused"), False),
        (httpx.ConnectTimeout("slow"), False),
        (httpx.PoolTimeout("busy"), False),
        (httpx.ReadTimeout("silent"), True),
        (httpx.WriteTimeout("stuck"), True),
        (httpx.ReadError("reset"), True),
        (httpx.WriteError("reset"), True),
        (httpx.RemoteProtocolError("closed"), True),
        (httpx.LocalProtocolError("odd"), True),
        (httpx.DecodingError("gzip"), True),
        (httpx.ProxyError("proxy"), True),
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_answer_says_whether_the_request_may_have_been_carried_out(
    connect: Connect, error: httpx.HTTPError, request_sent: bool
) -> None:
    def silent(request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(WalletUnreachable) as unreachable:
        connect(silent).send(PAY)

    assert unreachable.value.request_sent is request_sent
    assert unreachable.value.operation == "create-outgoing-payment"
    assert unreachable.value.__cause__ is error


def paged_wallet(request: httpx.Request) -> httpx.Response:
    """Seven payments, cursor = number of the item at the edge of the page."""
    query = parse_qs(request.url.query.decode())
    if "last" in query:
        end = int(query["cursor"][0])
        start = max(0, end - int(query["last"][0]))
    else:
        start = int(query.get("cursor", ["-1"])[0]) + 1
        end = min(7, start + int(query["first"][0]))
    payments = [
        outgoing_payment(id=f"{RESOURCE_SERVER}/outgoing-payments/{n}", sentAmount=amount(n))
        for n in range(start, end)
    ]
    info: dict[str, Any] = {"hasNextPage": end < 7, "hasPreviousPage": start > 0}
    if payments:
        info |= {"startCursor": str(start), "endCursor": str(end - 1)}
    return httpx.Response(200, json=page(payments, **info))


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        ({"first": 3}, [0, 1, 2, 3, 4, 5, 6]),
        ({"first": 7}, [0, 1, 2, 3, 4, 5, 6]),
        ({"first": 3, "cursor": "4"}, [5, 6]),
        ({"last": 2, "cursor": "5"}, [3, 4, 1, 2, 0]),
    ],
)
def test_pages_iterates_over_all_items_from_the_first_page_on(
    connect: Connect, arguments: Any, values: list[int]
) -> None:
    listing = operations.list_outgoing_payments(
        resource_server=RESOURCE_SERVER, token=TOKEN, wallet_address=ALICE, **arguments
    )

    items = connect(paged_wallet).items(listing)

    assert [item.sent_amount.value for item in items] == values


@pytest.mark.parametrize("cursors", [{}, {"endCursor": "same"}])
def test_a_list_that_does_not_move_is_given_up(connect: Connect, cursors: Any) -> None:
    wallet = Recorder(document=page([outgoing_payment()], hasNextPage=True, **cursors))
    listing = operations.list_outgoing_payments(
        resource_server=RESOURCE_SERVER, token=TOKEN, wallet_address=ALICE
    )

    with pytest.raises(UnexpectedResponse):
        connect(wallet).items(listing)

    assert len(wallet.requests) <= 2


def test_a_list_without_end_is_given_up(connect: Connect) -> None:
    calls = 0

    def endless(request: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        return httpx.Response(200, json=page([], hasNextPage=True, endCursor=str(calls)))

    listing = operations.list_outgoing_payments(
        resource_server=RESOURCE_SERVER, token=TOKEN, wallet_address=ALICE
    )

    with pytest.raises(UnexpectedResponse):
        connect(endless).items(listing)

    assert calls == 1000


def test_the_default_clock_signs_with_the_current_time() -> None:
    wallet = Recorder(document=quote())
    before = int(datetime.now(UTC).timestamp())

    Client(httpx.Client(transport=httpx.MockTransport(wallet)), SIGNER).send(GET_QUOTE)

    created = int(wallet.requests[0].headers["signature-input"].rpartition("created=")[2])
    assert before <= created <= int(datetime.now(UTC).timestamp())


def test_bodies_are_utf8_without_escapes_on_the_wire(connect: Connect) -> None:
    wallet = Recorder(201, outgoing_payment())

    connect(wallet).send(PAY)

    (request,) = wallet.requests
    assert "Diseño ñ €".encode() in request.content
    assert request.headers["content-length"] == str(len(request.content))
    assert json.loads(request.content)["quoteId"] == QUOTE_URL
