"""Clients of subscriptions that lose their connection all the time and resume with a cursor.

Three transports, one shape: an async iterator of items behind `after` that is simply dropped.
A drop is a torn connection, not a polite goodbye.
"""

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import httpx
import websockets
from websockets.asyncio.client import connect

from tests.e2e.people import Person

Item = dict[str, Any]


@dataclass(frozen=True)
class Stream:
    """What is followed: a subscription's field, its document, and its variables but `after`."""

    name: str
    document: str
    variables: Mapping[str, Any] = field(default_factory=dict)

    def operation(self, after: str | None) -> dict[str, Any]:
        """The request that begins behind `after`."""
        return {"query": self.document, "variables": {**self.variables, "after": after}}


Transport = Callable[[Person, Stream, str | None], AsyncGenerator[Item, None]]

PAYMENT_STATUS = """
subscription ($id: ID!, $after: EventCursor) {
  paymentStatus(paymentId: $id, after: $after) { cursor status previous terminal }
}
"""
VIEWER_EVENTS = """
subscription ($after: EventCursor) {
  viewerEvents(after: $after) { cursor node { id type } }
}
"""


def status_of(payment_id: str) -> Stream:
    """The statuses of one payment."""
    return Stream("paymentStatus", PAYMENT_STATUS, {"id": payment_id})


def feed_of_viewer() -> Stream:
    """Everything that concerns whoever asks."""
    return Stream("viewerEvents", VIEWER_EVENTS)


async def over_websocket(
    person: Person, stream: Stream, after: str | None
) -> AsyncGenerator[Item, None]:
    """Items over graphql-transport-ws."""
    protocol = websockets.Subprotocol("graphql-transport-ws")
    connection = await connect(person.market.socket, subprotocols=[protocol])
    try:
        hello = {"type": "connection_init", "payload": {"Authorization": f"Bearer {person.token}"}}
        await connection.send(json.dumps(hello))
        assert json.loads(await connection.recv()) == {"type": "connection_ack"}
        await connection.send(
            json.dumps({"id": "1", "type": "subscribe", "payload": stream.operation(after)})
        )
        while (message := json.loads(await connection.recv()))["type"] == "next":
            yield _item(stream, message["payload"])
        assert message["type"] == "complete", message
    finally:
        # No close frame: the client's train went into a tunnel.
        connection.transport.abort()


async def over_sse(person: Person, stream: Stream, after: str | None) -> AsyncGenerator[Item, None]:
    """Items as server-sent events."""
    async with _stream(person, stream, after, accept="text/event-stream") as answer:
        async for line in answer.aiter_lines():
            if line.startswith("data: {"):
                yield _item(stream, json.loads(line.removeprefix("data: ")))


async def over_multipart(
    person: Person, stream: Stream, after: str | None
) -> AsyncGenerator[Item, None]:
    """Items as parts of a multipart answer, as Apollo Client reads them."""
    accept = 'multipart/mixed;subscriptionSpec="1.0", application/json'
    async with _stream(person, stream, after, accept=accept) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("{") and (payload := json.loads(line).get("payload")):
                yield _item(stream, payload)


def _stream(person: Person, stream: Stream, after: str | None, *, accept: str) -> Any:
    return person.http.stream(
        "POST",
        person.market.graphql,
        json=stream.operation(after),
        headers={"Accept": accept, "Authorization": f"Bearer {person.token}"},
    )


def _item(stream: Stream, payload: Any) -> Item:
    assert not payload.get("errors"), payload
    return dict(payload["data"][stream.name])


@dataclass
class Subscriber:
    """Follows a stream over connections that do not last, until it is told to stop."""

    person: Person
    stream: Stream
    transport: Transport
    rng: random.Random
    items: list[Item] = field(default_factory=list)
    drops: int = 0
    # After so many drops it stays connected.
    most_drops: int | None = None
    dropped: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def follow(self, until: Callable[[], bool] | None = None) -> None:
        """Connect, read for a moment, drop, resume behind the last item; until the terminal one,
        or until `until` says so, which is asked after every item and every drop.
        """
        is_over = until or (lambda: bool(self.items and self.items[-1]["terminal"]))
        while not is_over():
            lasts = self.most_drops is not None and self.drops >= self.most_drops
            try:
                # A little longer each time, or a busy machine never gets a word in.
                patience = self.rng.uniform(0.05, 0.6) * (1 + self.drops / 20)
                async with asyncio.timeout(5 if lasts else patience):
                    await self._read_on(is_over, lasts=lasts)
            except TimeoutError:
                pass
            except (OSError, httpx.TransportError, websockets.WebSocketException):
                # The server refuses or forgets connections of this kind of client now and then.
                await asyncio.sleep(0.05)
            async with self.dropped:
                self.drops += 1
                self.dropped.notify_all()

    async def _read_on(self, is_over: Callable[[], bool], *, lasts: bool) -> None:
        after = self.items[-1]["cursor"] if self.items else None
        async with aclosing(self.transport(self.person, self.stream, after)) as items:
            async for item in items:
                self.items.append(item)
                if is_over():
                    return
                if not item.get("terminal") and not lasts and self.rng.random() < 0.3:
                    return

    async def has_dropped(self, times: int) -> None:
        """Wait until the connection was lost `times` times."""
        async with self.dropped:
            await self.dropped.wait_for(lambda: self.drops >= times)

    async def has_heard(self) -> None:
        """Wait until a first item came over a connection that is gone by now."""
        async with self.dropped:
            await self.dropped.wait_for(lambda: bool(self.items))
