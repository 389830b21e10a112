"""`python -m tests.e2e.restarts`: every process is restarted again and again under load.

The server, the worker and the clock are ended by SIGTERM and by `kill -9` in turns, Redis by
`kill -9` with all that it had, and an own PostgreSQL as by a power cut, while fundings begin at a
steady rate. At the end the wallet's ledger is compared with the API, and what was answered with
what is there. Prints one line of JSON; exits 0 when nothing was lost, doubled or promised in vain.
"""

import argparse
import asyncio
import json
import random
import time
from dataclasses import dataclass
from typing import Any

import httpx

from tests.e2e.cluster import Cluster, own_cluster
from tests.e2e.load import Load, percentile
from tests.e2e.marketplace import Marketplace, running_marketplace
from tests.e2e.people import MOST_PEOPLE, people
from tests.e2e.processes import START_SECONDS, STOP_SECONDS, exit_with
from tests.e2e.verdict import Verdict

PROCESSES = ("web", "worker", "beat", "postgres", "redis")
READY_WITHIN_SECONDS = 5.0
GOES_AWAY_SECONDS = 1.5


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to do: `times` for each of `processes`, `rate` fundings per second."""

    times: int
    rate: float
    seed: int
    processes: tuple[str, ...] = PROCESSES
    # By SIGTERM only, and started by the runner that people use.
    gently: bool = False
    payers: int = MOST_PEOPLE
    rest_seconds: tuple[float, float] = (1.0, 3.0)


@dataclass(kw_only=True)
class Report:
    """What came of it; durations in seconds."""

    verdict: Verdict
    restarts: dict[str, int]
    forgotten: list[str]
    unfinished: list[str]
    stop_seconds: dict[str, float]
    slow_to_be_ready: list[str]
    ended_by_themselves: list[str]
    figures: dict[str, Any]

    @property
    def passed(self) -> bool:
        """Whether every promise was kept."""
        return (
            self.verdict.passed
            and not (self.forgotten or self.unfinished or self.slow_to_be_ready)
            and not self.ended_by_themselves
            and max(self.stop_seconds.values(), default=0.0) < STOP_SECONDS
        )

    def to_json(self) -> str:
        """One line for people and programs."""
        return json.dumps(
            {
                "passed": self.passed,
                "restarts": self.restarts,
                "promised_in_vain": self.forgotten or 0,
                "unfinished": self.unfinished or 0,
                "longest_graceful_stop_s": self.stop_seconds,
                "readiness_later_than_promised": self.slow_to_be_ready or 0,
                "ended_by_themselves": self.ended_by_themselves or 0,
                **self.figures,
                **self.verdict.figures(),
            }
        )


class Restarts:
    """Ends and starts the processes of a marketplace, and notes how they went and came."""

    def __init__(
        self, market: Marketplace, cluster: Cluster, rng: random.Random, *, gently: bool = False
    ) -> None:
        self._market, self._cluster, self._rng, self._gently = market, cluster, rng, gently
        self.counts: dict[str, int] = {}
        self.stop_seconds: dict[str, float] = {}
        self.slow_to_be_ready: list[str] = []
        self.ready_again: list[float] = []
        self.ended_by_themselves: list[str] = []

    def look_for_the_dead(self) -> None:
        """Start what has ended though nobody ended it, as whatever runs it would, and count it."""
        for process in (self._market.web, self._market.worker, self._market.beat):
            if process is not None and not process.alive:
                self.ended_by_themselves.append(f"{process.name}: {process.said()[-500:]}")
                process.start()
                process.wait_until_ready()

    async def restart(self, name: str) -> None:
        """Restart one of PROCESSES: gently every other time, or always."""
        await asyncio.to_thread(self.look_for_the_dead)
        count = self.counts[name] = self.counts.get(name, 0) + 1
        if name == "postgres":
            await self._restart_postgres()
            return
        process = getattr(self._market, name)
        if name == "redis" or (count % 2 and not self._gently):
            process.kill()
        else:
            began = time.monotonic()
            await asyncio.to_thread(process.stop)
            took = round(time.monotonic() - began, 1)
            self.stop_seconds[name] = max(took, self.stop_seconds.get(name, 0.0))
        await asyncio.sleep(self._rng.uniform(0, GOES_AWAY_SECONDS))
        process.start()
        await asyncio.to_thread(process.wait_until_ready)

    async def _restart_postgres(self) -> None:
        await asyncio.to_thread(self._cluster.stop_immediately)
        await self._expect_ready(False)
        self._cluster.process.start()
        await asyncio.to_thread(self._cluster.process.wait_until_ready)
        await self._expect_ready(True)

    async def _expect_ready(self, expected: bool) -> None:
        began = time.monotonic()
        async with asyncio.timeout(START_SECONDS):
            while await self._is_ready() != expected:  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.2)
        took = round(time.monotonic() - began, 1)
        if expected:
            self.ready_again.append(took)
        if took > READY_WITHIN_SECONDS:
            self.slow_to_be_ready.append(f"{'green' if expected else 'red'} after {took} s")

    async def _is_ready(self) -> bool:
        async with httpx.AsyncClient(timeout=READY_WITHIN_SECONDS) as probe:
            try:
                return (await probe.get(f"{self._market.url}/readyz")).status_code == 200
            except httpx.TransportError:
                return False


def run(plan: Plan) -> Report:
    """Carry out `plan` on a marketplace and a PostgreSQL server of its own."""
    with (
        own_cluster() as cluster,
        running_marketplace(server_url=cluster.url, by_runner=plan.gently) as market,
    ):
        return asyncio.run(_carry_out(plan, market, cluster))


async def _carry_out(plan: Plan, market: Marketplace, cluster: Cluster) -> Report:
    rng = random.Random(plan.seed)
    restarts = Restarts(market, cluster, rng, gently=plan.gently)
    began = time.monotonic()
    async with people(market, plan.payers, forgiving=True) as payers:
        load = Load(market=market, payers=payers, rate=plan.rate, rng=rng)
        stop = asyncio.Event()
        funding = asyncio.create_task(load.run(stop))
        order = [*plan.processes] * plan.times
        rng.shuffle(order)
        for name in order:
            await asyncio.sleep(rng.uniform(*plan.rest_seconds))
            await restarts.restart(name)
        await asyncio.to_thread(restarts.look_for_the_dead)
        stop.set()
        lasted = time.monotonic() - began
        await funding
        verdict = await load.verdict()
    seconds = load.seconds()
    return Report(
        verdict=verdict,
        restarts=restarts.counts,
        forgotten=load.forgotten(),
        unfinished=load.unfinished(),
        stop_seconds=restarts.stop_seconds,
        slow_to_be_ready=restarts.slow_to_be_ready,
        ended_by_themselves=restarts.ended_by_themselves,
        figures={
            "seconds": round(lasted),
            "fundings": len(load.stories),
            "fundings_per_second": round(len(load.stories) / lasted, 2),
            "held_back": load.held_back,
            "ready_after_postgres_s": sorted(restarts.ready_again),
            "payment_seconds_p50": percentile(seconds, 0.5),
            "payment_seconds_p95": percentile(seconds, 0.95),
            "payment_seconds_longest": percentile(seconds, 1),
            "seed": plan.seed,
        },
    )


def main() -> int:
    """Run what the command line asks for; 0 is a pass."""
    parser = argparse.ArgumentParser(prog="tests.e2e.restarts", description=__doc__)
    parser.add_argument("--times", type=int, default=20, help="of each process")
    parser.add_argument("--rate", type=float, default=5.0, help="fundings per second")
    parser.add_argument("--only", nargs="+", choices=PROCESSES, default=PROCESSES)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    given = parser.parse_args()
    plan = Plan(times=given.times, rate=given.rate, seed=given.seed, processes=tuple(given.only))
    report = run(plan)
    print(report.to_json())
    return 0 if report.passed else 1


if __name__ == "__main__":
    exit_with(main)
