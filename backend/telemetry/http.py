"""What every request is wrapped in: an id, a line when it is over, its numbers, its trace."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.urls import Resolver404, resolve
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.telemetry import context, metrics, traces

log = logging.getLogger(__name__)

_REQUEST_ID = context.REQUEST_ID_HEADER.lower().encode()
# Asked every few seconds by whoever watches over us.
_ASKED_ALL_THE_TIME = frozenset({"/healthz", "/readyz", "/health", "/metrics"})
_METHODS = frozenset({"GET", "POST", "PUT", "HEAD", "OPTIONS", "PATCH", "DELETE"})
UNKNOWN = "(none)"


def observed(app: ASGIApp, *, served_beside_django: Callable[[str], str | None]) -> ASGIApp:
    """Wrap `app`: X-Request-ID in and out, and one line about every request and every socket.

    The line has the route and never the path: paths of ours are capabilities, and queries hold
    what wallets send back. `served_beside_django` names the route of a path that Django does not
    serve, or None.
    """

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await app(scope, receive, send)
            return
        seen = _Seen(scope, served_beside_django(scope["path"]) or _django_route(scope["path"]))
        # `operation` and the ids are noted on the way, for this line too.
        with (
            context.about(
                request_id=seen.request_id, operation=None, payment_id=None, funding_id=None
            ),
            seen.open(),
            traces.span(seen.name, kind="server", route=seen.route) as span,
        ):
            await app(scope, receive, seen.watching(send, span))

    return application


def _django_route(path: str) -> str:
    """The pattern that a path matches: without what is secret in it, and one of a few dozen."""
    try:
        return f"/{resolve(path).route}"
    except Resolver404:
        return UNKNOWN


class _Seen:
    """One request or socket, as far as it has come."""

    def __init__(self, scope: Scope, route: str) -> None:
        self.request_id = context.sane_request_id(_header(scope, _REQUEST_ID))
        self._is_socket = scope["type"] == "websocket"
        method = "WEBSOCKET" if self._is_socket else scope["method"]
        self._method = method if method in _METHODS or self._is_socket else "OTHER"
        self.route = route
        self.name = f"{self._method} {route}"
        self._is_stream = False
        self._status: int | None = None
        self._close_code: int | None = None
        self._started = time.perf_counter()

    @contextmanager
    def open(self) -> Iterator[None]:
        """Count it while it goes on, and say at the end how it went."""
        if self._is_socket:
            metrics.SOCKETS.inc()
        try:
            yield
        finally:
            if self._is_socket:
                metrics.SOCKETS.dec()
            self._say()

    def watching(self, send: Send, span: traces.Span) -> Send:
        identified = (_REQUEST_ID, self.request_id.encode())

        async def watched(message: Message) -> None:
            match message["type"]:
                case "http.response.start":
                    self._status = message["status"]
                    self._is_stream = _is_stream(message)
                    span.set_attribute("http.response.status_code", message["status"])
                    message = {**message, "headers": [*message.get("headers", ()), identified]}
                case "websocket.accept":
                    self._status = 101
                    message = {**message, "headers": [*message.get("headers", ()), identified]}
                case "websocket.close":
                    self._close_code = message.get("code", 1000)
            await send(message)

        return watched

    def _say(self) -> None:
        # Without a status the client went away before it was answered.
        seconds = time.perf_counter() - self._started
        if not self._is_socket and not self._is_stream:
            status = str(self._status or "gone")
            metrics.HTTP.labels(self._method, self.route, status).observe(seconds)
        level = logging.DEBUG if self.route in _ASKED_ALL_THE_TIME else logging.INFO
        if log.isEnabledFor(level):
            log.log(
                level,
                "%s %s %s",
                self._method,
                self.route,
                self._status or self._close_code or "gone",
                extra={
                    "method": self._method,
                    "route": self.route,
                    "status": self._status,
                    "close_code": self._close_code,
                    "duration_ms": round(seconds * 1000, 1),
                },
            )


def _is_stream(message: Message) -> bool:
    """Whether an answer goes on for as long as its reader likes."""
    kind = next(
        (value for name, value in message.get("headers", ()) if name == b"content-type"), b""
    )
    return bool(kind.startswith((b"text/event-stream", b"multipart/")))


def _header(scope: Scope, wanted: bytes) -> str | None:
    for name, value in scope["headers"]:
        if name == wanted:
            return str(value.decode("latin-1"))
    return None
