"""Clients of `paymentStatus` that lose their connection all the time and resume with a cursor.

Three transports, one shape: an async iterator of items behind `after` that is simply dropped.
A drop is a torn connection, not a polite goodbye.
"""

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import httpx
import websockets
from websockets.asyncio.client import connect

from tests.e2e.people import Person

Item = dict[str, Any]
Transport = Callable[[Person, str, str | None], AsyncGenerator[Item, None]]

SUBSCRIPTION = """
subscription ($id: ID!, $after: EventCursor) {
  paymentStatus(paymentId: $id, after: $after) { cursor status previous terminal }
}
"""


async def over_websocket(
    person: Person, payment_id: str, after: str | None
) -> AsyncGenerator[Item, None]:
    """Items over graphql-transport-ws."""
    protocol = websockets.Subprotocol("graphql-transport-ws")
    connection = await connect(person.market.socket, subprotocols=[protocol])
    try:
        hello = {"type": "connection_init", "payload": {"Authorization": f"Bearer {person.token}"}}
        await connection.send(json.dumps(hello))
        assert json.loads(await connection.recv()) == {"type": "connection_ack"}
        await connection.send(
            json.dumps({"id": "1", "type": "subscribe", "payload": _operation(payment_id, after)})
        )
        while (message := json.loads(await connection.recv()))["type"] == "next":
            yield _item(message["payload"])
        assert message["type"] == "complete", message
    finally:
        # No close frame: the client's train went into a tunnel.
        connection.transport.abort()


async def over_sse(
    person: Person, payment_id: str, after: str | None
) -> AsyncGenerator[Item, None]:
    """Items as server-sent events."""
    async with _stream(person, payment_id, after, accept="text/event-stream") as answer:
        async for line in answer.aiter_lines():
            if line.startswith("data: {"):
                yield _item(json.loads(line.removeprefix("data: ")))


async def over_multipart(
    person: Person, payment_id: str, after: str | None
) -> AsyncGenerator[Item, None]:
    """Items as parts of a multipart answer, as Apollo Client reads them."""
    accept = 'multipart/mixed;subscriptionSpec="1.0", application/json'
    async with _stream(person, payment_id, after, accept=accept) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("{") and (payload := json.loads(line).get("payload")):
                yield _item(payload)


def _stream(person: Person, payment_id: str, after: str | None, *, accept: str) -> Any:
    return person.http.stream(
        "POST",
        person.market.graphql,
        json=_operation(payment_id, after),
        headers={"Accept": accept, "Authorization": f"Bearer {person.token}"},
    )


def _operation(payment_id: str, after: str | None) -> dict[str, Any]:
    return {"query": SUBSCRIPTION, "variables": {"id": payment_id, "after": after}}


def _item(payload: Any) -> Item:
    assert not payload.get("errors"), payload
    return dict(payload["data"]["paymentStatus"])


@dataclass
class Subscriber:
    """Follows one payment to its end over connections that do not last."""

    person: Person
    payment_id: str
    transport: Transport
    rng: random.Random
    items: list[Item] = field(default_factory=list)
    drops: int = 0
    dropped: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def follow(self) -> None:
        """Connect, read for a moment, drop, resume behind the last item; until the terminal one."""
        while not (self.items and self.items[-1]["terminal"]):
            moment = self.rng.uniform(0.05, 0.6)
            try:
                async with asyncio.timeout(moment):
                    await self._read_on()
            except TimeoutError:
                pass
            except (OSError, httpx.TransportError, websockets.WebSocketException):
                # The server refuses or forgets connections of this kind of client now and then.
                await asyncio.sleep(0.05)
            async with self.dropped:
                self.drops += 1
                self.dropped.notify_all()

    async def _read_on(self) -> None:
        after = self.items[-1]["cursor"] if self.items else None
        async with aclosing(self.transport(self.person, self.payment_id, after)) as items:
            async for item in items:
                self.items.append(item)
                if not item["terminal"] and self.rng.random() < 0.3:
                    return

    async def has_dropped(self, times: int) -> None:
        """Wait until the connection was lost `times` times."""
        async with self.dropped:
            await self.dropped.wait_for(lambda: self.drops >= times)
