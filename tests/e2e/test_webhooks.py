"""A developer's first webhook: an endpoint, an event that is made to happen, and its arrival."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import standardwebhooks

from tests.e2e.processes import REPOSITORY
from tests.webhooks.world import Receiver, receiving
from tools.api import Api
from tools.world import FUNDER, World, bare_environment

LISTEN = """
mutation ($input: WebhookInput!) {
  createWebhookEndpoint(input: $input) { signingSecret errors { code message } }
}"""
ARRIVES_WITHIN_SECONDS = 10.0


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def world(tmp_path: Path, receiver: Receiver) -> Iterator[World]:
    class WithReceiver(World):
        def _server_environment(self) -> dict[str, str]:
            found = super()._server_environment()
            return {**found, "OP_DEV_ORIGINS": f"{found['OP_DEV_ORIGINS']} {receiver.origin}"}

    world = WithReceiver(var_dir=tmp_path, environment=bare_environment(), port=0, wallet_port=0)
    try:
        world.start()
        yield world
    finally:
        world.stop()


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=20, trust_env=False) as client:
        yield client


def trigger(world: World, event: str, var_dir: Path) -> str:
    done = subprocess.run(
        [
            *(sys.executable, "manage.py", "trigger", event),
            *("--control", world.sandbox["control"]),
        ],
        cwd=REPOSITORY,
        env={**bare_environment(), "DEBUG": "1", "VAR_DIR": str(var_dir)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def wait_for(look: Callable[[], Any]) -> Any:
    ends_at = time.monotonic() + ARRIVES_WITHIN_SECONDS
    while not (found := look()):
        assert time.monotonic() < ends_at, "it did not arrive"
        time.sleep(0.05)
    return found


def test_an_event_that_is_triggered_arrives_signed_in_both_formats(
    world: World, http: httpx.Client, receiver: Receiver, tmp_path: Path
) -> None:
    api = Api(world.base_url, http=http)
    funder = api.as_user(world.person(FUNDER, api=api, quiet=True).token)
    secrets = {}
    for name, events in (("STANDARD", ["payment.status"]), ("GUIDE", ["*"])):
        wanted = {"url": f"{receiver.url}?{name}", "events": events, "format": name}
        secrets[name] = funder.run(LISTEN, input=wanted)["signingSecret"]

    said = trigger(world, "payment.completed", tmp_path)

    def told() -> list[dict[str, Any]]:
        return [request.json for request in receiver.got if "offerId" in request.json]

    (completed,) = wait_for(told)
    assert (completed["type"], completed["status"]) == ("payment.completed", "paid")
    assert f"payment {completed['pendingId']} is COMPLETED" in said
    assert completed["outgoingPaymentId"].startswith(world.sandbox["base"])

    def ended() -> bool:
        return any(request.json["data"]["status"] == "COMPLETED" for request in standard())

    def standard() -> list[Any]:
        return [request for request in receiver.got if "data" in request.json]

    wait_for(ended)
    assert [request.seq for request in standard()] == list(range(1, len(standard()) + 1))
    for request in receiver.got:
        secret = secrets["GUIDE" if "offerId" in request.json else "STANDARD"]
        standardwebhooks.Webhook(secret).verify(request.body, request.headers)
        happened = datetime.fromisoformat(request.json["timestamp"]).timestamp()
        # Within two seconds, and what rounding to a second hides.
        assert int(request.headers["webhook-timestamp"]) - happened < 2.0

    trigger(world, "payment.failed", tmp_path)

    wait_for(lambda: len(told()) == 2)
    assert told()[1]["type"] == "payment.failed"
    # The environment says nothing of the world's wallets here; the world does.
    assert "is UNKNOWN" in trigger(world, "payment.unknown", tmp_path)


def test_a_trigger_without_a_world_says_so(tmp_path: Path) -> None:
    environment = {**bare_environment(), "DEBUG": "1", "VAR_DIR": str(tmp_path)}
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v", "0"],
        cwd=REPOSITORY,
        env=environment,
        timeout=120,
        check=True,
    )

    done = subprocess.run(
        [sys.executable, "manage.py", "trigger", "payment.completed"],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 1
    assert "is this the world's database?" in done.stderr
    assert "Traceback" not in done.stderr
