"""Fundings at a steady rate, whatever is restarted meanwhile, and what came of them."""

import asyncio
import base64
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.e2e.marketplace import Marketplace
from tests.e2e.people import TERMINAL, Person, Story, see_it_through
from tests.e2e.verdict import Verdict, judge

PATIENCE_SECONDS = 240.0
# More at a time would only show that this machine is too slow for the rate.
MOST_IN_FLIGHT = 240
LOOK_AGAIN_SECONDS = (1.0, 2.0)
JUDGES = 8
_PAYMENTS = "SELECT CAST(id AS TEXT) FROM payments_payment"
_JOBS = "SELECT CAST(id AS TEXT) FROM jobs_job"


@dataclass(kw_only=True)
class Load:
    """Payers who fund one job after the other. `rate` is fundings per second."""

    market: Marketplace
    payers: Sequence[Person]
    rate: float
    rng: random.Random
    stories: list[tuple[Person, Story]] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    held_back: int = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Begin fundings until `stop` is set, then see all of them to their ends."""
        began, number = time.monotonic(), 0
        gave_up = asyncio.Event()
        lives: set[asyncio.Task[None]] = set()
        done: list[asyncio.Task[None]] = []
        while not stop.is_set():
            await asyncio.sleep(max(0.0, began + number / self.rate - time.monotonic()))
            number += 1
            done += [each for each in lives if each.done()]
            lives -= set(done)
            if len(lives) >= MOST_IN_FLIGHT:
                self.held_back += 1
                continue
            payer = self.payers[number % len(self.payers)]
            lives.add(asyncio.create_task(self._live(payer, 1000 + number % 1000, gave_up)))
        if lives:
            await asyncio.wait(lives, timeout=PATIENCE_SECONDS)
        gave_up.set()
        await asyncio.gather(*lives, *done)

    async def _live(self, payer: Person, reward: int, gave_up: asyncio.Event) -> None:
        job = await payer.publish_job(reward=reward)
        self.jobs.append(job)
        story = Story(payment_id=await payer.fund(job), started_at=time.monotonic())
        self.stories.append((payer, story))
        rng = random.Random(self.rng.random())
        await see_it_through(payer, story, rng=rng, until=gave_up, pause=LOOK_AGAIN_SECONDS)

    def forgotten(self) -> list[str]:
        """What an answer promised and the database does not have."""
        rows = self.market.database.rows
        payments = {_bare(id) for (id,) in rows(_PAYMENTS)}
        jobs = {_bare(id) for (id,) in rows(_JOBS)}
        stories = (story.payment_id for _, story in self.stories)
        return [
            *(f"payment {id}" for id in map(uuid_in, stories) if id not in payments),
            *(f"job {id}" for id in map(uuid_in, self.jobs) if id not in jobs),
        ]

    def unfinished(self) -> list[str]:
        """Payments that nobody saw the end of."""
        return [story.payment_id for _, story in self.stories if story.status not in TERMINAL]

    async def verdict(self) -> Verdict:
        """What the wallet's ledger says about every payment."""
        payments = {}
        slots = asyncio.Semaphore(JUDGES)

        async def ask(payer: Person, story: Story) -> None:
            async with slots:
                payments[uuid_in(story.payment_id)] = await payer.payment(story.payment_id)

        await asyncio.gather(*(ask(payer, story) for payer, story in self.stories))
        return await asyncio.to_thread(judge, self.market, payments)

    def seconds(self) -> list[float]:
        """How long payments took from their funding to the end, shortest first."""
        return sorted(
            story.ended_at - story.started_at for _, story in self.stories if story.ended_at
        )


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value that `share` of `ordered`, shortest first, does not exceed; 0 of none."""
    return round(ordered[min(int(len(ordered) * share), len(ordered) - 1)], 1) if ordered else 0.0


def uuid_in(global_id: str) -> str:
    """The bare UUID in a global id."""
    return _bare(base64.b64decode(global_id).decode().partition(":")[2])


def _bare(id: str) -> str:
    return id.replace("-", "")
