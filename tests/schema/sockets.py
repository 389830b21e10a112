"""A graphql-transport-ws client that shows every message, for tests of the protocol itself."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection, connect

from tests.schema.server import Server

WAIT_SECONDS = 10.0
PROTOCOL = websockets.Subprotocol("graphql-transport-ws")

PAYMENT_STATUS = """
subscription ($id: ID!, $after: EventCursor) {
  paymentStatus(paymentId: $id, after: $after) {
    cursor status previous terminal payment { status }
  }
}
"""


@asynccontextmanager
async def socket_to(
    server: Server,
    *,
    token: str | None = None,
    origin: str | None = None,
    accept_language: str = "",
    init: bool = True,
) -> AsyncIterator["Socket"]:
    """A connection, initialised with `token` (an Authorization value) unless `init` is false."""
    async with connect(
        server.socket,
        subprotocols=[PROTOCOL],
        origin=websockets.Origin(origin) if origin else None,
    ) as connection:
        client = Socket(connection)
        if init:
            params = {"Authorization": token, "accept-language": accept_language}
            payload = {name: value for name, value in params.items() if value}
            await client.send({"type": "connection_init", "payload": payload})
            assert await client.receive() == {"type": "connection_ack"}
        yield client


class Socket:
    """Messages in, messages out."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, message: Any) -> None:
        await self.connection.send(json.dumps(message))

    async def receive(self) -> Any:
        return json.loads(await asyncio.wait_for(self.connection.recv(), WAIT_SECONDS))

    async def subscribe(self, name: str, query: str, /, **variables: Any) -> None:
        payload = {"query": query, "variables": variables}
        await self.send({"id": name, "type": "subscribe", "payload": payload})

    async def next(self, field: str = "paymentStatus") -> Any:
        """The next item's `field`."""
        message = await self.receive()
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        return message["payload"]["data"][field]

    async def closed(self) -> int:
        """Wait for the server to close; the code it gave."""
        await asyncio.wait_for(self.connection.wait_closed(), WAIT_SECONDS)
        assert self.connection.close_code is not None
        return self.connection.close_code
