"""The contract of `python -m sandbox_wallet`: one JSON line, faults on a real wire, SIGTERM."""

import http.server
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

from backend.open_payments import Ed25519Signer
from tests.sandbox_wallet.marketplace import ManualClock, Marketplace

Ready = dict[str, Any]


class RealClock(ManualClock):
    """The time of this machine."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)


@contextmanager
def sandbox(db: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], Ready]]:
    """Run a sandbox process until the test is done with it."""
    port = () if "--port" in arguments else ("--port", "0")
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox_wallet", "--db", str(db), *port, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.communicate(timeout=10)


def marketplace(ready: Ready) -> Marketplace:
    client = ready["clients"]["platform"]
    signer = Ed25519Signer.from_pem(Path(client["privateKeyPath"]).read_text(), client["keyId"])
    http = httpx.Client(timeout=5, trust_env=False)
    return Marketplace(http=http, signer=signer, clock=RealClock(), base=ready["base"])


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    with sandbox(tmp_path_factory.mktemp("sandbox") / "wallet.db") as (_, line):
        yield line


@pytest.fixture
def market(ready: Ready) -> Iterator[Marketplace]:
    marketplace_ = marketplace(ready)
    marketplace_.tell("POST", "reset")
    yield marketplace_
    marketplace_.close()


def test_people_are_told_in_lines_where_the_wallets_are(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sandbox_wallet", "--db", str(tmp_path / "wallet.db")]
    process = subprocess.Popen(
        [*command, "--port", "0", "--for-people"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process:
        first = process.stdout.readline()
        process.terminate()
        rest = process.stdout.read()

    base = first.removeprefix("The sandbox wallet runs at ").rstrip().removesuffix("/")
    lines = [line.split() for line in rest.splitlines()]
    assert base.startswith("http://127.0.0.1:")
    assert ["alice", "USD", f"{base}/alice"] in lines
    assert ["carmen", "MXN", f"{base}/carmen"] in lines
    assert "{" not in first + rest


def test_the_ready_line_says_where_everything_is(ready: Ready) -> None:
    assert set(ready) == {"base", "wallets", "clients", "control"}
    assert {"alice", "bob", "carmen", "diego", "treasury", "shop", "shop-mxn", "pobre"} == set(
        ready["wallets"]
    )
    assert ready["wallets"]["carmen"] == {
        "walletAddress": f"{ready['base']}/carmen",
        "assetCode": "MXN",
        "assetScale": 2,
    }
    key_path = Path(ready["clients"]["platform"]["privateKeyPath"])
    assert stat.S_IMODE(key_path.stat().st_mode) == 0o600


def test_a_payment_over_http_arrives(market: Marketplace) -> None:
    incoming, _, _ = market.pay("alice", "bob", 5000)

    assert market.received(incoming["id"]) == 5000


def test_a_reset_is_a_reset(market: Marketplace) -> None:
    market.fault("get-wallet-address", "reset")

    with pytest.raises(httpx.ReadError):
        market.wallet("alice")


def test_silence_lasts_until_the_client_gives_up(market: Marketplace) -> None:
    market.fault("get-wallet-address", "silence", seconds=30)

    with pytest.raises(httpx.ReadTimeout):
        market.http.get(f"{market.base}/alice", timeout=0.2)
    assert market.wallet("alice")["assetCode"] == "USD"


def test_silence_ends_in_a_reset(market: Marketplace) -> None:
    market.fault("get-wallet-address", "silence", seconds=0.1)

    with pytest.raises(httpx.ReadError):
        market.wallet("alice")


def test_a_delay_holds_up_only_its_own_answer(market: Marketplace) -> None:
    market.fault("get-wallet-address", "delay", seconds=0.3)
    started = time.monotonic()

    market.wallet("alice")

    assert time.monotonic() - started >= 0.3


def test_a_truncated_answer_is_a_whole_http_message(market: Marketplace) -> None:
    market.fault("get-wallet-address", "truncated", when="after")

    answer = market.http.get(f"{market.base}/alice")

    assert answer.status_code == 200
    assert answer.text.startswith('{"id"')
    assert not answer.text.endswith("}")


def test_bodies_beyond_a_megabyte_are_refused(market: Marketplace) -> None:
    answer = market.http.post(f"{market.base}/auth/north", content=b"x" * (1024 * 1024 + 1))

    assert answer.status_code == 413


def test_the_consent_page_answers_a_browser(market: Marketplace) -> None:
    redirect = market.ask("alice").json()["interact"]["redirect"]

    page = market.http.get(redirect, follow_redirects=True)

    assert page.status_code == 200
    assert "Approve" in page.text


def test_state_survives_a_restart(tmp_path: Path) -> None:
    db = tmp_path / "wallet.db"
    with sandbox(db) as (process, ready):
        port = ready["base"].rpartition(":")[2]
        first = marketplace(ready)
        incoming, outgoing, token = first.pay("alice", "shop", 100)
        first.options(wait_s=3)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0

    with sandbox(db, "--port", port) as (_, again):
        second = marketplace(again)
        shown = second.call("GET", outgoing["id"], token=token)

        assert again == ready
        assert second.received(incoming["id"]) == 100
        assert shown.json()["failed"] is False
        assert second.tell("GET", "options").json()["wait_s"] == 3
        second.close()
    first.close()


def test_a_lost_client_key_is_replaced(tmp_path: Path) -> None:
    db = tmp_path / "wallet.db"
    with sandbox(db) as (process, ready):
        process.terminate()
        process.wait(timeout=10)
    Path(ready["clients"]["platform"]["privateKeyPath"]).unlink()

    with sandbox(db) as (_, again):
        market = marketplace(again)
        incoming, _, _ = market.pay("alice", "shop", 100)
        assert market.received(incoming["id"]) == 100
        market.close()


def test_a_killed_sandbox_forgets_no_payment(tmp_path: Path) -> None:
    db = tmp_path / "wallet.db"
    with sandbox(db) as (process, ready):
        port = ready["base"].rpartition(":")[2]
        first = marketplace(ready)
        incoming, _, _ = first.pay("alice", "shop", 100)
        process.kill()
        process.wait(timeout=10)

    with sandbox(db, "--port", port) as (_, again):
        second = marketplace(again)
        assert second.received(incoming["id"]) == 100
        second.close()
    first.close()


class ClientDocuments(http.server.BaseHTTPRequestHandler):
    """A client wallet address outside the sandbox; the class holds its documents."""

    documents: ClassVar[dict[str, Any]] = {}

    def do_GET(self) -> None:
        body = json.dumps(self.documents[self.path]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_clients_elsewhere_are_fetched_from_allowed_origins(tmp_path: Path) -> None:
    signer = Ed25519Signer.generate("acme-key")
    ClientDocuments.documents = {
        "/acme": {"publicName": "Acme"},
        "/acme/jwks.json": {"keys": [signer.public_jwk().to_json()]},
    }
    with http.server.HTTPServer(("127.0.0.1", 0), ClientDocuments) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        origin = f"http://127.0.0.1:{server.server_port}"
        with sandbox(tmp_path / "wallet.db", "--client-origin", origin) as (_, ready):
            market = marketplace(ready)
            market.signer, market.identity = signer, {"walletAddress": f"{origin}/acme"}

            pending = market.ask("alice")

            market.close()
        server.shutdown()
        thread.join(10)
    assert "clientName=Acme" in pending.json()["interact"]["redirect"]


def test_behind_a_proxy_everything_has_the_public_origin(tmp_path: Path) -> None:
    with sandbox(tmp_path / "wallet.db", "--public-url", "https://wallet.example") as (_, ready):
        assert ready["base"] == "https://wallet.example"
        assert ready["wallets"]["alice"]["walletAddress"] == "https://wallet.example/alice"


def test_sigterm_lets_clients_go_that_were_kept_waiting(tmp_path: Path) -> None:
    with sandbox(tmp_path / "wallet.db") as (process, ready):
        market = marketplace(ready)
        market.fault("get-wallet-address", "silence", seconds=60)
        ended: list[str] = []

        def wait_for_nothing() -> None:
            try:
                market.http.get(f"{ready['base']}/alice", timeout=20)
            except httpx.ReadError:
                ended.append("reset")

        waiting = threading.Thread(target=wait_for_nothing)
        waiting.start()
        deadline = time.monotonic() + 10
        while not market.tell("GET", "requests").json()["requests"]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.terminate()
        out, err = process.communicate(timeout=10)
        waiting.join(10)
        market.close()

    assert (process.returncode, out, err, ended) == (0, "", "", ["reset"])


def test_sigterm_ends_it_with_status_zero_and_in_silence(tmp_path: Path) -> None:
    with sandbox(tmp_path / "wallet.db") as (process, ready):
        httpx.get(f"{ready['base']}/alice", trust_env=False)
        os.kill(process.pid, signal.SIGTERM)
        out, err = process.communicate(timeout=10)

    assert (process.returncode, out, err) == (0, "", "")
