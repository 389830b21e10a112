"""Clients that do not read what they asked for.

A server holds 64 KiB back for each of them and then has the sender wait. Without an end to that
a stream that nobody reads would keep its place, and its connection, for ever.
"""

import asyncio
import logging

from starlette.requests import ClientDisconnect
from starlette.types import Message, Send

log = logging.getLogger(__name__)

READ_SECONDS = 20.0


class NotRead(ClientDisconnect, OSError):
    """The client has left the last message unread for too long."""


def impatient(send: Send, *, read_seconds: float | None = None) -> Send:
    """`send`, for a client that has READ_SECONDS to make room for the next message.

    Wrap the server's own `send`, before anything else does.

    Raises:
        NotRead: from the new `send`; the connection is torn.
    """
    seconds = READ_SECONDS if read_seconds is None else read_seconds

    async def send_in_time(message: Message) -> None:
        try:
            async with asyncio.timeout(seconds):
                await send(message)
        except TimeoutError:
            _tear(send)
            log.info("a client has not read for %s s: its connection is torn", seconds)
            raise NotRead from None

    return send_in_time


def _tear(send: Send) -> None:
    # ASGI has no word for this. To close would be to wait until everything is read, and uvicorn
    # lets go of a connection only when it is lost; `send` is a method of what has the transport.
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is not None:
        transport.abort()
