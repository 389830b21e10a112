"""Clients whose wallet address is elsewhere: their documents are fetched, from allowed origins."""

import http.server
import json
import random
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from backend.open_payments import Ed25519Signer
from sandbox_wallet import Options, World
from sandbox_wallet.documents import fetch
from sandbox_wallet.transport import WorldTransport
from tests.sandbox_wallet.marketplace import BASE, Json, ManualClock, Marketplace

ORIGIN = "http://127.0.0.1:9999"
ACME = f"{ORIGIN}/acme"


class Abroad(Marketplace):
    """A marketplace that hosts its own client wallet address."""

    @property
    def client(self) -> str:
        return ACME


@contextmanager
def abroad(documents: dict[str, Json], signer: Ed25519Signer) -> Iterator[Abroad]:
    world = World(
        base_url=BASE,
        clock=ManualClock(),
        rng=random.Random(1),
        options=Options(client_origins=(ORIGIN,)),
        fetch=documents.get,
    )
    http = httpx.Client(transport=WorldTransport(world))
    market = Abroad(http=http, signer=signer, world=world)
    yield market
    market.close()


@pytest.fixture
def signer() -> Ed25519Signer:
    return Ed25519Signer.generate("acme-key")


def keys_of(signer: Ed25519Signer) -> Json:
    return {"keys": [dict(signer.public_jwk().to_json())]}


def test_keys_and_name_come_from_the_clients_own_documents(signer: Ed25519Signer) -> None:
    documents = {ACME: {"publicName": "Acme <b>"}, f"{ACME}/jwks.json": keys_of(signer)}
    with abroad(documents, signer) as market:
        pending = market.ask("alice").json()
        started = market.http.get(pending["interact"]["redirect"])
        page = market.http.get(started.headers["location"])

        assert "Acme &lt;b&gt;" in page.text
        assert ACME in page.text


def test_a_client_without_a_public_name_may_not_ask_people(signer: Ed25519Signer) -> None:
    documents = {ACME: {"id": ACME}, f"{ACME}/jwks.json": keys_of(signer)}
    with abroad(documents, signer) as market:
        answer = market.ask("alice")

        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_client")


def test_an_unreachable_client_is_unknown(signer: Ed25519Signer) -> None:
    with abroad({}, signer) as market:
        assert market.ask("alice").json()["error"]["code"] == "invalid_client"


def test_a_rotated_key_counts_at_the_next_request(signer: Ed25519Signer) -> None:
    documents = {ACME: {"publicName": "Acme"}, f"{ACME}/jwks.json": keys_of(signer)}
    with abroad(documents, signer) as market:
        token = market.token("shop", "incoming-payment")
        documents[f"{ACME}/jwks.json"] = {"keys": []}

        answer = market.call(
            "POST",
            f"{BASE}/north/incoming-payments",
            {"walletAddress": f"{BASE}/shop"},
            token=token,
        )

        assert answer.status_code == 401


def test_late_effects_of_foreign_clients_happen_too(signer: Ed25519Signer) -> None:
    documents = {ACME: {"publicName": "Acme"}, f"{ACME}/jwks.json": keys_of(signer)}
    with abroad(documents, signer) as market:
        token = market.token("shop", "incoming-payment", "create")
        market.fault("create-incoming-payment", "503", when="late", late_s=5)
        body = {"walletAddress": f"{BASE}/shop"}
        market.call("POST", f"{BASE}/north/incoming-payments", body, token=token)

        market.tell("POST", "clock", {"advance_s": 5})

        seen = market.tell("GET", "requests").json()["requests"]
        assert [(one["fault"], one["status"]) for one in seen[-2:]] == [("503", 503), ("late", 201)]


def test_origins_given_at_the_start_hold_against_stored_options(tmp_path: Path) -> None:
    path = str(tmp_path / "wallet.db")
    with closing(World(db=path, base_url=BASE)) as first:
        http_ = httpx.Client(transport=WorldTransport(first))
        http_.post(f"{BASE}/__ctl/options", json={"wait_s": 3})

    with closing(World(db=path, base_url=BASE, options=Options(client_origins=(ORIGIN,)))) as again:
        assert again.bank.options.wait_s == 3
        assert again.bank.options.client_origins == (ORIGIN,)


class Documents(http.server.BaseHTTPRequestHandler):
    """Serves what the tests of `fetch` need."""

    def do_GET(self) -> None:
        bodies = {
            "/acme": json.dumps({"publicName": "Acme"}).encode(),
            "/text": b"hello",
            "/huge": b"[" + b"1," * 40_000 + b"1]",
        }
        body = bodies.get(self.path, b"{}")
        self.send_response(302 if self.path == "/moved" else 200 if self.path in bodies else 404)
        self.send_header("Location", "/acme")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def origin() -> Iterator[str]:
    with http.server.HTTPServer(("127.0.0.1", 0), Documents) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(5)


def test_only_small_json_answers_are_fetched(origin: str) -> None:
    assert fetch(f"{origin}/acme") == {"publicName": "Acme"}
    for path in ("text", "huge", "missing", "moved"):
        assert fetch(f"{origin}/{path}") is None


def test_nobody_there_is_no_document(origin: str) -> None:
    assert fetch("http://127.0.0.1:1/acme") is None
