"""The process as a whole: it starts, serves, and stops while streams are open."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

ROOT = Path(__file__).parent.parent
WAIT_SECONDS = 30.0
SEED = """
import django; django.setup()
from tests.schema.world import a_payment, bearer
world = a_payment()
print(world.id, bearer(world.payer), sep="\\n")
"""
SUBSCRIPTION = "subscription ($id: ID!) { paymentStatus(paymentId: $id) { cursor status } }"


class Process:
    """`uvicorn backend.asgi:application` with a database of its own and one payment in it."""

    def __init__(self, folder: Path) -> None:
        self.environment = {
            "PATH": os.environ["PATH"],
            "DEBUG": "1",
            "VAR_DIR": str(folder),
            "LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "backend.settings",
        }
        self._run("manage.py", "migrate", "-v0")
        self.payment_id, self.bearer = self._run("-c", SEED).split("\n")[:2]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "uvicorn",
                "backend.asgi:application",
                "--port",
                str(self.port),
                "--log-level",
                "warning",
                "--timeout-graceful-shutdown",
                "10",
            ],
            cwd=ROOT,
            env=self.environment,
        )
        self._wait_until_alive()

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS * 2,
        )
        return done.stdout

    def _wait_until_alive(self) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            assert self.process.poll() is None, "the server died"
            try:
                httpx.get(f"http://127.0.0.1:{self.port}/healthz")
            except httpx.TransportError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError("the server did not start")

    def stop(self) -> float:
        """Send SIGTERM; how many seconds it took to exit."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(WAIT_SECONDS)
        return time.monotonic() - started


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    running = Process(tmp_path)
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait(WAIT_SECONDS)


def test_on_sigterm_streams_are_cut_without_being_called_complete(process: Process) -> None:
    url = f"127.0.0.1:{process.port}/graphql"
    payload = {"query": SUBSCRIPTION, "variables": {"id": process.payment_id}}
    headers = {"Authorization": process.bearer, "Accept": "text/event-stream"}
    with (
        httpx.stream("POST", f"http://{url}", json=payload, headers=headers) as stream,
        connect(f"ws://{url}", subprotocols=["graphql-transport-ws"]) as socket,  # type: ignore[list-item]
    ):
        init = {"type": "connection_init", "payload": {"Authorization": process.bearer}}
        socket.send(json.dumps(init))
        socket.recv(timeout=WAIT_SECONDS)
        socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        socket.recv(timeout=WAIT_SECONDS)
        lines = stream.iter_lines()
        first = [next(lines) for _ in range(3)]

        seconds = process.stop()

        rest = list(lines)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=WAIT_SECONDS)
    assert '"status":"CREATED"' in first[1]
    assert not any("complete" in line for line in rest)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
    assert seconds < 5


def test_unsafe_settings_stop_the_process(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path), "SECRET_KEY": "x"}

    done = subprocess.run(
        [sys.executable, "-c", "import backend.asgi"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS * 2,
    )

    assert done.returncode != 0
    assert "faena.E" in done.stderr
