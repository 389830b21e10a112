"""Orders that a wallet refuses: what is certain after that, and what is counted."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.conf import LazySettings

from backend.funding.models import Payable
from backend.funding.status import PayableStatus
from backend.jobs.status import Pricing, ReviewDecision
from backend.open_payments import Client
from backend.payments.models import Grant, Payment
from backend.payments.paying import PaymentRun
from backend.payments.status import GrantKind, PaymentStatus
from tests.simulation.market import Market
from tests.simulation.simulator import BASE_URL, KEY, Simulation

pytestmark = pytest.mark.django_db(transaction=True)

EMPTY = {"pagination": {"hasNextPage": False, "hasPreviousPage": False}, "result": []}
INACTIVE = {"error": {"code": "403", "description": "Inactive Token"}}
LIMIT_USED_UP = {"error": {"code": "403", "description": "unauthorized"}}
WRONG_STATE = {"error": {"code": "409", "description": "quote already used"}}
RECEIVER_FULL = {"error": {"code": "400", "description": "invalid receiver"}}
UNKNOWN_KEY = {"error": {"code": "invalid_client", "description": "could not verify signature"}}
OWN_WORDS = {"error": {"code": "E17", "description": "we have had this one"}}


@pytest.fixture(autouse=True)
def _platform(settings: LazySettings) -> None:
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"


class AsksTwice(httpx.BaseTransport):
    """Something before the wallet repeats the first order, and passes on the second answer.

    Which answer that is depends on what the wallet looks at first, so that it can be given.
    """

    def __init__(self, honest: httpx.BaseTransport, second: httpx.Response | None) -> None:
        self._honest, self._second, self._done = honest, second, False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._honest.handle_request(request)
        if self._done or request.method != "POST" or "outgoing-payments" not in request.url.path:
            return answer
        self._done = True
        return self._second or self._honest.handle_request(request)


def let_ask_twice(simulation: Simulation, second: httpx.Response | None = None) -> None:
    honest = simulation.client._http._transport
    http = httpx.Client(transport=AsksTwice(honest, second), timeout=10)
    simulation.client = Client(http, KEY, clock=simulation.clock.now)


def at_work(**world: Any) -> Market:
    market = Market(**world)
    market.secure()
    return market


def delivered(simulation: Simulation) -> int:
    return sum(move["kind"] == "deliver" for move in simulation.movements())


def payout() -> Payment:
    return Payment.objects.filter(purpose="PAYOUT").latest("created_at")


def is_paid() -> bool:
    return Payable.objects.get().status == PayableStatus.PAID


ANSWERS: dict[str, Callable[[], httpx.Response | None]] = {
    "the quote is used up": lambda: None,
    "so is the limit": lambda: httpx.Response(403, json=LIMIT_USED_UP),
    "it is in a state for that no more": lambda: httpx.Response(409, json=WRONG_STATE),
    "its receiver is full": lambda: httpx.Response(400, json=RECEIVER_FULL),
    "words of its own": lambda: httpx.Response(422, json=OWN_WORDS),
}


@pytest.mark.parametrize("answer", sorted(ANSWERS))
@pytest.mark.parametrize("workers", [1, 2])
def test_an_order_that_is_repeated_on_its_way_is_paid_once(workers: int, answer: str) -> None:
    market = at_work(workers=workers)
    let_ask_twice(market, ANSWERS[answer]())

    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    market.settle_down(is_paid)

    assert delivered(market) == 1
    assert payout().status == PaymentStatus.COMPLETED


@pytest.mark.parametrize(
    ("answer", "is_late"),
    [("so is the limit", False), ("the quote is used up", False), ("the quote is used up", True)],
)
def test_so_is_one_whose_sent_sum_is_fixed_when_the_rate_moves_meanwhile(
    answer: str, is_late: bool
) -> None:
    # The other worker's pay is room under the consent, which a second order could use.
    market = at_work(workers=2, pricing=Pricing.FIXED_SEND, options={"settle_s": 20})
    let_ask_twice(market, ANSWERS[answer]())
    if is_late:
        market.fault(call="list-outgoing-payments", act="status", status=200, body=EMPTY, times=1)
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    market.work_until(lambda: payout().transitions.filter(old="SENDING").exists())
    move_the_rates(market)

    assert market.settle_down(is_paid)
    assert delivered(market) == 1


@pytest.mark.parametrize("answer", sorted(ANSWERS))
def test_so_is_one_of_which_the_wallets_list_cannot_be_read(answer: str) -> None:
    market = at_work(workers=1)
    let_ask_twice(market, ANSWERS[answer]())
    market.fault(call="list-outgoing-payments", act="503", times=2)

    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    market.settle_down(is_paid)

    assert delivered(market) == 1


@pytest.mark.parametrize("quotes", ["are refused", "come late", "come too late"])
def test_so_is_one_that_its_wallet_lists_late_and_quotes_no_more(quotes: str) -> None:
    # The other worker's pay is room under the consent, which a second order could use.
    market = at_work(workers=2)
    let_ask_twice(market)
    market.fault(call="list-outgoing-payments", act="status", status=200, body=EMPTY, times=1)
    if quotes == "are refused":
        market.fault(call="create-quote", act="status", status=422, body=OWN_WORDS, nth=2)
    else:
        times = 3 if quotes == "come late" else 500
        market.fault(call="create-quote", act="503", nth=2, times=times)
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)

    assert market.settle_down(is_paid)
    assert delivered(market) == 1
    assert payout().status == PaymentStatus.COMPLETED


def test_so_is_one_whose_consent_is_taken_back_between_its_two_copies() -> None:
    # The other worker's pay is room under the next consent, which a second order could use.
    market = at_work(workers=2, options={"settle_s": 20})
    let_ask_twice(market, httpx.Response(403, json=INACTIVE))
    market.fault(call="rotate-token", act="revoke_grant", times=1)
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)

    assert market.settle_down(is_paid)
    assert delivered(market) == 1
    assert payout().status == PaymentStatus.COMPLETED


def test_an_order_that_is_refused_fails_though_its_receiver_is_silent_for_a_while() -> None:
    market = at_work(workers=1)
    market.fault(call="create-outgoing-payment", act="status", status=422, body=OWN_WORDS)
    market.fault(call="get-public-incoming-payment", act="503", times=3)
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)

    assert market.settle_down(is_paid)
    assert delivered(market) == 1


@pytest.mark.parametrize("answer", [None, INACTIVE])
def test_a_payer_whose_payment_was_ordered_twice_on_its_way_is_debited_once(answer: Any) -> None:
    simulation = Simulation(temperament="strict")
    let_ask_twice(simulation, None if answer is None else httpx.Response(403, json=answer))

    assert simulation.run().problems == []
    assert simulation.payment_now().status == PaymentStatus.COMPLETED
    assert delivered(simulation) == 1


@pytest.mark.parametrize("settle_s", [0, 20])
@pytest.mark.parametrize("then", ["the consent is gone", "our key is refused"])
def test_so_is_one_whose_token_is_not_renewed_after_that(then: str, settle_s: int) -> None:
    simulation = Simulation(temperament="strict", options={"settle_s": settle_s})
    let_ask_twice(simulation, httpx.Response(403, json=INACTIVE))
    if then == "the consent is gone":
        simulation.fault(call="rotate-token", act="revoke_grant", times=1)
        # The third after the one before the order would be for the next consent.
        simulation.fault(call="create-quote", act="status", status=422, body=OWN_WORDS, nth=4)
    else:
        simulation.fault(call="rotate-token", act="status", status=401, body=UNKNOWN_KEY, times=1)

    assert simulation.run().problems == []
    # What is slow finds its receiver closed, and nothing was taken.
    is_paid = simulation.payment_now().status == PaymentStatus.COMPLETED
    assert delivered(simulation) == is_paid
    assert is_paid or settle_s


@pytest.mark.parametrize("settle_s", [0, 20])
def test_so_is_one_whose_second_copy_is_taken_for_a_replay(settle_s: int) -> None:
    simulation = Simulation(temperament="strict", options={"settle_s": settle_s})
    let_ask_twice(simulation, httpx.Response(401, json=UNKNOWN_KEY))

    assert simulation.run().problems == []
    assert simulation.payment_now().status == PaymentStatus.COMPLETED
    assert delivered(simulation) == 1


@pytest.mark.parametrize("troubles", [0, 6])
def test_what_went_wrong_before_the_order_does_not_count_as_a_refusal_of_it(troubles: int) -> None:
    simulation = Simulation(temperament="strict")
    if troubles:
        simulation.fault(call="create-quote", nth=2, act="503", times=troubles)
    simulation.fault(call="create-outgoing-payment", act="expire_quote", times=1)

    assert simulation.run().status is PaymentStatus.COMPLETED


@pytest.mark.parametrize("troubles", [0, 5])
def test_a_rate_that_moves_while_a_token_is_waited_for_needs_no_new_consent(troubles: int) -> None:
    market = at_work(workers=1, pricing=Pricing.FIXED_SEND)
    market.fault(call="create-outgoing-payment", act="status", status=403, body=INACTIVE)
    if troubles:
        market.fault(call="rotate-token", act="503", times=troubles)
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    market.work_until(lambda: payout().transitions.filter(old="SENDING").exists())
    move_the_rates(market)

    market.settle_down(lambda: payout().status in {"COMPLETED", "FAILED"})

    assert (payout().status, payout().failure_code) == ("COMPLETED", "")


def move_the_rates(market: Market) -> None:
    """Have a dollar make three hundredths less than before."""
    rates = market.world.bank.options.rates
    market.options(
        rates={
            pair: str(float(rate) * (0.97 if pair.startswith("USD") else 1))
            for pair, rate in rates.items()
        }
    )


@pytest.mark.parametrize("answer_is_lost", [False, True])
def test_a_payment_never_renews_the_token_of_a_held_grant(
    answer_is_lost: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two looks at the clock the first is just before the token is too old, the second after."""
    market = at_work(workers=1)
    looks, lives = [], PaymentRun.token_lives

    def token_lives(run: PaymentRun, grant: Grant) -> bool:
        if run.status is not PaymentStatus.QUOTED or grant.kind != GrantKind.OUTGOING_PAYMENT:
            return lives(run, grant)
        looks.append(grant)
        return len(looks) != 2

    monkeypatch.setattr(PaymentRun, "token_lives", token_lives)
    if answer_is_lost:
        market.fault(call="rotate-token", when="after", act="reset", times=1)
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    market.settle_down(is_paid, rounds=60)

    assert not payout().calls.filter(operation="rotate-token").exists()
    assert is_paid()
