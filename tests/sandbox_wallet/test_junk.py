"""Nothing that a client sends makes the sandbox stumble."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox_wallet.routes import ROUTES
from sandbox_wallet.wire import WireRequest
from tests.sandbox_wallet.marketplace import BASE, Json, Marketplace, open_marketplace

JUNK = [
    *(b"", b"null", b"1", b'"x"', b"[]", b"{}", b"{", b"NaN", b"\xff\xfe", b"\xef\xbb\xbf{}"),
    b"[" * 20_000,
    b'{"a":' * 20_000,
    b'{"client":"\\ud800"}',
    b'{"client":1e400}',
    b'{"client":' + b"9" * 5000 + b"}",
    json.dumps({"client": "http://[", "access_token": {"access": [{"type": []}]}}).encode(),
]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method}-{route.name}")
def test_junk_is_refused_politely(market: Marketplace, route: Any) -> None:
    world = market.world
    assert world is not None
    names = {"{tenant}": "north", "{wallet}": "alice"}
    path = "/".join(names.get(part, part) for part in route.path)
    for body in JUNK:
        request = WireRequest(
            method=route.method,
            url=f"{BASE}/{path}?first=%00&cursor=%ff&wallet-address=http://[",
            headers=(("authorization", "GNAP \xff"), ("cookie", "a=\x01;;=")),
            body=body,
        )

        answer = world.handle(request)

        assert answer.status < 500


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
MEMBERS = ("walletAddress", "incomingAmount", "expiresAt", "metadata", "receiver", "method")
MORE = ("debitAmount", "receiveAmount", "quoteId", "incomingPayment", "interact", "subject")


@settings(max_examples=60, deadline=None)
@given(
    body=st.dictionaries(st.sampled_from(MEMBERS + MORE), VALUES, max_size=5),
    collection=st.sampled_from(["incoming-payments", "quotes", "outgoing-payments"]),
)
def test_random_bodies_are_refused_politely(body: Json, collection: str) -> None:
    market = open_marketplace()
    token = market.consent("alice")["access_token"]["value"]
    whole = {"walletAddress": f"{BASE}/alice", **body}

    answer = market.call("POST", f"{BASE}/north/{collection}", _bytes(whole), token=token)

    assert 400 <= answer.status_code < 500
    market.close()


def _bytes(body: Json) -> bytes:
    return json.dumps(body).encode()


@pytest.mark.parametrize(
    "uri", ["https://a.example/\r\nset-cookie: a=b", "https://ñ.example", "https://a b", "ftp://a"]
)
def test_a_finish_address_cannot_write_headers(market: Marketplace, uri: str) -> None:
    finish = {"method": "redirect", "uri": uri, "nonce": "n"}
    item = {"type": "outgoing-payment", "actions": ["create"], "identifier": f"{BASE}/alice"}
    interact = {"start": ["redirect"], "finish": finish}

    assert market.grant_request("alice", [item], interact=interact).status_code == 400


def test_an_interval_beyond_the_calendar_is_no_trouble(market: Marketplace) -> None:
    limits = {"interval": "R/2026-01-01T00:00:00Z/P9000Y"}
    token = market.consent("alice", limits)["access_token"]["value"]
    quote = market.quote("alice", market.incoming("shop", 100)["id"])

    assert market.send("alice", quote["id"], token).status_code == 201
