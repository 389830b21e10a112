"""The least that a server with sockets can do: keep them, and send each the same text.

`POST /tell` sends it; the answer is when that began, in CLOCK_MONOTONIC's seconds.
"""

import asyncio
import time

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

_open: set[WebSocket] = set()


async def listen(socket: WebSocket) -> None:
    """Keep a socket until it goes."""
    await socket.accept(subprotocol="graphql-transport-ws")
    _open.add(socket)
    try:
        while True:
            await socket.receive_text()
    except WebSocketDisconnect:
        return
    finally:
        _open.discard(socket)


async def tell(request: Request) -> JSONResponse:
    """Send the body to everybody, as one task for each, as a server with streams does."""
    text = (await request.body()).decode()
    began = time.monotonic()
    await asyncio.gather(*(socket.send_text(text) for socket in _open))
    return JSONResponse({"at": began})


async def ready(_: Request) -> JSONResponse:
    """Say that requests are welcome."""
    return JSONResponse({})


application = Starlette(
    routes=[
        WebSocketRoute("/graphql", listen),
        Route("/tell", tell, methods=["POST"]),
        Route("/readyz", ready),
    ]
)
