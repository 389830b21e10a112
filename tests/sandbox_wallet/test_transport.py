import random
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from backend.open_payments import (
    Amount,
    AsyncClient,
    Client,
    Ed25519Signer,
    IncomingPayment,
    Interact,
    IssuedGrant,
    Limits,
    PendingGrant,
    incoming_payment_access,
    operations,
    outgoing_payment_access,
    quote_access,
)
from sandbox_wallet import World
from sandbox_wallet.transport import AsyncWorldTransport, WorldTransport
from tests.sandbox_wallet.marketplace import BASE, ManualClock, open_marketplace


@pytest.fixture
def world() -> Iterator[World]:
    world = World(base_url=BASE, clock=ManualClock(), rng=random.Random(7))
    yield world
    world.close()


def signer_of(world: World) -> Ed25519Signer:
    return Ed25519Signer.from_pem(world.platform.private_key_pem, world.platform.key_id)


def test_our_own_client_pays_through_the_sandbox(world: World) -> None:
    with httpx.Client(transport=WorldTransport(world)) as http:
        client = Client(http, signer_of(world), clock=ManualClock())
        alice = client.send(operations.get_wallet_address(url=f"{BASE}/alice"))
        carmen = client.send(operations.get_wallet_address(url=f"{BASE}/carmen"))
        incoming = receive(client, world, carmen)
        token = issued(
            client.send(
                operations.request_grant(
                    auth_server=alice.auth_server,
                    client=world.platform.wallet_address,
                    access=[quote_access()],
                )
            )
        )
        quote = client.send(
            operations.create_quote(
                resource_server=alice.resource_server,
                token=token,
                wallet_address=alice.id,
                receiver=incoming.id,
            )
        )
        pay_token = consent(client, http, world, alice, quote.debit_amount)
        payment = client.send(
            operations.create_outgoing_payment(
                resource_server=alice.resource_server,
                token=pay_token,
                wallet_address=alice.id,
                quote=quote,
            )
        )

        public = client.send(operations.get_public_incoming_payment(url=incoming.id))
        listed = list(
            client.pages(
                operations.list_outgoing_payments(
                    resource_server=alice.resource_server,
                    token=pay_token,
                    wallet_address=alice.id,
                )
            )
        )

    assert public.received_amount == Amount(value=170500, asset_code="MXN", asset_scale=2)
    assert [one.id for one in listed] == [payment.id]


def issued(grant: IssuedGrant | PendingGrant | Any) -> str:
    assert isinstance(grant, IssuedGrant)
    assert grant.access_token is not None
    return grant.access_token.value


def receive(client: Client, world: World, carmen: Any) -> IncomingPayment:
    token = issued(
        client.send(
            operations.request_grant(
                auth_server=carmen.auth_server,
                client=world.platform.wallet_address,
                access=[incoming_payment_access(identifier=carmen.id)],
            )
        )
    )
    return client.send(
        operations.create_incoming_payment(
            resource_server=carmen.resource_server,
            token=token,
            wallet_address=carmen.id,
            incoming_amount=Amount(value=170500, asset_code="MXN", asset_scale=2),
        )
    )


def consent(client: Client, http: httpx.Client, world: World, alice: Any, debit: Amount) -> str:
    access = outgoing_payment_access(identifier=alice.id, limits=Limits(debit_amount=debit))
    pending = client.send(
        operations.request_grant(
            auth_server=alice.auth_server,
            client=world.platform.wallet_address,
            access=[access],
            interact=Interact(finish_uri="https://platform.example/finish", client_nonce="n" * 43),
        )
    )
    assert isinstance(pending, PendingGrant)
    decided = http.post(
        f"{BASE}/__ctl/decide", json={"redirect": pending.redirect, "decision": "accept"}
    )
    location = httpx.URL(decided.json()["location"])
    return issued(
        client.send(
            operations.continue_grant(
                uri=pending.continuation.uri,
                token=pending.continuation.token,
                interact_ref=location.params["interact_ref"],
                requested=[access],
            )
        )
    )


async def test_the_asynchronous_transport_answers_the_same(world: World) -> None:
    async with httpx.AsyncClient(transport=AsyncWorldTransport(world)) as http:
        client = AsyncClient(http, signer_of(world), clock=ManualClock())

        alice = await client.send(operations.get_wallet_address(url=f"{BASE}/alice"))

    assert alice.public_name == "Alice"


async def test_the_asynchronous_transport_loses_answers_too(world: World) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    transport = AsyncWorldTransport(world, sleep=sleep)
    async with httpx.AsyncClient(transport=transport, timeout=5) as http:
        for act in ("silence", "reset"):
            rule = {"call": "get-wallet-address", "act": act}
            await http.post(f"{BASE}/__ctl/faults", json=rule)

        with pytest.raises(httpx.ReadTimeout):
            await http.get(f"{BASE}/alice")
        with pytest.raises(httpx.ReadError):
            await http.get(f"{BASE}/alice")

    assert waited == [5]


def test_the_client_sleeps_no_longer_than_its_patience(world: World) -> None:
    waited: list[float] = []
    with httpx.Client(transport=WorldTransport(world, sleep=waited.append), timeout=5) as http:
        for seconds in (2, 60):
            rule = {"call": "get-wallet-address", "act": "delay", "seconds": seconds}
            http.post(f"{BASE}/__ctl/faults", json=rule)

        in_time = http.get(f"{BASE}/alice")
        with pytest.raises(httpx.ReadTimeout):
            http.get(f"{BASE}/alice")

    assert in_time.status_code == 200
    assert waited == [2, 5]


def test_other_origins_are_not_there(world: World) -> None:
    with (
        httpx.Client(transport=WorldTransport(world)) as http,
        pytest.raises(httpx.ConnectError),
    ):
        http.get("http://elsewhere.example/alice")


def test_the_same_seed_makes_the_same_world() -> None:
    def history() -> object:
        market = open_marketplace(seed=3)
        with closing(market):
            return market.pay("alice", "carmen", 1705), market.tell("GET", "requests").json()

    assert history() == history()


@pytest.mark.parametrize(
    "base_url", ["sandbox.example", "http://a.example/path", "ftp://a.example"]
)
def test_the_base_url_must_be_an_origin(base_url: str) -> None:
    with pytest.raises(ValueError, match="must be an origin"):
        World(base_url=base_url)
