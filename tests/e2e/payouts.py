"""Jobs whose workers are paid when their work is accepted: their people, and what came of them."""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

import httpx

from tests.e2e.marketplace import Marketplace
from tests.e2e.people import Person, execute, sign_up
from tests.e2e.processes import python, run

PATIENCE_SECONDS = 240.0
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


@dataclass
class Job:
    """One job with its money, and the work handed in for it."""

    id: str
    funding_id: str
    work: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Crew:
    """An operator who lets the treasury pay, somebody who has work, and those who do it."""

    operator: Person
    payer: Person
    workers: Sequence[Person]

    @property
    def market(self) -> Marketplace:
        return self.payer.market

    async def open_treasury(self) -> None:
        """Have the treasury's consent held, so that escrow can be paid out of it."""
        wish = {
            "limit": {"value": "100000000", **USD},
            "returnUrl": self.market.return_url,
            "idempotencyKey": str(uuid.uuid4()),
        }
        while True:
            # A server this young may still be reading the treasury's wallet.
            answer = await self.operator.execute(AUTHORIZE, input=wish)
            if answer["authorizeTreasury"]["asked"]:
                break
            await asyncio.sleep(0.3)
        approved = False
        while True:
            grants = (await self.operator.execute(TREASURY))["treasuryGrants"]
            if grants and grants[0]["redirectUrl"] and not approved:
                approved = True
                await self.operator.approve(grants[0]["redirectUrl"])
            if approved and self.market.database.rows(
                "SELECT 1 FROM payments_heldgrant WHERE status = 'HELD'"
            ):
                return
            await asyncio.sleep(0.3)

    async def hand_in(self, mode: str) -> Job:
        """A job of everybody's, its money secured in `mode`, and all its work handed in."""
        wish = {
            "title": "Translate a leaflet",
            "description": "Two pages, from Spanish.",
            "deliverables": ["TEXT"],
            "reward": {"value": str(REWARD), **USD},
            "workersNeeded": len(self.workers),
        }
        job_id = (await self.payer.execute(CREATE, input=wish))["createJob"]["job"]["id"]
        await self.payer.execute(PUBLISH, id=job_id)
        chosen = [
            (await each.execute(APPLY, id=job_id))["applyToJob"]["application"]["id"]
            for each in self.workers
        ]
        await self.payer.execute(DECIDE, input={"jobId": job_id, "select": chosen})
        job = Job(job_id, await self._secure(job_id, mode))
        await self._approve_until_work_begins(job)
        for worker in self.workers:
            wish = {"jobId": job_id, "text": "Two pages."}
            draft = (await worker.execute(SAVE, input=wish))["saveSubmission"]["submission"]
            await worker.execute(SUBMIT, id=draft["id"])
            job.work.append(draft["id"])
        return job

    async def _secure(self, job_id: str, mode: str) -> str:
        wish = {
            "jobId": job_id,
            "mode": mode,
            "returnUrl": self.market.return_url,
            "idempotencyKey": str(uuid.uuid4()),
        }
        answer = (await self.payer.execute(PRE_FUND, input=wish))["preFundJob"]
        assert answer["funding"], answer["errors"]
        return str(answer["funding"]["id"])

    async def _approve_until_work_begins(self, job: Job) -> None:
        approved = False
        while True:
            funding = (await self.payer.execute(FUNDING, id=job.funding_id))["funding"]
            redirect = next((each["redirectUrl"] for each in funding["grants"]), None)
            if redirect and not approved:
                approved = True
                await self.payer.approve(redirect)
            if funding["job"]["status"] == "SUBMITTING":
                return
            await asyncio.sleep(0.2)

    async def accept(self, job: Job, *, pause: Callable[[], Awaitable[None]]) -> None:
        """Accept all of it, the last one in part, and complete the job once that is paid."""
        for submission_id in job.work:
            await pause()
            in_part = submission_id == job.work[-1]
            wish = {
                "submissionId": submission_id,
                "decision": "ACCEPT",
                "idempotencyKey": str(uuid.uuid4()),
                **({"amount": {"value": str(PART), **USD}} if in_part else {}),
            }
            await self.payer.execute(REVIEW, input=wish)
        await self.workers[-1].execute(ACKNOWLEDGE, id=job.work[-1])
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            await self.payer.execute(COMPLETE, id=job.id)
            funding = (await self.payer.execute(FUNDING, id=job.funding_id))["funding"]
            if funding["status"] in OVER:
                return
            await asyncio.sleep(1)


async def crew(market: Marketplace, http: httpx.AsyncClient, *, forgiving: bool = False) -> Crew:
    """Sign up WORKERS workers and who pays them; the operator is made by the command line."""
    await asyncio.to_thread(
        run,
        python("manage.py", "createsuperuser", "--noinput", "--email", OPERATOR["email"]),
        environment={**market.environment, "DJANGO_SUPERUSER_PASSWORD": OPERATOR["password"]},
        code=market.code,
    )
    token = (await execute(http, market, LOG_IN, input=OPERATOR))["logIn"]["token"]
    payer = await sign_up(market, http, "payer", wallet="alice")
    workers = [
        await sign_up(market, http, f"worker {number}", wallet="pobre") for number in range(WORKERS)
    ]
    return Crew(
        operator=Person(market, http, token, forgiving=forgiving),
        payer=replace(payer, forgiving=forgiving),
        workers=[replace(each, forgiving=forgiving) for each in workers],
    )


def judge_payouts(market: Marketplace) -> tuple[dict[str, int], list[str]]:
    """Payments by purpose and status, and sentences for what does not add up."""
    payments: Counter[str] = Counter()
    problems: list[str] = []
    rows, delivered = market.database.rows, _delivered(market)
    receivers: dict[str, set[str]] = {}
    for payment, url in rows(_RECEIVERS):
        receivers.setdefault(payment, set()).add(url)
    paid: Counter[str] = Counter()
    for id_, purpose, status, wanted, reference in rows(_PAYMENTS):
        payments[f"{purpose} {status}"] += 1
        arrived = sum(delivered[url] for url in receivers.get(id_, ()))
        paid[reference] += arrived
        if arrived not in {0, wanted} or (arrived == wanted) != (status == "COMPLETED"):
            problems.append(f"{purpose} {id_} is {status} with {arrived} of {wanted}")
    for id_, value, status in rows(_PAYABLES):
        if status != "PAID" or paid[id_] != value:
            problems.append(f"payable {id_} is {status} with {paid[id_]} of {value}")
    for id_, rest, status in rows(_SUMS):
        if rest or status not in OVER:
            problems.append(f"funding {id_} is {status}, and {rest} of it remains")
    return dict(payments), problems


def _delivered(market: Marketplace) -> Counter[str]:
    delivered: Counter[str] = Counter()
    for move in market.ask_wallet("ledger")["movements"]:
        if move["kind"] == "deliver":
            delivered[move["receiver"]] += int(move["value"])
    return delivered
