"""Servers that misbehave on purpose, on loopback, and a witness of every connection made."""

import contextlib
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator

Handler = Callable[[socket.socket], None]

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """Runs `handler` on each connection until closed; counts connections and requests."""

    def __init__(self, handler: Handler, *, tls: ssl.SSLContext | None = None) -> None:
        self.connections = 0
        self._handler = handler
        self._tls = tls
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(20)
        with contextlib.suppress(OSError):
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            self._handler(connection)
        with contextlib.suppress(OSError):
            connection.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()


@contextlib.contextmanager
def serving(handler: Handler, *, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Run a server for the length of a block."""
    server = Server(handler, tls=tls)
    try:
        yield server
    finally:
        server.close()


def read_request(connection: socket.socket) -> bytes:
    """Read one request head (our tests send no bodies that matter)."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        if not part:
            return received
        received += part
    return received


def answering(answer: bytes) -> Handler:
    """A handler that gives `answer` to every request of a connection."""

    def handler(connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(answer)

    return handler


class Witness:
    """Sees every connect() of this process, below all our code: the ground truth."""

    def __init__(self) -> None:
        self._watching = False
        self.connects: list[object] = []
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if self._watching and event == "socket.connect":
            self.connects.append(arguments[1])

    @contextlib.contextmanager
    def watching(self) -> Iterator[list[object]]:
        self.connects = []
        self._watching = True
        try:
            yield self.connects
        finally:
            self._watching = False


WITNESS = Witness()
