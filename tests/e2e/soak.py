"""`python -m tests.e2e.soak --minutes 30`: fundings at a steady rate, and no peace.

Every half a minute something is restarted: in the first half of the time each process in turn, in
the second only PostgreSQL (as by a power cut) and Redis (with all that it had), while server,
worker and clock live on, so that what they keep is seen to grow. At the end the wallet's ledger is
compared with the API. Prints one line of JSON; exits 0 when every promise was kept.
"""

import argparse
import asyncio
import json
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.e2e.cluster import Cluster, own_cluster
from tests.e2e.load import Load, percentile
from tests.e2e.marketplace import Marketplace, running_marketplace
from tests.e2e.people import MOST_PEOPLE, people
from tests.e2e.processes import Process, exit_with
from tests.e2e.restarts import PROCESSES, Restarts
from tests.e2e.verdict import Verdict

OURS = ("web", "worker", "beat")
SERVICES = ("postgres", "redis")
LOOK_SECONDS = 2.0
# A young process is still importing, filling caches and opening connections: so much of its life,
# as a share of the second half, is not compared.
YOUTH = 0.2
MOST_GROWTH = 0.10
# What is due may wait for the lease of a worker that died with it, and then for its turn.
OVERDUE_SECONDS = 90.0
# After a restart a process may have lost connections that its server has not noticed.
MOST_MORE_CONNECTIONS = 2
_STATE = """
SELECT
  (SELECT count(*) FROM pg_stat_activity
   WHERE datname = current_database() AND pid <> pg_backend_pid()),
  (SELECT coalesce(max(extract(epoch FROM now() - greatest(due_at, lease_until))), 0)
   FROM payments_payment WHERE due_at < now() AND (lease_until IS NULL OR lease_until < now()))
"""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`every` is the seconds between two restarts, `rate` fundings per second."""

    minutes: float
    rate: float
    every: float
    seed: int


@dataclass(kw_only=True)
class Look:
    """The state at one moment of the run, `at` seconds after its beginning."""

    at: float
    resident_kib: dict[str, int] = field(default_factory=dict)
    connections: int = 0
    overdue_seconds: float = 0.0


@dataclass(kw_only=True)
class Watch:
    """Looks at the processes and the database all the time."""

    market: Marketplace
    began: float
    looks: list[Look] = field(default_factory=list)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self.looks.append(await asyncio.to_thread(self._look))
            await asyncio.sleep(LOOK_SECONDS)

    def _look(self) -> Look:
        look = Look(at=time.monotonic() - self.began)
        for name in OURS:
            process: Process = getattr(self.market, name)
            if process.alive:
                look.resident_kib[name] = resident_kib(process.pid)
        try:
            ((connections, overdue),) = self.market.database.rows(_STATE)
            look.connections, look.overdue_seconds = connections, float(overdue)
        except psycopg.OperationalError:
            pass  # it is being restarted
        return look

    def growth(self, name: str, *, since: float, until: float) -> dict[str, float]:
        """How the memory of a process grew in that time after its youth, as MiB and share."""
        grown_up = since + (until - since) * YOUTH
        warm = [
            look.resident_kib[name]
            for look in self.looks
            if grown_up < look.at < until and name in look.resident_kib
        ]
        size = max(1, len(warm) // 6)
        first, last = statistics.median(warm[:size]), statistics.median(warm[-size:])
        return {
            "first_mib": round(first / 1024, 1),
            "last_mib": round(last / 1024, 1),
            "growth": round(last / first - 1, 3),
        }

    def connections(self, *, until: float) -> dict[str, int]:
        """The most connections at once in the first and the last third of the load."""
        looks = [look for look in self.looks if look.at < until]
        third = max(1, len(looks) // 3)
        return {
            "first_third": max(look.connections for look in looks[:third]),
            "last_third": max(look.connections for look in looks[-third:]),
        }


def resident_kib(pid: int) -> int:
    """The memory of a process that is in RAM; 0 when it has just ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    lines = (line.split() for line in status.splitlines() if line.startswith("VmRSS"))
    return next((int(words[1]) for words in lines), 0)


@dataclass(kw_only=True)
class Report:
    """What came of it: sentences for what went wrong, and figures."""

    problems: list[str]
    verdict: Verdict
    figures: dict[str, Any]

    @property
    def passed(self) -> bool:
        return self.verdict.passed and not self.problems

    def to_json(self) -> str:
        """One line for people and programs."""
        verdict = self.verdict.figures()
        return json.dumps(
            {"passed": self.passed, "problems": self.problems, **self.figures, **verdict}
        )


def run(plan: Plan) -> Report:
    """Carry out `plan` on a marketplace and a PostgreSQL server of its own."""
    with own_cluster() as cluster, running_marketplace(server_url=cluster.url) as market:
        return asyncio.run(_carry_out(plan, market, cluster))


async def _carry_out(plan: Plan, market: Marketplace, cluster: Cluster) -> Report:
    rng = random.Random(plan.seed)
    began = time.monotonic()
    restarts, watch = Restarts(market, cluster, rng), Watch(market=market, began=began)
    async with people(market, MOST_PEOPLE, forgiving=True) as payers:
        load = Load(market=market, payers=payers, rate=plan.rate, rng=rng)
        stop = asyncio.Event()
        watching = asyncio.create_task(watch.run())
        funding = asyncio.create_task(load.run(stop))
        half, end = plan.minutes * 30, plan.minutes * 60
        await _restart_in_turn(restarts, PROCESSES, plan.every, until=began + half)
        since = time.monotonic() - began
        await _restart_in_turn(restarts, SERVICES, plan.every, until=began + end)
        stop.set()
        lasted = time.monotonic() - began
        growth = {name: watch.growth(name, since=since, until=lasted) for name in OURS}
        await funding
        await asyncio.sleep(LOOK_SECONDS * 2)
        watching.cancel()
        verdict = await load.verdict()
    connections = watch.connections(until=lasted)
    overdue = max(look.overdue_seconds for look in watch.looks)
    seconds = load.seconds()
    return Report(
        problems=_problems(load, restarts, growth, connections, overdue),
        verdict=verdict,
        figures={
            "plan": asdict(plan),
            "seconds": round(lasted),
            "fundings": len(load.stories),
            "fundings_per_second": round(len(load.stories) / lasted, 2),
            "held_back": load.held_back,
            "restarts": restarts.counts,
            "longest_graceful_stop_s": restarts.stop_seconds,
            "ready_after_postgres_s": max(restarts.ready_again, default=0.0),
            "memory": growth,
            "connections": connections,
            "longest_overdue_s": round(overdue, 1),
            "payment_seconds_p50": percentile(seconds, 0.5),
            "payment_seconds_p95": percentile(seconds, 0.95),
            "payment_seconds_longest": percentile(seconds, 1),
        },
    )


async def _restart_in_turn(
    restarts: Restarts, names: Sequence[str], every: float, *, until: float
) -> None:
    number = 0
    while time.monotonic() + every < until:
        await asyncio.sleep(every)
        await restarts.restart(names[number % len(names)])
        number += 1


def _problems(
    load: Load,
    restarts: Restarts,
    growth: dict[str, dict[str, float]],
    connections: dict[str, int],
    overdue: float,
) -> list[str]:
    unfinished = len(load.unfinished())
    more = connections["last_third"] - connections["first_third"]
    return [
        *(f"{each} was promised in vain" for each in load.forgotten()),
        *([f"{unfinished} payments did not end"] if unfinished else []),
        *(f"readiness {each}" for each in restarts.slow_to_be_ready),
        *(f"ended by itself: {each}" for each in restarts.ended_by_themselves),
        *(
            f"{name} grew by {grown['growth']:.1%}"
            for name, grown in growth.items()
            if grown["growth"] > MOST_GROWTH
        ),
        *([f"{more} connections more at the end"] if more > MOST_MORE_CONNECTIONS else []),
        *([f"a payment was overdue for {overdue:.0f} s"] if overdue > OVERDUE_SECONDS else []),
    ]


def main() -> int:
    """Run what the command line asks for; 0 is a pass."""
    parser = argparse.ArgumentParser(prog="tests.e2e.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=5.0, help="fundings per second")
    parser.add_argument("--every", type=float, default=30.0, help="seconds between restarts")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    given = parser.parse_args()
    report = run(Plan(**vars(given)))
    print(report.to_json())
    return 0 if report.passed else 1


if __name__ == "__main__":
    exit_with(main)
