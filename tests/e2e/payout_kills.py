"""`python -m tests.e2e.payout_kills`: payouts and refunds while the worker is killed all the time.

Jobs are funded in peace, half of them by a consent that is held, half in the treasury. Then their
work is accepted, whole and in part, while the worker gets `kill -9` at random moments. At the end
the wallet's ledger is compared with the rows. Prints one line of JSON; exits 0 on a pass.
"""

import argparse
import asyncio
import json
import os
import random
import time
from dataclasses import asdict, dataclass, field

import httpx

from tests.e2e.kills import WALLET_FAULTS, WALLET_LATENCY
from tests.e2e.marketplace import Marketplace, running_marketplace
from tests.e2e.payouts import WORKERS, crew, judge_payouts
from tests.e2e.processes import exit_with


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to do. The same seed makes the same decisions, not the same timing."""

    jobs: int
    kills: int
    seed: int
    wallet_faults: bool = False
    settings: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class Report:
    """What came of it: sentences for what went wrong, counts for the rest."""

    plan: Plan
    kills: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)
    payments: dict[str, int] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        return not self.problems

    def to_json(self) -> str:
        """One line for people and programs."""
        return json.dumps({"passed": self.passed, **asdict(self)})


def play(plan: Plan, *, server_url: str | None) -> Report:
    """Carry out `plan` on a marketplace of its own.

    `server_url` is a PostgreSQL server's. None is the embedded form, killed as a whole.
    """
    with running_marketplace(server_url=server_url, settings=plan.settings) as market:
        return asyncio.run(_Run(plan, market).carry_out())


class _Run:
    def __init__(self, plan: Plan, market: Marketplace) -> None:
        self._plan, self._market = plan, market
        self._rng = random.Random(plan.seed)
        self._report = Report(plan=plan)

    async def carry_out(self) -> Report:
        started = time.monotonic()
        async with httpx.AsyncClient(timeout=30) as http:
            people = await crew(self._market, http)
            await people.open_treasury()
            modes = ("PREAPPROVED", "ESCROW") * (self._plan.jobs // 2)
            jobs = [await people.hand_in(mode) for mode in modes]
            faults = WALLET_FAULTS if self._plan.wallet_faults else ()
            for fault in [*faults, WALLET_LATENCY]:
                self._market.tell_wallet("faults", fault)
            await asyncio.gather(
                self._kill(), *(people.accept(job, pause=self._pause) for job in jobs)
            )
        self._report.seconds = round(time.monotonic() - started, 1)
        self._report.payments, self._report.problems = judge_payouts(self._market)
        return self._report

    async def _pause(self) -> None:
        await asyncio.sleep(self._rng.uniform(0, 2.0 * self._plan.kills / WORKERS))

    async def _kill(self) -> None:
        worker = self._market.worker or self._market.web
        for _ in range(self._plan.kills):
            await asyncio.sleep(self._rng.uniform(0.1, 2.5))
            worker.kill()
            worker.start()
            await asyncio.to_thread(worker.wait_until_ready)
            self._report.kills += 1
        self._market.clear_faults()


def main() -> int:
    """Run what the command line asks for; 0 is a pass."""
    parser = argparse.ArgumentParser(prog="tests.e2e.payout_kills", description=__doc__)
    parser.add_argument("--jobs", type=int, default=14, help="an even number; 4.5 payments each")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--wallet-faults", action="store_true")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument(
        "--database-server",
        default=os.environ.get("DATABASE_URL") or "postgres://postgres@127.0.0.1:5432/postgres",
    )
    given = parser.parse_args()
    plan = Plan(
        jobs=given.jobs, kills=given.kills, seed=given.seed, wallet_faults=given.wallet_faults
    )
    report = play(plan, server_url=given.database_server)
    print(report.to_json())
    return 0 if report.passed else 1


if __name__ == "__main__":
    exit_with(main)
