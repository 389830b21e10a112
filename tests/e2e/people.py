"""The people of a marketplace, as their clients behave: they repeat what got no answer.

A repeated request is the same request: mutations that move money carry their idempotency key.
"""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from tests.e2e.marketplace import Marketplace
from tests.e2e.processes import START_SECONDS

TERMINAL = frozenset({"COMPLETED", "REJECTED", "EXPIRED", "FAILED", "CANCELED"})
# The wallets of the sandbox that have money, one per asset.
PAYING_WALLETS = ("alice", "bob", "carmen")
JSON = "application/json"
Sending = Callable[[], Awaitable[httpx.Response]]
# How long a killed server may take to come back on a busy machine, where it is killed once more.
AWAY_SECONDS = 2 * START_SECONDS
# Sign-ups per hour that one address is allowed.
MOST_PEOPLE = 18
UNWELL = {"INTERNAL", "UPSTREAM_UNAVAILABLE"}

SIGN_UP = "mutation ($input: SignUpInput!) { signUp(input: $input) { token errors { message } } }"
ADD_WALLET = """
mutation ($input: AddWalletInput!) { addWallet(input: $input) { wallet { id } errors { message } } }
"""
CREATE_JOB = (
    "mutation ($input: JobInput!) { createJob(input: $input) { job { id } errors { message } } }"
)
PUBLISH_JOB = """
mutation ($id: ID!) { publishJob(input: {jobId: $id}) { job { id } errors { message } } }
"""
JOB_STATUS = "query ($id: ID!) { job(id: $id) { status } }"
FUND_JOB = """
mutation ($input: FundJobInput!) {
  fundJob(input: $input) {
    funding { id status payments { id } }
    errors { code message }
  }
}
"""
PAYMENT = """
query ($id: ID!) {
  payment(id: $id) {
    status receiveAmount { value } deliveredAmount { value } incomingPaymentUrl
    failure { code message } attempts { number }
    grant { id status redirectUrl }
  }
}
"""


@dataclass
class Person:
    """Somebody with a token and a wallet to pay from."""

    market: Marketplace
    http: httpx.AsyncClient
    token: str
    # Where databases are killed, an error of the server is an answer to repeat, and not a bug.
    forgiving: bool = False

    async def execute(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of one operation, asked again while the server is away."""
        return await execute(
            self.http,
            self.market,
            query,
            token=self.token,
            forgiving=self.forgiving,
            **variables,
        )

    async def publish_job(self, *, reward: int) -> str:
        """A job that can be funded; its id."""
        job = {
            "title": "Translate a leaflet",
            "description": "Two pages, from Spanish.",
            "deliverables": ["TEXT"],
            "reward": {"value": str(reward), "assetCode": "USD", "assetScale": 2},
        }
        made = (await self.execute(CREATE_JOB, input=job))["createJob"]
        assert made["job"], made["errors"]
        published = (await self.execute(PUBLISH_JOB, id=made["job"]["id"]))["publishJob"]
        if not published["job"]:
            # Asked again after a lost answer: it is published already.
            assert self.forgiving, published["errors"]
            job_now = (await self.execute(JOB_STATUS, id=made["job"]["id"]))["job"]
            assert job_now["status"] == "RECRUITING", published["errors"]
        return str(made["job"]["id"])

    async def fund(self, job_id: str, *, key: str | None = None) -> str:
        """Put money behind a job; the id of its payment."""
        funding = await self.try_to_fund(job_id, key=key or str(uuid.uuid4()))
        return str(funding["payments"][0]["id"])

    async def try_to_fund(self, job_id: str, *, key: str) -> dict[str, Any]:
        wish = {"jobId": job_id, "returnUrl": self.market.return_url, "idempotencyKey": key}
        answer = (await self.execute(FUND_JOB, input=wish))["fundJob"]
        assert answer["funding"], answer["errors"]
        return dict(answer["funding"])

    async def payment(self, payment_id: str) -> dict[str, Any]:
        """The payment as the API shows it to its payer."""
        return dict((await self.execute(PAYMENT, id=payment_id))["payment"])

    async def approve(self, redirect_url: str) -> str:
        """Visit the wallet with a fresh browser, say yes, come back; the finish URL."""
        async with httpx.AsyncClient(timeout=20) as browser:
            finish = await self.consent(browser, redirect_url)
            # A browser that is taken to a server that is away is reloaded by its user.
            await self._patiently(lambda: browser.get(finish))
        return finish

    async def consent(self, browser: httpx.AsyncClient, redirect_url: str) -> str:
        """Visit the wallet and say yes; where `browser`, now with its cookie, would go next."""
        start = await self._patiently(lambda: browser.get(redirect_url))
        assert start.status_code == 303, start.text
        decided = await self._patiently(
            lambda: browser.post(
                f"{self.market.control}/decide",
                json={"redirect": start.headers["location"], "decision": "accept"},
            )
        )
        # The payment may have gone on meanwhile: then there is nothing left to decide.
        return str(decided.json().get("location", redirect_url))

    async def _patiently(self, send: Sending) -> httpx.Response:
        return await _patiently(send, forgiving=self.forgiving)


@dataclass
class Story:
    """What one payer lived through with one payment."""

    payment_id: str
    started_at: float
    ended_at: float | None = None
    status: str = ""
    consents: int = 0
    statuses: list[str] = field(default_factory=list)

    def note(self, status: str) -> None:
        """Remember a status that is not the last one seen."""
        self.status = status
        if not self.statuses or self.statuses[-1] != status:
            self.statuses.append(status)


async def see_it_through(
    payer: Person,
    story: Story,
    *,
    rng: random.Random,
    until: asyncio.Event,
    pause: tuple[float, float] = (0.4, 0.8),
) -> None:
    """Approve whenever the payment asks, until it is over, or until `until` is set.

    Looks again after `pause` seconds, the shortest and the longest.
    """
    clock = asyncio.get_running_loop()
    approved: set[str] = set()
    while not until.is_set():
        seen = await payer.payment(story.payment_id)
        story.note(seen["status"])
        if seen["status"] in TERMINAL:
            story.ended_at = clock.time()
            return
        grant = seen["grant"]
        if grant and grant["redirectUrl"] and grant["id"] not in approved:
            await asyncio.sleep(rng.uniform(0, 0.5))
            await payer.approve(grant["redirectUrl"])
            approved.add(grant["id"])
            story.consents += 1
        await asyncio.sleep(rng.uniform(*pause))


@asynccontextmanager
async def people(
    market: Marketplace, count: int, *, forgiving: bool = False
) -> AsyncIterator[list[Person]]:
    """Sign up `count` people, each with the wallet that is next in PAYING_WALLETS."""
    assert count <= MOST_PEOPLE
    limits = httpx.Limits(max_connections=60, max_keepalive_connections=20)
    async with httpx.AsyncClient(timeout=30, limits=limits) as http:
        crowd = [
            await sign_up(
                market,
                http,
                f"Payer {number}",
                wallet=PAYING_WALLETS[number % len(PAYING_WALLETS)],
            )
            for number in range(count)
        ]
        yield [replace(each, forgiving=forgiving) for each in crowd]


async def sign_up(
    market: Marketplace, http: httpx.AsyncClient, name: str, *, wallet: str
) -> Person:
    """Somebody new, with the sandbox's `wallet` as their default one."""
    account = {
        "email": f"payer-{uuid.uuid4().hex}@example.com",
        "password": "long river, stone bridge",
        "displayName": name,
    }
    session = (await execute(http, market, SIGN_UP, input=account))["signUp"]
    assert session["token"], session["errors"]
    person = Person(market, http, session["token"])
    wish = {"address": market.wallet_address(wallet), "makeDefault": True}
    added = (await person.execute(ADD_WALLET, input=wish))["addWallet"]
    assert added["wallet"], added["errors"]
    return person


async def execute(
    http: httpx.AsyncClient,
    market: Marketplace,
    query: str,
    *,
    token: str | None = None,
    forgiving: bool = False,
    **variables: Any,
) -> dict[str, Any]:
    """The data of one GraphQL operation that must not have a top-level error."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = await _patiently(
        lambda: http.post(
            market.graphql, json={"query": query, "variables": variables}, headers=headers
        ),
        forgiving=forgiving,
    )
    body = answer.json()
    assert "errors" not in body, body["errors"]
    return dict(body["data"])


async def _patiently(send: Sending, *, forgiving: bool = False) -> httpx.Response:
    patience_ends_at = asyncio.get_running_loop().time() + AWAY_SECONDS
    while True:
        over = asyncio.get_running_loop().time() > patience_ends_at
        try:
            answer = await send()
        except httpx.TransportError:
            if over:
                raise
        else:
            if over or not (_is_too_soon(answer) or (forgiving and is_unwell(answer))):
                return answer
        await asyncio.sleep(0.5)


def is_unwell(answer: httpx.Response) -> bool:
    """Whether the server says that it failed; GraphQL says so with 200."""
    return answer.status_code >= 500 or not UNWELL.isdisjoint(_codes_of(answer))


def _is_too_soon(answer: httpx.Response) -> bool:
    # One who does the work of many is asked to wait, and does.
    return "RATE_LIMITED" in _codes_of(answer)


def _codes_of(answer: httpx.Response) -> set[str]:
    errors = answer.json().get("errors", ()) if answer.headers.get("content-type") == JSON else ()
    return {each.get("extensions", {}).get("code") for each in errors}
