"""Subscribers on bad connections: every event once, in order, over any number of sockets."""

import asyncio
import random
from itertools import pairwise

import pytest

from tests.e2e.marketplace import Marketplace
from tests.e2e.people import Person, people
from tests.e2e.subscribers import (
    Item,
    Subscriber,
    Transport,
    over_multipart,
    over_sse,
    over_websocket,
    status_of,
)

SEED = 20261122
WAIT_SECONDS = 120.0
THE_WAY = [
    "CREATED",
    "AWAITING_APPROVAL",
    "AUTHORIZED",
    "QUOTED",
    "SENDING",
    "SENT",
    "COMPLETED",
]


@pytest.mark.parametrize(
    ("transport", "fundings", "drops_each"),
    [(over_websocket, 10, 5), (over_sse, 3, 4), (over_multipart, 3, 4)],
)
async def test_a_subscriber_that_keeps_losing_its_connection_sees_every_event_once_in_order(
    market: Marketplace, transport: Transport, fundings: int, drops_each: int
) -> None:
    rng = random.Random(SEED)
    async with people(market, 1) as [payer], asyncio.timeout(WAIT_SECONDS):
        subscribers = []
        for number in range(fundings):
            payment_id = await payer.fund(await payer.publish_job(reward=500 + number))
            subscribers.append(
                Subscriber(payer, status_of(payment_id), transport, random.Random(rng.random()))
            )

        await asyncio.gather(*(_live(one, approve_after=drops_each) for one in subscribers))
        replays = await asyncio.gather(*(_replay(one, rng) for one in subscribers))

    assert sum(one.drops for one in subscribers) >= fundings * drops_each
    for one, replay in zip(subscribers, replays, strict=True):
        statuses = [item["status"] for item in one.items]
        # The first item is a snapshot: it stands for everything up to its cursor.
        assert statuses == THE_WAY[-len(statuses) :]
        assert all(later["previous"] == sooner["status"] for sooner, later in pairwise(one.items))
        assert replay == one.items[-len(replay) :]


async def _live(subscriber: Subscriber, *, approve_after: int) -> None:
    following = asyncio.create_task(subscriber.follow())
    # Most drops happen while the payer thinks, and the others while the money moves.
    await subscriber.has_dropped(approve_after)
    # Or its first item may stand for the whole way, and there is nothing to resume.
    await subscriber.has_heard()
    payment_id = str(subscriber.stream.variables["id"])
    await subscriber.person.approve(await _redirect(subscriber.person, payment_id))
    await following


async def _redirect(payer: Person, payment_id: str) -> str:
    while True:
        grant = (await payer.payment(payment_id))["grant"]
        if grant and grant["redirectUrl"]:
            return str(grant["redirectUrl"])
        await asyncio.sleep(0.1)


async def _replay(subscriber: Subscriber, rng: random.Random) -> list[Item]:
    """Everything behind an item somewhere in the middle, read again in one go."""
    start = rng.randrange(len(subscriber.items) - 1)
    cursor = subscriber.items[start]["cursor"]
    stream = subscriber.transport(subscriber.person, subscriber.stream, cursor)
    return [item async for item in stream]
