"""`python -m tests.e2e.rolling --old REF`: an old and a new release at once on one database.

The old release runs, and fundings begin at a steady rate. This checkout migrates the database
under it, its processes join, and both work at once, half of the requests each. Then the old ones
are ended by SIGTERM, and it goes on. Jobs whose work was handed in to one release are paid by the
other. At the end the wallet's ledger is compared with the API and the rows. Prints one line of
JSON; exits 0 when nothing was lost, doubled or promised in vain, nobody was answered INTERNAL or
5xx, and no process ended by itself.
"""

import argparse
import asyncio
import json
import random
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.cluster import own_cluster
from tests.e2e.load import Load, percentile, uuid_in
from tests.e2e.marketplace import READY, Marketplace, line_of, running_marketplace
from tests.e2e.payouts import Crew, Job, crew, judge_payouts
from tests.e2e.people import PAYING_WALLETS, Person, is_unwell, sign_up
from tests.e2e.processes import REPOSITORY, STOP_SECONDS, Process, exit_with, free_port, run
from tests.e2e.proxy import Proxy, in_front_of
from tests.e2e.releases import commit_of, release
from tests.e2e.verdict import Verdict, judge

PAYERS = 9
# As many as the limit of sign-ups leaves, after the payers and the crew.
NEWCOMERS = 4
MODES = ("PREAPPROVED", "ESCROW")
OURS = ("web", "worker", "beat")
_PAYMENTS = "SELECT CAST(id AS TEXT), status, receive_value, delivered_value FROM payments_payment"
_LAST_OF_TRACEBACK = re.compile(r"^Traceback .*\n(?:[ \t].*\n|\n)*([^\s].*)$", re.MULTILINE)
# What nobody may be told, and what nobody needs to read twice.
_TELLING = 300


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to do: `rate` fundings per second for `seconds`, of which a third with both releases."""

    old: str
    rate: float
    seconds: float
    seed: int
    # How long the wallet takes for each call; the row of a payment is locked meanwhile.
    wallet_seconds: float = 0.0


@dataclass(kw_only=True)
class Diary:
    """What people were told, by the phase in which they were told it."""

    phase: str = "old"
    answers: Counter[str] = field(default_factory=Counter)
    slowest_seconds: dict[str, float] = field(default_factory=dict)
    unwell: Counter[str] = field(default_factory=Counter)

    async def note(self, answer: httpx.Response) -> None:
        """For httpx: called with each answer."""
        await answer.aread()
        phase, took = self.phase, round(answer.elapsed.total_seconds(), 1)
        self.answers[phase] += 1
        self.slowest_seconds[phase] = max(took, self.slowest_seconds.get(phase, 0.0))
        if is_unwell(answer):
            asked = answer.request.content.decode(errors="replace")[:80]
            self.unwell[f"{phase}: {answer.status_code} to {asked}"] += 1


@dataclass(kw_only=True)
class Report:
    """What came of it; durations in seconds."""

    plan: Plan
    verdict: Verdict
    problems: list[str]
    unwell: dict[str, int]
    # The last lines of tracebacks in logs, by process. Not each is a fault: a worker says so when a
    # wallet does not answer.
    tracebacks: dict[str, int]
    figures: dict[str, Any]

    @property
    def passed(self) -> bool:
        """Whether every promise was kept."""
        return self.verdict.passed and not (self.problems or self.unwell)

    def to_json(self) -> str:
        """One line for people and programs."""
        return json.dumps(
            {
                "passed": self.passed,
                **asdict(self.plan),
                "problems": self.problems or 0,
                "unwell": self.unwell or 0,
                "tracebacks": self.tracebacks or 0,
                **self.figures,
                **self.verdict.figures(),
            }
        )


def play(plan: Plan, *, server_url: str | None) -> Report:
    """Carry out `plan` on a PostgreSQL server; None is one of its own."""
    with (
        release(plan.old) as code,
        _server(server_url) as url,
        running_marketplace(
            server_url=url, settings={"PORT": str(free_port())}, code=code
        ) as market,
    ):
        return asyncio.run(_Upgrade(plan, market).carry_out())


@contextmanager
def _server(url: str | None) -> Iterator[str]:
    if url is not None:
        yield url
        return
    with own_cluster() as cluster:
        yield cluster.url


class _Upgrade:
    def __init__(self, plan: Plan, market: Marketplace) -> None:
        self._plan, self._market, self._diary = plan, market, Diary()
        self._rng = random.Random(plan.seed)
        self._old = {name: getattr(market, name) for name in OURS}
        self._new: dict[str, Process] = {}
        self._figures: dict[str, Any] = {}
        self._problems: list[str] = []

    async def carry_out(self) -> Report:
        async with (
            in_front_of(self._market.environment["PORT"], url=self._market.url) as proxy,
            self._people() as (http, payers),
        ):
            staff = await crew(self._market, http, forgiving=True)
            await staff.open_treasury()
            if self._plan.wallet_seconds:
                slow = {"call": "*", "act": "delay", "probability": 1}
                self._market.tell_wallet("faults", {**slow, "seconds": self._plan.wallet_seconds})
            load = Load(market=self._market, payers=payers, rate=self._plan.rate, rng=self._rng)
            stop = asyncio.Event()
            everything = asyncio.gather(load.run(stop), self._newcomers(http, stop))
            try:
                await self._upgrade(proxy, staff)
            finally:
                stop.set()
            await everything
            verdict = await self._verdict(load)
        return self._report(load, verdict)

    @asynccontextmanager
    async def _people(self) -> AsyncIterator[tuple[httpx.AsyncClient, list[Person]]]:
        # Each request is a connection of its own, so that the next process answers it.
        async with httpx.AsyncClient(
            timeout=30,
            limits=httpx.Limits(max_connections=60, max_keepalive_connections=0),
            event_hooks={"response": [self._diary.note]},
        ) as http:
            crowd = [await self._sign_up(http, number) for number in range(PAYERS)]
            yield http, [replace(each, forgiving=True) for each in crowd]

    async def _sign_up(self, http: httpx.AsyncClient, number: int) -> Person:
        wallet = PAYING_WALLETS[number % len(PAYING_WALLETS)]
        return await sign_up(self._market, http, f"Payer {number}", wallet=wallet)

    async def _newcomers(self, http: httpx.AsyncClient, stop: asyncio.Event) -> None:
        """People who sign up all the time; the diary knows who was not let in."""
        for number in range(NEWCOMERS):
            await asyncio.sleep(self._plan.seconds / NEWCOMERS)
            if stop.is_set():
                return
            try:
                await self._sign_up(http, number)
            except AssertionError as refused:
                self._problems.append(f"not let in: {str(refused)[:_TELLING]}")

    async def _upgrade(self, proxy: Proxy, staff: Crew) -> None:
        third = self._plan.seconds / 3
        handed_in = await self._hand_in(staff)
        await asyncio.sleep(third)
        self._diary.phase = "migrating"
        await self._migrate()
        # The old release alone on a database that is ahead of it.
        self._diary.phase = "old, migrated"
        await asyncio.sleep(third / 3)
        self._diary.phase = "both"
        await self._start_new(proxy)
        accepting = asyncio.create_task(self._accept(staff, handed_in))
        handed_in = await self._hand_in(staff)
        await asyncio.sleep(third)
        self._diary.phase = "ending the old"
        await self._stop_old(proxy)
        self._diary.phase = "new"
        await self._accept(staff, handed_in)
        await asyncio.sleep(third * 2 / 3)
        await accepting
        self._look_for_the_dead(self._new)

    async def _hand_in(self, staff: Crew) -> list[Job]:
        return list(await asyncio.gather(*(staff.hand_in(mode) for mode in MODES)))

    async def _accept(self, staff: Crew, jobs: list[Job]) -> None:
        async def pause() -> None:
            await asyncio.sleep(self._rng.uniform(0, 1))

        await asyncio.gather(*(staff.accept(job, pause=pause) for job in jobs))

    async def _migrate(self) -> None:
        began = time.monotonic()
        await asyncio.to_thread(
            run, line_of(REPOSITORY, "release"), environment=self._market.environment
        )
        self._figures["migrate_seconds"] = round(time.monotonic() - began, 1)

    async def _start_new(self, proxy: Proxy) -> None:
        port = str(free_port())
        self._new = {
            name: self._market.command(
                f"new-{name}",
                line_of(REPOSITORY, name),
                ready=READY.get(name),
                code=REPOSITORY,
                settings={"PORT": port},
            )
            for name in OURS
        }
        for process in self._new.values():
            process.start()
            await asyncio.to_thread(process.wait_until_ready)
        proxy.ports.append(port)

    async def _stop_old(self, proxy: Proxy) -> None:
        self._look_for_the_dead(self._old)
        proxy.ports.pop(0)
        stops = self._figures["longest_graceful_stop_s"] = {}
        for name, process in self._old.items():
            began = time.monotonic()
            await asyncio.to_thread(process.stop)
            stops[name] = round(time.monotonic() - began, 1)
            if stops[name] >= STOP_SECONDS:
                self._problems.append(f"the old {name} did not end in time")

    def _look_for_the_dead(self, processes: dict[str, Process]) -> None:
        self._problems += [
            f"{name} ended by itself: {process.said()[-_TELLING:]}"
            for name, process in processes.items()
            if not process.alive
        ]

    async def _verdict(self, load: Load) -> Verdict:
        """About each payment there is: as the API shows it to its payer, or else as its row is."""
        payments: dict[str, dict[str, Any]] = {
            id_.replace("-", ""): {
                "status": status,
                "receiveAmount": {"value": wanted},
                "deliveredAmount": {"value": delivered},
            }
            for id_, status, wanted, delivered in self._market.database.rows(_PAYMENTS)
        }
        for payer, story in load.stories:
            payments[uuid_in(story.payment_id)] = await payer.payment(story.payment_id)
        return await asyncio.to_thread(judge, self._market, payments)

    def _report(self, load: Load, verdict: Verdict) -> Report:
        by_purpose, wrong = judge_payouts(self._market)
        unfinished = len(load.unfinished())
        seconds = load.seconds()
        return Report(
            plan=self._plan,
            verdict=verdict,
            problems=[
                *self._problems,
                *(f"{each} was promised in vain" for each in load.forgotten()),
                *([f"{unfinished} payments did not end"] if unfinished else []),
                *wrong,
            ],
            unwell=dict(self._diary.unwell),
            tracebacks=_tracebacks(self._market.folder),
            figures={
                "commits": [commit_of(self._plan.old), commit_of("HEAD")],
                **self._figures,
                "fundings": len(load.stories),
                "held_back": load.held_back,
                "answers": dict(self._diary.answers),
                "slowest_answer_seconds": self._diary.slowest_seconds,
                "payments": by_purpose,
                "payment_seconds_p50": percentile(seconds, 0.5),
                "payment_seconds_longest": percentile(seconds, 1),
            },
        )


def _tracebacks(folder: Path) -> dict[str, int]:
    """How often each process wrote which error, without what differs from one time to the next."""
    found: Counter[str] = Counter()
    for log in sorted(folder.glob("*.log")):
        for last in _LAST_OF_TRACEBACK.findall(log.read_text(errors="replace")):
            found[f"{log.stem}: {last[:_TELLING]}"] += 1
    return dict(found)


def main() -> int:
    """Run what the command line asks for; 0 is a pass."""
    parser = argparse.ArgumentParser(prog="tests.e2e.rolling", description=__doc__)
    parser.add_argument("--old", required=True, help="a commit, branch or tag of this repository")
    parser.add_argument("--postgresql", help="a server; its own one where this is left out")
    parser.add_argument("--rate", type=float, default=2.0, help="fundings per second")
    parser.add_argument("--seconds", type=float, default=90.0)
    parser.add_argument("--wallet-seconds", type=float, default=0.0, help="for each call")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    given = parser.parse_args()
    plan = Plan(
        old=given.old,
        rate=given.rate,
        seconds=given.seconds,
        seed=given.seed,
        wallet_seconds=given.wallet_seconds,
    )
    report = play(plan, server_url=given.postgresql)
    print(report.to_json())
    return 0 if report.passed else 1


if __name__ == "__main__":
    exit_with(main)
