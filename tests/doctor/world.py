"""A sandbox wallet on a real port, in a thread of the test, and settings to go with it."""

import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import uvicorn
from pytest_django import Settings

from sandbox_wallet import World
from sandbox_wallet.app import App
from sandbox_wallet.wire import WireRequest

WAIT_SECONDS = 20.0


@dataclass(frozen=True)
class Shifted:
    """The system's clock, so many seconds off."""

    seconds: float = 0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.seconds)


def closed_port() -> int:
    """A port of the loopback where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def a_wallet() -> Iterator[World]:
    """Serve a sandbox wallet until the block ends."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    world = World(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}")
    app = App(world)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + WAIT_SECONDS
    while not server.started:
        assert time.monotonic() < deadline and thread.is_alive(), "the wallet did not start"
        time.sleep(0.01)
    try:
        yield world
    finally:
        app.stopping.set()
        server.should_exit = server.force_exit = True
        thread.join(WAIT_SECONDS)
        listener.close()
        world.close()


def control(world: World, what: str, body: Mapping[str, Any] | None = None) -> Any:
    """Use the wallet's control API; without a body it is asked, with one it is told."""
    answer = world.handle(
        WireRequest(
            method="GET" if body is None else "POST",
            url=f"{world.base_url}/__ctl/{what}",
            headers=(("content-type", "application/json"),),
            body=b"" if body is None else json.dumps(body).encode(),
        )
    )
    assert answer.status < 300, answer.body
    return json.loads(answer.body)


def use(world: World, settings: Settings) -> None:
    """Make this installation the wallet's platform, with a seller and a treasury there."""
    platform = world.platform
    settings.OP_CLIENT_WALLET_ADDRESS = platform.wallet_address
    settings.OP_CLIENT_KEY_ID = platform.key_id
    settings.OP_CLIENT_PRIVATE_KEY = platform.private_key_pem
    settings.OP_DEV_ORIGINS = frozenset({world.base_url})
    settings.SELLER_WALLET_ADDRESS_URL = f"{world.base_url}/shop"
    settings.TREASURY_WALLET_ADDRESS_URL = f"{world.base_url}/treasury"
