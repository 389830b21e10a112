"""`python -m tests.e2e.kills`: fundings against real processes that are killed all the time.

A worker, one child of its pool, or the embedded server gets `kill -9` at random moments and is
started again at once; Redis may be killed and come back empty, or not come back at all. People go
on approving when a payment asks again. At the end the wallet's ledger is compared with the API.
Prints one line of JSON; exits 0 when nothing was lost, doubled or stranded.
"""

import argparse
import asyncio
import base64
import json
import os
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.marketplace import Marketplace, running_marketplace
from tests.e2e.people import MOST_PEOPLE, Person, Story, people, see_it_through
from tests.e2e.processes import exit_with
from tests.e2e.verdict import Verdict, judge

OVER_WITHIN_SECONDS = 90.0
# Longer than promised, so that a broken promise is measured and not only noticed.
PATIENCE_SECONDS = 240.0
# What a slow wallet on the internet takes. A local one leaves hardly a moment to be killed in.
WALLET_LATENCY_SECONDS = 0.3
WALLET_LATENCY = {
    "call": "*",
    "act": "delay",
    "seconds": WALLET_LATENCY_SECONDS,
    "probability": 1,
}
WALLET_FAULTS: Sequence[dict[str, Any]] = (
    {"call": "*", "act": "reset", "when": "after", "probability": 0.02},
    {"call": "*", "act": "503", "when": "before", "probability": 0.03},
    {"call": "create-outgoing-payment", "act": "reset", "when": "after", "probability": 0.15},
    {"call": "create-outgoing-payment", "act": "garbage", "when": "after", "probability": 0.1},
    {"call": "create-outgoing-payment", "act": "status_502_html", "probability": 0.1},
    {
        "call": "create-outgoing-payment",
        "act": "reset",
        "when": "late",
        "late_s": 4,
        "probability": 0.1,
    },
)


_CLAIMS = "SELECT id, fence FROM payments_payment WHERE lease_until IS NOT NULL"
_CALLING = f"{_CLAIMS} AND pending_call_id IS NOT NULL"
_UNANSWERED = """
SELECT count(*) FROM payments_walletcall AS intent WHERE NOT intent.is_answer AND NOT EXISTS
(SELECT 1 FROM payments_walletcall AS answer WHERE answer.intent_id = intent.id)
"""
AIM_SECONDS = 4.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to do to a marketplace. The same seed makes the same decisions, not the same timing."""

    fundings: int
    kills: int
    seed: int
    redis_kills: int = 0
    without_redis: bool = False
    wallet_faults: bool = False
    pool: str = "threads"
    settings: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class Report:
    """What came of it. Durations are in seconds.

    `interrupted` claims died with their worker; `unanswered` is how many calls of those that must
    not be repeated left no answer behind.
    """

    plan: Plan
    verdict: Verdict
    kills: int
    redis_kills: int
    interrupted: int
    unanswered: int
    consents: int
    lasted: float
    last_end_after_last_kill: float

    @property
    def passed(self) -> bool:
        """Whether every promise was kept."""
        return self.verdict.passed and self.last_end_after_last_kill <= OVER_WITHIN_SECONDS

    def to_json(self) -> str:
        """One line for people and programs."""
        plan = self.plan
        return json.dumps(
            {
                "passed": self.passed,
                "fundings": plan.fundings,
                "kills": self.kills,
                "redis_kills": self.redis_kills,
                "without_redis": plan.without_redis,
                "wallet_faults": plan.wallet_faults,
                "pool": plan.pool,
                "settings": plan.settings,
                "interrupted": self.interrupted,
                "unanswered": self.unanswered,
                "consents": self.consents,
                "seconds": round(self.lasted, 1),
                "last_end_after_last_kill_s": round(self.last_end_after_last_kill, 1),
                **self.verdict.figures(),
                "seed": plan.seed,
            }
        )


def run(plan: Plan, *, server_url: str | None) -> Report:
    """Carry out `plan` on a marketplace of its own.

    `server_url` is a PostgreSQL server's. None is the embedded form, where a kill takes the
    whole server with it and there is no Redis to lose.
    """
    with running_marketplace(
        server_url=server_url, pool=plan.pool, settings=plan.settings
    ) as market:
        return asyncio.run(_Run(plan, market).carry_out())


class _Run:
    def __init__(self, plan: Plan, market: Marketplace) -> None:
        self._plan = plan
        self._market = market
        self._rng = random.Random(plan.seed)
        self._kills = self._redis_kills = 0
        self._interrupted: set[tuple[Any, ...]] = set()
        self._last_kill_at = time.monotonic()
        self._gave_up = asyncio.Event()
        self._stories: list[tuple[Person, Story]] = []

    async def carry_out(self) -> Report:
        started_at = time.monotonic()
        async with people(self._market, min(self._plan.fundings, MOST_PEOPLE)) as payers:
            jobs = [
                (payer, await payer.publish_job(reward=1000 + number))
                for number, payer in enumerate(_dealt(payers, self._plan.fundings))
            ]
            if self._plan.without_redis:
                self._lose_redis_for_good()
            self._make_wallet_difficult()
            killing = asyncio.create_task(self._kill_processes())
            lives = [asyncio.create_task(self._live(payer, job)) for payer, job in jobs]
            await killing
            # What is promised after the last kill is promised of a wallet that works.
            self._market.clear_faults()
            await asyncio.wait(lives, timeout=PATIENCE_SECONDS)
            self._gave_up.set()
            await asyncio.gather(*lives)
            verdict = await self._judge()
        ends = [story.ended_at or time.monotonic() for _, story in self._stories]
        return Report(
            plan=self._plan,
            verdict=verdict,
            kills=self._kills,
            redis_kills=self._redis_kills,
            interrupted=len(self._interrupted),
            unanswered=self._market.database.rows(_UNANSWERED)[0][0],
            consents=sum(story.consents for _, story in self._stories),
            lasted=time.monotonic() - started_at,
            last_end_after_last_kill=max(0.0, max(ends) - self._last_kill_at),
        )

    def _make_wallet_difficult(self) -> None:
        # The first rule that strikes is the one: what none of the faults hits is merely slow.
        for fault in [*(WALLET_FAULTS if self._plan.wallet_faults else ()), WALLET_LATENCY]:
            self._market.tell_wallet("faults", fault)

    async def _live(self, payer: Person, job_id: str) -> None:
        rng = random.Random(self._rng.random())
        # Spread over the time of the kills, so that every kill meets payments in every state.
        await asyncio.sleep(rng.uniform(0, 5.0 * (self._plan.kills + self._plan.redis_kills)))
        payment_id = await payer.fund(job_id)
        story = Story(payment_id=payment_id, started_at=time.monotonic())
        self._stories.append((payer, story))
        await see_it_through(payer, story, rng=rng, until=self._gave_up)

    async def _kill_processes(self) -> None:
        victims = ["worker"] * self._plan.kills + ["redis"] * self._plan.redis_kills
        self._rng.shuffle(victims)
        for victim in victims:
            # The moment varies from "just started" to "in the midst of it".
            await asyncio.sleep(self._rng.uniform(0.1, 2.5))
            if victim == "redis":
                await self._kill_redis()
            else:
                if self._rng.random() < 0.5:
                    await asyncio.to_thread(self._aim)
                await self._kill_worker()
            self._last_kill_at = time.monotonic()

    def _aim(self) -> None:
        """Wait for a call in the air that must not be repeated, the worst of moments."""
        until = time.monotonic() + AIM_SECONDS
        while time.monotonic() < until:
            if not self._interrupted.issuperset(self._market.database.rows(_CALLING)):
                break
            time.sleep(0.02)
        time.sleep(self._rng.uniform(0, WALLET_LATENCY_SECONDS))

    async def _kill_worker(self) -> None:
        worker = self._market.worker or self._market.web
        children = worker.children() if self._plan.pool == "prefork" else []
        if children and self._kills % 2:
            worker.kill_child(self._rng.choice(children))
        else:
            worker.kill()
            # Claims that nobody gives back: their leases have to run out. Those of earlier kills
            # are in the set already.
            self._interrupted.update(self._market.database.rows(_CLAIMS))
            worker.start()
            await asyncio.to_thread(worker.wait_until_ready)
        self._kills += 1

    async def _kill_redis(self) -> None:
        redis = self._market.redis
        assert redis is not None
        redis.kill()
        await asyncio.sleep(self._rng.uniform(0, 2))
        redis.start()
        await asyncio.to_thread(redis.wait_until_ready)
        self._redis_kills += 1

    def _lose_redis_for_good(self) -> None:
        assert self._market.redis is not None
        self._market.redis.kill()
        # Without its broker Celery can do nothing: this command does its work.
        self._market.process("pump", "manage.py", "pump", "--loop").start()

    async def _judge(self) -> Verdict:
        payments = {}
        for payer, story in self._stories:
            payments[_uuid_in(story.payment_id)] = await payer.payment(story.payment_id)
        return judge(self._market, payments)


def _dealt(payers: Sequence[Person], fundings: int) -> list[Person]:
    return [payers[number % len(payers)] for number in range(fundings)]


def _uuid_in(global_id: str) -> str:
    return base64.b64decode(global_id).decode().partition(":")[2].replace("-", "")


def _parse(arguments: Sequence[str] | None) -> tuple[Plan, str | None]:
    parser = argparse.ArgumentParser(prog="tests.e2e.kills", description=__doc__)
    parser.add_argument("--fundings", type=int, default=60)
    parser.add_argument("--kills", type=int, default=30, help="of the worker")
    parser.add_argument("--redis-kills", type=int, default=0, help="Redis comes back empty")
    parser.add_argument("--no-redis", action="store_true", help="Redis goes and stays away")
    parser.add_argument("--wallet-faults", action="store_true", help="lost and broken answers")
    parser.add_argument("--embedded", action="store_true", help="SQLite, one process")
    parser.add_argument("--pool", choices=("threads", "prefork"), default="threads")
    parser.add_argument("--seed", type=int, help="left out: any; it is printed")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="e.g. LEASE_S=30"
    )
    parser.add_argument(
        "--database-server",
        default=os.environ.get("DATABASE_URL") or "postgres://postgres@127.0.0.1:5432/postgres",
        help="where a database of its own is made and removed; left out: DATABASE_URL's",
    )
    given = parser.parse_args(arguments)
    plan = Plan(
        fundings=given.fundings,
        kills=0 if given.no_redis else given.kills,
        redis_kills=given.redis_kills,
        without_redis=given.no_redis,
        wallet_faults=given.wallet_faults,
        pool=given.pool,
        seed=random.randrange(2**32) if given.seed is None else given.seed,
        settings=dict(pair.split("=", 1) for pair in given.set),
    )
    return plan, None if given.embedded else given.database_server


def main() -> int:
    """Run what the command line asks for; 0 is a pass."""
    plan, server_url = _parse(None)
    report = run(plan, server_url=server_url)
    print(report.to_json())
    return 0 if report.passed else 1


if __name__ == "__main__":
    exit_with(main)
