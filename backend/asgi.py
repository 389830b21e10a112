"""The ASGI application: /graphql and /files/ beside Django, and the life of the process."""

# ruff: noqa: E402 - Django is set up before anything of ours that needs it is imported

import asyncio
import gc
import os
import signal
from contextlib import AbstractContextManager, suppress
from types import FrameType
from typing import cast

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")

from django.core.asgi import get_asgi_application

django_app = cast("ASGIApp", get_asgi_application())

# Hints are sent through the current Celery app; without this import that is an unconfigured one,
# and every payment would wait for the tick.
import celery_app  # noqa: F401
from backend.checks import refuse_unsafe_settings
from backend.errors import ErrorCode
from backend.events.hub import Hub, hub
from backend.files.http import FilesApp
from backend.files.links import PATH as FILES_PATH
from backend.headers import with_headers
from backend.schema.http import GraphQLApp
from backend.schema.root import schema
from backend.schema.slow_readers import impatient
from backend.telemetry import context
from backend.telemetry.exporting import export_traces
from backend.telemetry.http import observed
from backend.web import MAX_BODY_BYTES

refuse_unsafe_settings()
context.process_is("web")
graphql_app = GraphQLApp(schema)
files_app = FilesApp()
# Of allocations that are not yet given back, of the youngest generation, of the middle one.
GC_THRESHOLDS = (50_000, 10, 20)
GRAPHQL_PATHS = frozenset({"/graphql", "/graphql/"})


async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
    """Send each scope to whoever speaks it."""
    if scope["type"] == "http":
        send = with_headers(scope, send)
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif scope["path"] in GRAPHQL_PATHS:
        await limit_body(graphql_app, scope, receive, impatient(send))
    elif scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000})
    elif scope["path"].startswith(FILES_PATH):
        await files_app(scope, receive, send)  # which has a limit of its own for each part
    else:
        await limit_body(django_app, scope, receive, send)


def _served_beside_django(path: str) -> str | None:
    if path in GRAPHQL_PATHS:
        return "/graphql"
    return f"{FILES_PATH}<token>" if path.startswith(FILES_PATH) else None


application = observed(dispatch, served_beside_django=_served_beside_django)


async def limit_body(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Run `app` with at most MAX_BODY_BYTES of body; answer 413 to anything longer.

    Django would read the whole body, of any length, before it looks at the path.
    """
    if scope["type"] != "http":
        await app(scope, receive, send)
        return
    received = 0
    started = False

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        # The application hears that the client has gone, and cleans up after itself.
        return message if received <= MAX_BODY_BYTES else {"type": "http.disconnect"}

    async def watched(message: Message) -> None:
        nonlocal started
        started = True
        await send(message)

    if _announced_length(scope) <= MAX_BODY_BYTES:
        with suppress(ClientDisconnect):
            await app(scope, counted, watched)
        if received <= MAX_BODY_BYTES or started:
            return
    message = f"The body is limited to {MAX_BODY_BYTES} bytes."
    body = {"errors": [{"message": message, "extensions": {"code": ErrorCode.BAD_REQUEST}}]}
    # The rest of the body is not read, so the connection cannot be used again.
    await JSONResponse(body, 413, {"Connection": "close"})(scope, receive, send)


def _announced_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and len(value) < 20:
            return int(value)
    return 0


async def lifespan(receive: Receive, send: Send) -> None:
    """Keep this loop's hub listening while the server runs."""
    listening: AbstractContextManager[None] | None = None
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            export_traces()
            listening = hub().listening()
            listening.__enter__()
            end_streams_on_signal(hub())
            collect_garbage_less_often()
            await send({"type": "lifespan.startup.complete"})
        else:
            hub().stopping.set()
            if listening is not None:
                listening.__exit__(None, None, None)
            await send({"type": "lifespan.shutdown.complete"})
            return


def collect_garbage_less_often() -> None:
    """Look for garbage after fifty thousand allocations, not after Python's seven hundred.

    A stream keeps some hundred objects for as long as it lives, and an event that thousands
    follow makes as many more at once. Each look goes through them: with 5,000 sockets it was more
    than half of the time until the last of them had heard, and everybody else waited meanwhile.
    """
    gc.collect()
    gc.freeze()  # what was imported stays
    gc.set_threshold(*GC_THRESHOLDS)


def end_streams_on_signal(streams: Hub) -> None:
    """On SIGTERM and SIGINT end the open streams, then let the server do what it does.

    A server that shuts down gracefully waits for open responses before it sends
    lifespan.shutdown, and a subscription's response never ends by itself.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        previous = signal.getsignal(number)
        if not callable(previous):
            continue

        def handle(received: int, frame: FrameType | None, previous: object = previous) -> None:
            loop.call_soon_threadsafe(streams.stopping.set)
            assert callable(previous)
            previous(received, frame)

        try:
            signal.signal(number, handle)
        except ValueError:
            return  # not the main thread: whoever runs us there stops us there
