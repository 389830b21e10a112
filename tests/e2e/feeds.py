"""`python -m tests.e2e.feeds`: people's feeds over connections that are lost all the time.

Many payments are made while subscribers follow the feeds of their payers, over every transport,
and lose their connections at random moments; half-way the server is restarted too. At the end
each of them must have seen every event of the feed after its first cursor: once, and in order.
Prints one line of JSON; exits 0 when all of them have.
"""

import argparse
import asyncio
import json
import os
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tests.e2e.marketplace import Marketplace, running_marketplace
from tests.e2e.people import Person, Story, people, see_it_through
from tests.e2e.processes import exit_with
from tests.e2e.subscribers import (
    Subscriber,
    Transport,
    feed_of_viewer,
    over_multipart,
    over_sse,
    over_websocket,
)

TRANSPORTS: dict[str, Transport] = {
    "socket": over_websocket,
    "SSE": over_sse,
    "multipart": over_multipart,
}
PAYERS = 10
LONGEST_SECONDS = 900.0
CATCH_UP_SECONDS = 30.0
IN_FLIGHT = 8
FEED = """
query ($after: EventCursor) {
  events(first: 100, after: $after) { edges { cursor node { id } } endCursor hasNextPage }
}
"""


@dataclass(frozen=True)
class Plan:
    """How much happens. `subscribers` and `drops` are those of each transport."""

    payments: int
    subscribers: int
    drops: int
    seed: int
    restart: bool = True


@dataclass
class Report:
    """What one transport's subscribers went through, and what they missed or saw wrongly."""

    transport: str
    drops: int = 0
    seen: int = 0
    missed: int = 0
    twice: int = 0
    out_of_order: int = 0

    @property
    def passed(self) -> bool:
        """Whether everybody saw everything once, in order."""
        return self.seen > 0 and not (self.missed or self.twice or self.out_of_order)


def run(plan: Plan, *, server_url: str | None) -> list[Report]:
    """Play `plan`; see running_marketplace for `server_url`."""
    with running_marketplace(server_url=server_url) as market:
        return asyncio.run(_play(market, plan))


async def _play(market: Marketplace, plan: Plan) -> list[Report]:
    rng = random.Random(plan.seed)
    crowd = min(PAYERS, plan.subscribers)
    async with people(market, crowd) as payers, asyncio.timeout(LONGEST_SECONDS):
        followers = {
            name: [
                Subscriber(
                    payers[number % crowd],
                    feed_of_viewer(),
                    transport,
                    random.Random(rng.random()),
                    most_drops=-(-plan.drops // plan.subscribers),
                )
                for number in range(plan.subscribers)
            ]
            for name, transport in TRANSPORTS.items()
        }
        everybody = [each for some in followers.values() for each in some]
        ends: dict[str, str] = {}
        following = [
            asyncio.create_task(each.follow(lambda each=each: _has_all(each, ends)))  # type: ignore[misc]
            for each in everybody
        ]
        await asyncio.gather(*(each.has_dropped(1) for each in everybody))
        await _pay(market, payers, plan, rng)
        feeds = {payer.token: await _feed(payer) for payer in payers}
        ends.update({token: feed[-1][0] for token, feed in feeds.items()})
        await asyncio.wait(following, timeout=CATCH_UP_SECONDS)
        for each in following:
            each.cancel()
        await asyncio.gather(*following, return_exceptions=True)
    return [_judge(name, some, feeds) for name, some in followers.items()]


def _has_all(subscriber: Subscriber, ends: dict[str, str]) -> bool:
    end = ends.get(subscriber.person.token)
    return end is not None and bool(subscriber.items) and subscriber.items[-1]["cursor"] == end


async def _pay(
    market: Marketplace, payers: Sequence[Person], plan: Plan, rng: random.Random
) -> None:
    slots = asyncio.Semaphore(IN_FLIGHT)
    done = 0

    async def one(number: int) -> None:
        nonlocal done
        async with slots:
            payer = payers[number % len(payers)]
            payment_id = await payer.fund(await payer.publish_job(reward=500 + number))
            story = Story(payment_id, time.monotonic())
            await see_it_through(
                payer, story, rng=random.Random(rng.random()), until=asyncio.Event()
            )
            assert story.status == "COMPLETED", story
            done += 1
            if plan.restart and done == plan.payments // 2:
                await asyncio.to_thread(market.web.stop)
                market.web.start()
                await asyncio.to_thread(market.web.wait_until_ready)

    await asyncio.gather(*(one(number) for number in range(plan.payments)))


async def _feed(payer: Person) -> list[tuple[str, str]]:
    """The (cursor, id) of every event of a payer, from the first one, read page by page."""
    found: list[tuple[str, str]] = []
    after = None
    while True:
        page = (await payer.execute(FEED, after=after))["events"]
        found += [(edge["cursor"], edge["node"]["id"]) for edge in page["edges"]]
        after = page["endCursor"]
        if not page["hasNextPage"]:
            return found


def _judge(
    name: str, subscribers: Sequence[Subscriber], feeds: dict[str, list[tuple[str, str]]]
) -> Report:
    report = Report(name)
    for each in subscribers:
        feed = feeds[each.person.token]
        cursors = [cursor for cursor, _ in feed]
        first = each.items[0]["cursor"]
        start = cursors.index(first) + 1 if first in cursors else 0
        expected = [id for _, id in feed[start:]]
        seen = [item["node"]["id"] for item in each.items[1:]]
        report.drops += each.drops
        report.seen += len(seen)
        report.missed += len(set(expected) - set(seen))
        report.twice += len(seen) - len(set(seen))
        report.out_of_order += seen != expected
    return report


def main() -> int:
    """Run what the command line asks for; 0 is a pass."""
    parser = argparse.ArgumentParser(prog="tests.e2e.feeds", description=__doc__)
    parser.add_argument("--payments", type=int, default=200)
    parser.add_argument("--subscribers", type=int, default=20, help="over each transport")
    parser.add_argument("--drops", type=int, default=100, help="over each transport")
    parser.add_argument("--no-restart", action="store_true", help="the server runs through")
    parser.add_argument("--embedded", action="store_true", help="SQLite, one process")
    parser.add_argument("--seed", type=int, help="left out: any; it is printed")
    parser.add_argument(
        "--database-server",
        default=os.environ.get("DATABASE_URL") or "postgres://postgres@127.0.0.1:5432/postgres",
        help="where a database of its own is made and removed; left out: DATABASE_URL's",
    )
    given = parser.parse_args()
    seed = random.randrange(2**32) if given.seed is None else given.seed
    plan = Plan(given.payments, given.subscribers, given.drops, seed, not given.no_restart)
    began = time.monotonic()
    reports = run(plan, server_url=None if given.embedded else given.database_server)
    told: dict[str, Any] = {"plan": asdict(plan), "seconds": round(time.monotonic() - began)}
    print(json.dumps({**told, "reports": [asdict(each) for each in reports]}))
    return 0 if all(each.passed for each in reports) else 1


if __name__ == "__main__":
    exit_with(main)
