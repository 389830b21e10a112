"""PostgreSQL and Redis go away while people are under way: they are told so, and lose nothing."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from django.core import signing

from backend.accounts.models import MailCategory, User
from backend.files import links as file_links
from backend.ledger import downloads
from backend.notifications import unsubscribing
from backend.webhooks import signatures
from tests.e2e.cluster import Cluster, own_cluster
from tests.e2e.conftest import SERVER_URL
from tests.e2e.marketplace import Marketplace, running_marketplace
from tests.e2e.people import Person, people
from tests.e2e.processes import START_SECONDS

pytestmark = pytest.mark.skipif(SERVER_URL is None, reason="SQLite does not go away")

OPEN_JOBS = {"query": "{ jobs(first: 5) { edges { node { title } } } }"}
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language": "en"}
HINT_SECRET = signatures.new_secret()


@dataclass
class World:
    market: Marketplace
    cluster: Cluster


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    settings = {"WEBHOOK_SECRETS": HINT_SECRET}
    with (
        own_cluster() as cluster,
        running_marketplace(server_url=cluster.url, settings=settings) as market,
    ):
        yield World(market, cluster)


def plain_requests(url: str) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Every plain page that asks the database, as somebody with a right to it would ask."""
    later = datetime.now(UTC) + timedelta(hours=1)
    person = User(id=uuid4())
    permission = [person.pk.hex, False, None, None, int(later.timestamp())]
    export = signing.dumps(permission, salt=downloads._SALT, compress=True)
    mail = urlsplit(unsubscribing.link_for(person, MailCategory.WORK)).path
    body = b'{"type": "payment.completed"}'
    hint = signatures.headers_for(
        id="msg_1", body=body, keys=[signatures.key_of(HINT_SECRET)], at=datetime.now(UTC)
    )
    part, file = (
        urlsplit(each).path
        for each in (
            file_links.part_url(uuid4(), 1, until=later),
            file_links.download_url(uuid4(), until=later),
        )
    )
    key = {"Authorization": f"Bearer faena_test_{'a' * 43}"}
    return {
        "a part": ("PUT", url + part, {"content": b"x"}),
        "a file": ("GET", url + file, {}),
        "an export": ("GET", f"{url}/exports/{export}", {}),
        "a mail's link": ("GET", url + mail, {"headers": BROWSER}),
        "one click in a mail": ("POST", url + mail, {}),
        "a hint": ("POST", f"{url}/api/webhooks/payments", {"content": body, "headers": hint}),
        "the guide's contract": ("GET", f"{url}/offers/x/payments", {"headers": key}),
        "the back office": (
            "GET",
            f"{url}/admin/",
            {"headers": {"Cookie": "sessionid=" + "a" * 32}},
        ),
    }


async def until(look: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not await look():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.2)


async def asked_to_approve(payer: Person) -> tuple[str, str]:
    """A payment that waits for its payer, and the link they got."""
    payment_id = await payer.fund(await payer.publish_job(reward=500))
    shown: list[str] = []

    async def is_asked() -> bool:
        grant = (await payer.payment(payment_id))["grant"]
        shown[:] = [grant["redirectUrl"]] if grant and grant["redirectUrl"] else []
        return bool(shown)

    await until(is_asked)
    return payment_id, shown[0]


def says_come_back(answer: httpx.Response) -> bool:
    return answer.status_code == 503 and int(answer.headers["retry-after"]) > 0


async def test_without_postgresql_everybody_is_told_to_come_back_and_their_links_work_then(
    world: World,
) -> None:
    market = world.market
    async with (
        people(market, 1, forgiving=True) as (payer,),
        httpx.AsyncClient(timeout=20, headers=BROWSER) as browser,
        httpx.AsyncClient(timeout=20) as program,
    ):
        payment_id, link = await asked_to_approve(payer)
        finish = await payer.consent(browser, link)

        await asyncio.to_thread(world.cluster.stop_immediately)
        try:
            pages = [await browser.get(link), await browser.get(finish)]
            plain = {
                name: await program.request(method, url, **more)
                for name, (method, url, more) in plain_requests(market.url).items()
            }
            graphql = await program.post(market.graphql, json=OPEN_JOBS)
            keys = await browser.get(f"{market.url}/.well-known/receipts/jwks.json")
        finally:
            world.cluster.process.start()
            await asyncio.to_thread(world.cluster.process.wait_until_ready)

        again = await payer._patiently(lambda: browser.get(link))
        finished = await browser.get(finish)

        async def is_paid() -> bool:
            return str((await payer.payment(payment_id))["status"]) == "COMPLETED"

        await until(is_paid)

    for page in pages:
        assert says_come_back(page), page.text
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "Nothing was lost" in page.text and "try the same again" in page.text
        assert page.headers["referrer-policy"] == "no-referrer"
    assert [name for name, answer in plain.items() if not says_come_back(answer)] == []
    assert plain["a mail's link"].headers["content-type"].startswith("text/html")
    assert plain["a part"].json()["errors"][0]["extensions"]["code"] == "UPSTREAM_UNAVAILABLE"
    assert plain["a hint"].json()["errors"][0]["extensions"]["code"] == "UPSTREAM_UNAVAILABLE"
    assert plain["the guide's contract"].json()["code"] == "UPSTREAM_UNAVAILABLE"
    (error,) = graphql.json()["errors"]
    assert error["extensions"] == {"code": "UPSTREAM_UNAVAILABLE", "retryable": True}
    assert keys.status_code == 200
    assert again.status_code == finished.status_code == 303
    assert "grantStatus=APPROVED" in finished.headers["location"]
    assert urlsplit(finish).path not in market.web.said()


async def test_without_redis_a_payer_approves_and_is_paid_for_as_ever(world: World) -> None:
    market = world.market
    assert market.redis is not None
    async with (
        people(market, 1) as (payer,),
        httpx.AsyncClient(timeout=20, headers=BROWSER) as browser,
    ):
        _, link = await asked_to_approve(payer)
        market.redis.kill()
        try:
            finish = await payer.consent(browser, link)
            finished = await browser.get(finish)
        finally:
            market.redis.start()
            await asyncio.to_thread(market.redis.wait_until_ready)

    assert finished.status_code == 303
    assert "grantStatus=APPROVED" in finished.headers["location"]
