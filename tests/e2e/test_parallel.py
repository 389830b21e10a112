"""The same wish, many times at once: one effect."""

import asyncio
import uuid

import httpx

from tests.e2e.marketplace import Marketplace
from tests.e2e.people import FUND_JOB, TERMINAL, Person, people

AT_ONCE = 50
WAIT_SECONDS = 60.0


async def test_fifty_fundings_with_one_key_are_one_funding(market: Marketplace) -> None:
    async with people(market, 1) as [payer]:
        job = await payer.publish_job(reward=700)
        wish = {
            "jobId": job,
            "returnUrl": market.return_url,
            "idempotencyKey": str(uuid.uuid4()),
        }

        answers = await asyncio.gather(
            *(payer.execute(FUND_JOB, input=wish) for _ in range(AT_ONCE))
        )

        payment_id = answers[0]["fundJob"]["funding"]["payments"][0]["id"]
        assert all(answer["fundJob"]["errors"] == [] for answer in answers)
        assert {answer["fundJob"]["funding"]["id"] for answer in answers} == {
            answers[0]["fundJob"]["funding"]["id"]
        }
        assert {
            tuple(one["id"] for one in answer["fundJob"]["funding"]["payments"])
            for answer in answers
        } == {(payment_id,)}
        assert len(market.database.rows("SELECT 1 FROM payments_payment")) == 1
        await _redirect_of(payer, payment_id)


async def test_fifty_browsers_back_from_the_wallet_continue_the_grant_once(
    market: Marketplace,
) -> None:
    continued_before = _continuations(market)
    async with (
        people(market, 1) as [payer],
        httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=AT_ONCE)) as browser,
    ):
        payment_id = await payer.fund(await payer.publish_job(reward=900))
        finish = await payer.consent(browser, await _redirect_of(payer, payment_id))

        answers = await asyncio.gather(*(browser.get(finish) for _ in range(AT_ONCE)))

        payment = await _ended(payer, payment_id)
    assert {answer.status_code for answer in answers} == {303}
    assert payment["status"] == "COMPLETED"
    assert _continuations(market) - continued_before == 1
    assert _delivered(market, payment["incomingPaymentUrl"]) == [900]


async def _redirect_of(payer: Person, payment_id: str) -> str:
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            payment = await payer.payment(payment_id)
            assert payment["status"] not in TERMINAL, payment
            if payment["grant"] and payment["grant"]["redirectUrl"]:
                return str(payment["grant"]["redirectUrl"])
            await asyncio.sleep(0.1)


async def _ended(payer: Person, payment_id: str) -> dict[str, object]:
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            payment = await payer.payment(payment_id)
            if payment["status"] in TERMINAL:
                return payment
            await asyncio.sleep(0.1)


def _continuations(market: Marketplace) -> int:
    requests = market.ask_wallet("requests")["requests"]
    return sum(request["call"] == "continue-grant" for request in requests)


def _delivered(market: Marketplace, receiver: object) -> list[int]:
    movements = market.ask_wallet("ledger")["movements"]
    return [
        one["value"]
        for one in movements
        if one["kind"] == "deliver" and one["receiver"] == receiver
    ]
