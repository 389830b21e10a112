"""Wallets that say what their owner gains by. Nobody is paid twice because a wallet says so."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.conf import LazySettings

from backend.errors import ErrorCode
from backend.funding.models import Payable
from backend.funding.status import PayableStatus
from backend.jobs.status import Pricing, ReviewDecision
from backend.open_payments import Client
from backend.payments.errors import WALLET_MISBEHAVED
from backend.payments.lists import MAX_PAGES
from backend.payments.models import HeldGrant, Payment
from backend.payments.quoting import LARGEST_VALUE
from backend.payments.status import PaymentStatus
from tests.simulation.market import Market
from tests.simulation.simulator import BASE_URL, KEY, Simulation

pytestmark = pytest.mark.django_db(transaction=True)

Json = dict[str, Any]


@pytest.fixture(autouse=True)
def _treasury(settings: LazySettings) -> None:
    settings.TREASURY_WALLET_ADDRESS_URL = f"{BASE_URL}/treasury"


class LyingTransport(httpx.BaseTransport):
    """Real wallets, whose answers `lie` may change before anybody reads them."""

    def __init__(
        self, honest: httpx.BaseTransport, lie: Callable[[httpx.Request, Json], None]
    ) -> None:
        self._honest, self._lie = honest, lie

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._honest.handle_request(request)
        content = answer.read()
        if answer.status_code >= 400 or not content:
            return answer
        body = json.loads(content)
        self._lie(request, body)
        return httpx.Response(answer.status_code, json=body)


def let_lie(simulation: Simulation, lie: Callable[[httpx.Request, Json], None]) -> None:
    honest = simulation.client._http._transport
    http = httpx.Client(transport=LyingTransport(honest, lie), timeout=10)
    simulation.client = Client(http, KEY, clock=simulation.clock.now)


def quotes_say(side: str, **changes: Any) -> Callable[[httpx.Request, Json], None]:
    def lie(request: httpx.Request, body: Json) -> None:
        if request.method == "POST" and request.url.path.endswith("/quotes"):
            body[side].update(changes)

    return lie


def receivers_show(value: int) -> Callable[[httpx.Request, Json], None]:
    """The worker's wallet says of every incoming payment that it has received `value`."""

    def lie(request: httpx.Request, body: Json) -> None:
        if "/incoming-payments/" in request.url.path and "receivedAmount" in body:
            body["receivedAmount"]["value"] = str(value)

    return lie


def a_market_at_work(*, workers: int = 1) -> Market:
    market = Market(workers=workers)
    market.secure()
    return market


def debits(market: Market) -> int:
    """How often money left the payer's wallet."""
    movements = market._control("GET", "ledger")["movements"]
    return sum(each["kind"] == "hold" for each in movements)


@pytest.mark.parametrize("side", ["debitAmount", "receiveAmount"])
def test_a_quote_in_another_asset_is_not_one(side: str) -> None:
    simulation = Simulation(temperament="strict")
    let_lie(simulation, quotes_say(side, assetCode="JPY", assetScale=0))

    verdict = simulation.run()

    assert (verdict.status, verdict.failure) == (PaymentStatus.FAILED, "WALLET_REJECTED")
    assert verdict.debits == 0


def test_a_quote_of_more_than_anybody_owns_is_refused_and_fits_no_column() -> None:
    simulation = Simulation(temperament="strict")
    let_lie(simulation, quotes_say("debitAmount", value=str(LARGEST_VALUE + 1)))

    verdict = simulation.run()

    assert (verdict.status, verdict.failure) == (PaymentStatus.FAILED, "WALLET_REJECTED")


def test_a_quote_that_is_believable_and_not_with_what_rates_may_move_is_refused() -> None:
    simulation = Simulation(temperament="strict", payer_wallet="bob")
    let_lie(simulation, quotes_say("debitAmount", value=str(LARGEST_VALUE)))

    verdict = simulation.run()

    assert verdict.status == PaymentStatus.FAILED
    assert simulation.payment_now().failure_message == WALLET_MISBEHAVED.message


def test_what_nothing_is_debited_for_is_not_sent() -> None:
    """It would arrive, and could not be booked."""

    def sending_is_free(_request: httpx.Request, body: Json) -> None:
        for amount in ("debitAmount", "sentAmount"):
            if amount in body:
                body[amount]["value"] = "0"

    market = a_market_at_work()
    let_lie(market, sending_is_free)

    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    market.settle_down(lambda: Payment.objects.filter(status=PaymentStatus.FAILED).exists())

    assert Payment.objects.get().failure_code == "WALLET_REJECTED"
    assert debits(market) == 0


def test_of_a_sum_that_is_sent_something_arrives() -> None:
    market = Market(pricing=Pricing.FIXED_SEND, workers=1)
    market.secure()
    let_lie(market, quotes_say("receiveAmount", value="0"))

    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    market.settle_down(lambda: Payment.objects.filter(status=PaymentStatus.FAILED).exists())

    assert Payment.objects.get().failure_code == "WALLET_REJECTED"
    assert Payable.objects.get().status == PayableStatus.STUCK


@pytest.mark.parametrize("never", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
@pytest.mark.parametrize("what", ["quotes", "incoming-payments"])
def test_an_end_of_no_calendar_stops_nothing(what: str, never: str) -> None:
    simulation = Simulation(temperament="strict", options={"settle_s": 30})

    def lie(request: httpx.Request, body: Json) -> None:
        if request.method == "POST" and request.url.path.endswith(f"/{what}"):
            body["expiresAt"] = never

    let_lie(simulation, lie)
    simulation.fault(call="create-outgoing-payment", when="after", act="reset")

    verdict = simulation.run()

    # What has expired long ago is not paid, and fails; nothing of it is stranded.
    assert verdict.problems == []
    if what == "incoming-payments" or never.startswith("9"):
        assert verdict.status is PaymentStatus.COMPLETED


def test_a_lost_order_of_a_quote_without_end_is_not_waited_for_without_end() -> None:
    market = a_market_at_work(workers=1)

    def lie(request: httpx.Request, body: Json) -> None:
        if request.method == "POST" and request.url.path.endswith("/quotes"):
            body["expiresAt"] = "9999-12-31T23:59:59Z"

    let_lie(market, lie)
    market.fault(call="create-outgoing-payment", when="before", act="reset", times=1)
    began = market.now
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)

    market.settle_down(lambda: Payable.objects.get().status == PayableStatus.STUCK)

    assert Payment.objects.get(purpose="PAYOUT").failure_code == ErrorCode.NOT_DELIVERED
    assert market.now - began < timedelta(hours=1)


def test_a_wallet_that_never_keeps_to_what_it_said_would_arrive_has_used_up_no_consent() -> None:
    market = Market(workers=1, pricing=Pricing.FIXED_SEND)
    market.secure()

    def lie(request: httpx.Request, body: Json) -> None:
        asked = json.loads(request.content or "{}")
        if request.url.path.endswith("/quotes") and "debitAmount" not in asked:
            body["debitAmount"]["value"] = str(int(body["debitAmount"]["value"]) + 40)

    let_lie(market, lie)
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)

    market.settle_down(lambda: Payable.objects.get().failures > 0)

    payment = Payment.objects.get(purpose="PAYOUT")
    assert payment.failure_code == ErrorCode.WALLET_REJECTED
    assert payment.calls.filter(operation="create-incoming-payment").count() == 12
    assert Payable.objects.get().due_at is not None


def test_times_without_end_are_no_longer_than_people_wait() -> None:
    simulation = Simulation(temperament="strict")

    def lie(request: httpx.Request, body: Json) -> None:
        if "access_token" in body and "expires_in" in body["access_token"]:
            body["access_token"]["expires_in"] = 2**53 - 1
        if "wait" in body.get("continue", {}):
            body["continue"]["wait"] = 2**53 - 1

    let_lie(simulation, lie)

    assert simulation.run().status is PaymentStatus.COMPLETED


def test_lines_that_are_each_believable_and_not_together_are_no_limit() -> None:
    market = Market(workers=2)
    let_lie(market, quotes_say("debitAmount", value=str(LARGEST_VALUE)))

    market.pre_fund()
    market.settle_down(lambda: HeldGrant.objects.get(payer=market.payer).status == "FAILED")

    assert HeldGrant.objects.get(payer=market.payer).failure_code == "WALLET_REJECTED"


def test_only_what_was_asked_for_is_booked_whatever_the_receiver_shows() -> None:
    simulation = Simulation(temperament="strict")
    let_lie(simulation, receivers_show(2**63))

    simulation.run()

    payment = simulation.payment_now()
    assert (payment.status, payment.delivered_value) == (PaymentStatus.COMPLETED, 2500)


def test_a_worker_whose_wallet_denies_the_money_is_not_paid_again_by_itself() -> None:
    market = a_market_at_work()
    let_lie(market, receivers_show(0))

    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    market.settle_down(lambda: Payable.objects.get().status == PayableStatus.STUCK)
    market.days_pass(3)

    payment = Payment.objects.get(purpose="PAYOUT")
    assert (payment.status, payment.failure_code) == (PaymentStatus.FAILED, "NOT_DELIVERED")
    assert debits(market) == 1
    # What may have been taken is not promised to anybody else.
    assert HeldGrant.objects.get(payer=market.payer).reserved_value == payment.reserved_value > 0


@pytest.mark.parametrize("sender_is_asked", [True, False])
def test_a_denying_wallet_gains_nothing_by_a_lost_answer(sender_is_asked: bool) -> None:
    market = a_market_at_work()
    lies = receivers_show(0)

    def lie(request: httpx.Request, body: Json) -> None:
        lies(request, body)
        if not sender_is_asked and request.method == "GET" and "result" in body:
            body.clear()

    let_lie(market, lie)
    market.fault(call="create-outgoing-payment", when="after", act="reset", times=1)

    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    market.settle_down(
        lambda: Payable.objects.get().status == PayableStatus.STUCK,
        rounds=300 if sender_is_asked else 100,
    )

    assert debits(market) == 1
    payment = Payment.objects.get(purpose="PAYOUT")
    if sender_is_asked:
        assert payment.failure_code == ErrorCode.NOT_DELIVERED
    else:
        assert payment.status == PaymentStatus.UNKNOWN


def test_a_denying_wallet_gains_nothing_where_the_payers_list_is_longer_than_is_read() -> None:
    # The other worker's pay is room under the consent, which a second order could use.
    market = a_market_at_work(workers=2)
    let_lie(market, receivers_show(0))
    market.options(oldest_first=True, most_per_page=1)
    market.fault(call="create-outgoing-payment", when="after", act="reset", times=1)
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    market.work_until(lambda: Payment.objects.filter(status="UNKNOWN").exists())
    older_orders(market, wallet="alice", number=MAX_PAGES)

    market.settle_down(lambda: Payable.objects.get().status == PayableStatus.STUCK)

    assert debits(market) == 1
    assert Payment.objects.get(purpose="PAYOUT").failure_code == ErrorCode.NOT_DELIVERED


def older_orders(market: Market, *, wallet: str, number: int) -> None:
    """Let a wallet have carried out so many of our orders before."""
    db = market.world.bank.db
    row = dict(db.execute("SELECT * FROM outgoing WHERE wallet = ?", (wallet,)).fetchone())
    for each in range(number):
        earlier = {
            **row,
            "seq": -each,
            "id": f"earlier-{each}",
            "quote": f"earlier-{each}",
            "receiver": f"{BASE_URL}/north/incoming-payments/earlier-{each}",
            "metadata": None,
        }
        names, places = ", ".join(earlier), ", ".join("?" * len(earlier))
        db.execute(f"INSERT INTO outgoing ({names}) VALUES ({places})", tuple(earlier.values()))


@pytest.mark.parametrize("late_s", [60, 90, 200])
def test_a_denying_wallet_gains_nothing_by_an_order_that_is_carried_out_late(late_s: int) -> None:
    # The other worker's pay is room under the consent, which a second order could use.
    market = a_market_at_work(workers=2)
    honest = market.client._http._transport
    http = httpx.Client(transport=SaysItClosed(honest, receivers_show(0)), timeout=10)
    market.client = Client(http, KEY, clock=market.clock.now)
    market.fault(call="create-outgoing-payment", when="late", act="reset", late_s=late_s)

    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    market.settle_down(lambda: Payable.objects.get().status == PayableStatus.STUCK)

    assert debits(market) == 1
    assert Payment.objects.get(purpose="PAYOUT").failure_code == ErrorCode.NOT_DELIVERED


class SaysItClosed(LyingTransport):
    """The worker's wallet says that it closed what it leaves open."""

    _made: dict[str, Json]
    _closed: set[str]

    def __init__(
        self, honest: httpx.BaseTransport, lie: Callable[[httpx.Request, Json], None]
    ) -> None:
        super().__init__(honest, lie)
        self._made, self._closed = {}, set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url).removesuffix("/complete")
        if str(request.url) != url:
            self._closed.add(url)
            return httpx.Response(200, json={**self._made[url], "completed": True})
        answer = super().handle_request(request)
        if answer.status_code >= 400 or "receivedAmount" not in answer.text:
            return answer
        body = answer.json() | {"completed": url in self._closed}
        if request.method == "POST":
            self._made[body["id"]] = body
        return httpx.Response(answer.status_code, json=body)
