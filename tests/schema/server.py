"""A real uvicorn on an ephemeral port of the loopback, in a thread of the test's process."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

# Imported with the module, because the application checks its settings when it is imported,
# and the test runner turns DEBUG off later.
from backend.asgi import application

WAIT_SECONDS = 20.0


@dataclass(frozen=True)
class Server:
    """Where the server listens."""

    port: int

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def graphql(self) -> str:
        return f"{self.http}/graphql"

    @property
    def socket(self) -> str:
        return f"ws://127.0.0.1:{self.port}/graphql"


@contextmanager
def serving() -> Iterator[Server]:
    """Serve backend.asgi until the block ends."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        application, log_level="warning", timeout_graceful_shutdown=2, lifespan="on"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + WAIT_SECONDS
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        assert thread.is_alive(), "the server died"
        time.sleep(0.01)
    try:
        yield Server(listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(WAIT_SECONDS)
        listener.close()
        assert not thread.is_alive(), "the server did not stop"
