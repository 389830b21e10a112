"""Payers as clients see them: a mutation over HTTP, progress over a socket, a browser's visit."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx
import websockets
from websockets.asyncio.client import ClientConnection, connect

from bench.world import World

WAIT_SECONDS = 30.0
FUND_JOB = """
mutation ($input: FundJobInput!) {
  fundJob(input: $input) { funding { payments { id } } errors { code message } }
}
"""
PAYMENT_STATUS = """
subscription ($id: ID!) {
  paymentStatus(paymentId: $id) {
    cursor status terminal payment { incomingPaymentUrl grant { redirectUrl } }
  }
}
"""
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A funding whose redirect URL has reached the subscriber. Times are in seconds."""

    sent_at: datetime
    answered_after: float
    redirect_after: float
    payment_id: str
    redirect_url: str
    incoming_payment_url: str


class Payer:
    """One payer with an open socket and a kept-alive HTTP connection; one funding at a time."""

    def __init__(self, world: World, person: Json, http: httpx.AsyncClient) -> None:
        self._world, self._http = world, http
        self._authorization = f"Bearer {person['token']}"
        self._jobs = list(person["jobs"])
        self._socket: ClientConnection

    async def open(self, stack: AsyncExitStack) -> None:
        """Open the socket and say who one is."""
        url = self._world.base_url.replace("http", "ws", 1)
        protocol = websockets.Subprotocol("graphql-transport-ws")
        self._socket = await stack.enter_async_context(
            connect(f"{url}/graphql", subprotocols=[protocol])
        )
        payload = {"Authorization": self._authorization}
        await self._send({"type": "connection_init", "payload": payload})
        assert (await self._receive())["type"] == "connection_ack"

    async def start(self) -> Waiting:
        """Fund a job and wait until the subscription brings the redirect URL."""
        sent_at, began = datetime.now(UTC), time.perf_counter()
        variables = {
            "jobId": self._jobs.pop(),
            "returnUrl": f"{self._world.base_url}/done",
            "idempotencyKey": str(uuid.uuid4()),
        }
        answer = await self._http.post(
            f"{self._world.base_url}/graphql",
            json={"query": FUND_JOB, "variables": {"input": variables}},
            headers={"Authorization": self._authorization},
        )
        answered_after = time.perf_counter() - began
        payload = answer.json()["data"]["fundJob"]
        assert not payload["errors"], payload
        payment_id = payload["funding"]["payments"][0]["id"]
        subscription = {"query": PAYMENT_STATUS, "variables": {"id": payment_id}}
        await self._send({"id": payment_id, "type": "subscribe", "payload": subscription})
        while True:
            event = await self._event()
            if event["payment"]["grant"]:
                return Waiting(
                    sent_at,
                    answered_after,
                    time.perf_counter() - began,
                    payment_id,
                    event["payment"]["grant"]["redirectUrl"],
                    event["payment"]["incomingPaymentUrl"],
                )

    async def leave(self, waiting: Waiting) -> None:
        """Stop following a funding that stays unapproved."""
        await self._send({"id": waiting.payment_id, "type": "complete"})

    async def approve(self, waiting: Waiting) -> None:
        """Go the way of the payer's browser: our start page, the wallet, our finish page."""
        await visit(self._http, self._world, waiting.redirect_url)

    async def completed_at(self) -> datetime:
        """Wait for the last event; when it arrived."""
        while True:
            event = await self._event()
            if event["terminal"]:
                arrived = datetime.now(UTC)
                assert event["status"] == "COMPLETED", event
                assert (await self._receive())["type"] == "complete"
                return arrived

    async def _event(self) -> Json:
        message = await self._receive()
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        return dict(message["payload"]["data"]["paymentStatus"])

    async def _send(self, message: Json) -> None:
        await self._socket.send(json.dumps(message))

    async def _receive(self) -> Json:
        return dict(json.loads(await asyncio.wait_for(self._socket.recv(), WAIT_SECONDS)))


class Payers:
    """Everybody who may pay; whoever is free takes the next funding."""

    def __init__(self, world: World, http: httpx.AsyncClient) -> None:
        self.world, self.http = world, http
        self._free: asyncio.Queue[Payer] = asyncio.Queue()

    async def open(self, stack: AsyncExitStack) -> None:
        """Connect them all."""
        for person in self.world.people:
            payer = Payer(self.world, person, self.http)
            await payer.open(stack)
            self._free.put_nowait(payer)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Payer]:
        """Borrow the payer who has rested longest."""
        payer = await self._free.get()
        yield payer
        # Not after a failure: then what its socket says next is anybody's guess.
        self._free.put_nowait(payer)


@asynccontextmanager
async def payers_of(world: World) -> AsyncIterator[Payers]:
    """The payers of a world, connected."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(
            httpx.AsyncClient(
                timeout=WAIT_SECONDS, cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[]))
            )
        )
        payers = Payers(world, http)
        await payers.open(stack)
        yield payers


async def visit(http: httpx.AsyncClient, world: World, redirect_url: str) -> None:
    """Go the way of a payer's browser: our start page, the wallet, our finish page."""
    start = await http.get(redirect_url)
    assert start.status_code == 303, start.text
    cookies = "; ".join(f"{name}={value}" for name, value in start.cookies.items())
    location = await decide(http, world, start.headers["location"])
    finish = await http.get(location, headers={"Cookie": cookies})
    assert finish.status_code == 303, finish.text


async def decide(http: httpx.AsyncClient, world: World, redirect: str) -> str:
    """Approve at the wallet; where the browser goes next."""
    body = {"redirect": redirect, "decision": "accept"}
    answer = await http.post(f"{world.control_url}/decide", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["location"])
