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
import sys
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field

import httpx

from tests.e2e.kills import PATIENCE_SECONDS, WALLET_FAULTS, WALLET_LATENCY
from tests.e2e.marketplace import Marketplace, running_marketplace
from tests.e2e.people import Person, execute, sign_up
from tests.e2e.processes import python, run

WORKERS = 4
REWARD = 1000
PART = 400
USD = {"assetCode": "USD", "assetScale": 2}
OPERATOR = {"email": "operator@example.com", "password": "long river, stone bridge"}

LOG_IN = "mutation ($input: LogInInput!) { logIn(input: $input) { token errors { message } } }"
AUTHORIZE = """
mutation ($input: AuthorizeTreasuryInput!) {
  authorizeTreasury(input: $input) { asked errors { code message } }
}"""
TREASURY = "{ treasuryGrants { status redirectUrl } }"
CREATE = (
    "mutation ($input: JobInput!) { createJob(input: $input) { job { id } errors { message } } }"
)
PUBLISH = "mutation ($id: ID!) { publishJob(input: {jobId: $id}) { errors { message } } }"
APPLY = """
mutation ($id: ID!) {
  applyToJob(input: {jobId: $id}) { application { id } errors { message } }
}"""
DECIDE = """
mutation ($input: DecideApplicationsInput!) {
  decideApplications(input: $input) { errors { message } }
}"""
PRE_FUND = """
mutation ($input: PreFundJobInput!) {
  preFundJob(input: $input) { funding { id } errors { code message } }
}"""
FUNDING = """
query ($id: ID!) { funding(id: $id) { status grants { redirectUrl } job { status } } }"""
SAVE = """
mutation ($input: SaveSubmissionInput!) {
  saveSubmission(input: $input) { submission { id } errors { message } }
}"""
SUBMIT = "mutation ($id: ID!) { submitWork(input: {submissionId: $id}) { errors { message } } }"
REVIEW = """
mutation ($input: ReviewSubmissionInput!) {
  reviewSubmission(input: $input) { errors { code message } }
}"""
ACKNOWLEDGE = """
mutation ($id: ID!) { acknowledgeDecision(input: {submissionId: $id}) { errors { message } } }"""
COMPLETE = "mutation ($id: ID!) { completeJob(input: {jobId: $id}) { errors { code } } }"
OVER = frozenset({"SETTLED", "REFUNDED"})

_PAYMENTS = """
SELECT CAST(id AS TEXT), purpose, status, receive_value, CAST(reference AS TEXT)
FROM payments_payment
"""
_RECEIVERS = """
SELECT CAST(payment_id AS TEXT), incoming_payment_url FROM payments_attempt
WHERE incoming_payment_url <> ''
"""
_PAYABLES = "SELECT CAST(id AS TEXT), value, status FROM funding_payable"
_SUMS = """
SELECT CAST(id AS TEXT), total_value - released_value - refunded_value, status FROM funding_funding
"""


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


@dataclass
class Job:
    """One job with its money, and the work handed in for it."""

    id: str
    funding_id: str
    work: list[str] = field(default_factory=list)


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
        async with self._everybody() as (operator, payer, workers):
            await self._open_treasury(operator)
            jobs = [
                await self._job(payer, workers, mode)
                for mode in ("PREAPPROVED", "ESCROW") * (self._plan.jobs // 2)
            ]
            faults = WALLET_FAULTS if self._plan.wallet_faults else ()
            for fault in [*faults, WALLET_LATENCY]:
                self._market.tell_wallet("faults", fault)
            await asyncio.gather(
                self._kill(), *(self._see_through(payer, workers, job) for job in jobs)
            )
        self._report.seconds = round(time.monotonic() - started, 1)
        self._judge()
        return self._report

    @asynccontextmanager
    async def _everybody(self) -> AsyncIterator[tuple[Person, Person, list[Person]]]:
        run(
            python(
                *("manage.py", "createsuperuser", "--noinput", "--email", OPERATOR["email"]),
            ),
            environment={
                **self._market.environment,
                "DJANGO_SUPERUSER_PASSWORD": OPERATOR["password"],
            },
        )
        async with httpx.AsyncClient(timeout=30) as http:
            token = (await execute(http, self._market, LOG_IN, input=OPERATOR))["logIn"]["token"]
            yield (
                Person(self._market, http, token),
                await sign_up(self._market, http, "payer", wallet="alice"),
                [
                    await sign_up(self._market, http, f"worker {number}", wallet="pobre")
                    for number in range(WORKERS)
                ],
            )

    async def _open_treasury(self, operator: Person) -> None:
        wish = {
            "limit": {"value": "100000000", **USD},
            "returnUrl": self._market.return_url,
            "idempotencyKey": str(uuid.uuid4()),
        }
        while True:
            # A server this young may still be reading the treasury's wallet.
            if (await operator.execute(AUTHORIZE, input=wish))["authorizeTreasury"]["asked"]:
                break
            await asyncio.sleep(0.3)
        approved = False
        while True:
            grants = (await operator.execute(TREASURY))["treasuryGrants"]
            if grants and grants[0]["redirectUrl"] and not approved:
                approved = True
                await operator.approve(grants[0]["redirectUrl"])
            if approved and self._market.database.rows(
                "SELECT 1 FROM payments_heldgrant WHERE status = 'HELD'"
            ):
                return
            await asyncio.sleep(0.3)

    async def _job(self, payer: Person, workers: Sequence[Person], mode: str) -> Job:
        wish = {
            "title": "Translate a leaflet",
            "description": "Two pages, from Spanish.",
            "deliverables": ["TEXT"],
            "reward": {"value": str(REWARD), **USD},
            "workersNeeded": WORKERS,
        }
        job_id = (await payer.execute(CREATE, input=wish))["createJob"]["job"]["id"]
        await payer.execute(PUBLISH, id=job_id)
        chosen = [
            (await each.execute(APPLY, id=job_id))["applyToJob"]["application"]["id"]
            for each in workers
        ]
        await payer.execute(DECIDE, input={"jobId": job_id, "select": chosen})
        funding = (
            await payer.execute(
                PRE_FUND,
                input={
                    "jobId": job_id,
                    "mode": mode,
                    "returnUrl": self._market.return_url,
                    "idempotencyKey": str(uuid.uuid4()),
                },
            )
        )["preFundJob"]
        assert funding["funding"], funding["errors"]
        job = Job(job_id, funding["funding"]["id"])
        await self._approve_until_work_begins(payer, job)
        for worker in workers:
            wish = {"jobId": job_id, "text": "Two pages."}
            draft = (await worker.execute(SAVE, input=wish))["saveSubmission"]["submission"]
            await worker.execute(SUBMIT, id=draft["id"])
            job.work.append(draft["id"])
        return job

    async def _approve_until_work_begins(self, payer: Person, job: Job) -> None:
        approved = False
        while True:
            funding = (await payer.execute(FUNDING, id=job.funding_id))["funding"]
            redirect = next((each["redirectUrl"] for each in funding["grants"]), None)
            if redirect and not approved:
                approved = True
                await payer.approve(redirect)
            if funding["job"]["status"] == "SUBMITTING":
                return
            await asyncio.sleep(0.2)

    async def _see_through(self, payer: Person, workers: Sequence[Person], job: Job) -> None:
        """Accept all of it, the last one in part, and complete the job once that is paid."""
        for number, submission_id in enumerate(job.work):
            await asyncio.sleep(self._rng.uniform(0, 2.0 * self._plan.kills / WORKERS))
            part = {"amount": {"value": str(PART), **USD}} if number == WORKERS - 1 else {}
            wish = {
                "submissionId": submission_id,
                "decision": "ACCEPT",
                "idempotencyKey": str(uuid.uuid4()),
                **part,
            }
            await payer.execute(REVIEW, input=wish)
        await workers[-1].execute(ACKNOWLEDGE, id=job.work[-1])
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            await payer.execute(COMPLETE, id=job.id)
            funding = (await payer.execute(FUNDING, id=job.funding_id))["funding"]
            if funding["status"] in OVER:
                return
            await asyncio.sleep(1)

    async def _kill(self) -> None:
        worker = self._market.worker or self._market.web
        for _ in range(self._plan.kills):
            await asyncio.sleep(self._rng.uniform(0.1, 2.5))
            worker.kill()
            worker.start()
            await asyncio.to_thread(worker.wait_until_ready)
            self._report.kills += 1
        self._market.clear_faults()

    # --- the verdict ----------------------------------------------------------------------------

    def _judge(self) -> None:
        database, problems = self._market.database, self._report.problems
        delivered: Counter[str] = Counter()
        for move in self._market.ask_wallet("ledger")["movements"]:
            if move["kind"] == "deliver":
                delivered[move["receiver"]] += int(move["value"])
        receivers: dict[str, set[str]] = {}
        for payment, url in database.rows(_RECEIVERS):
            receivers.setdefault(payment, set()).add(url)
        paid: Counter[str] = Counter()
        for id_, purpose, status, wanted, reference in database.rows(_PAYMENTS):
            self._report.payments[f"{purpose} {status}"] = (
                self._report.payments.get(f"{purpose} {status}", 0) + 1
            )
            arrived = sum(delivered[url] for url in receivers.get(id_, ()))
            paid[reference] += arrived
            if arrived not in {0, wanted} or (arrived == wanted) != (status == "COMPLETED"):
                problems.append(f"{purpose} {id_} is {status} with {arrived} of {wanted}")
        for id_, value, status in database.rows(_PAYABLES):
            if status != "PAID" or paid[id_] != value:
                problems.append(f"payable {id_} is {status} with {paid[id_]} of {value}")
        for id_, rest, status in database.rows(_SUMS):
            if rest or status not in OVER:
                problems.append(f"funding {id_} is {status}, and {rest} of it remains")


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
    sys.exit(main())
