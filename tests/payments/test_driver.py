"""A wallet that takes long for each answer keeps a worker for a while, and no payment for good."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import httpx
import pytest
from django.conf import settings

from backend.open_payments import Answer, operations
from backend.payments import claims, errors
from backend.payments.bulkheads import BULKHEAD, CALLS_AT_ONCE
from backend.payments.lists import READ_WITHIN
from backend.payments.models import HeldGrant, Payment
from backend.payments.paying import PaymentRun
from backend.payments.status import HeldGrantStatus, PaymentStatus
from tests.simulation.crashes import CrashPoints
from tests.simulation.market import Market
from tests.simulation.restoring import AfterEveryCommit
from tests.simulation.simulator import BASE_URL, Simulation

pytestmark = pytest.mark.django_db(transaction=True)

P = PaymentStatus
HOST = BASE_URL.removeprefix("http://")


def slow_down(world: Simulation, seconds: float, *, rows: type[HeldGrant | Payment]) -> list[Any]:
    """Have every call take so long; the rows that another worker could claim meanwhile."""
    taken_over: list[Any] = []

    def wait(request: httpx.Request) -> None:
        world.clock.advance(seconds)
        taken_over.extend(claims.claim_due(rows, now=world.clock.now(), limit=1))

    world.before_each_call = wait
    return taken_over


def until(world: Simulation, status: PaymentStatus) -> None:
    for _ in range(60):
        world.payment = world.payment_now()
        if world.payment.status == status:
            return
        world.visit_wallet()
        if not world.work():
            world._wait()
    raise AssertionError(world.payment_now().status)


def list_without_end(world: Simulation, *, seconds: float) -> Iterator[int]:
    """Have the payer's wallet list nothing, page after page; the pages that were asked for."""
    pages, exchange = count(), world.client.exchange

    def slowly(operation: Any) -> Answer:
        if operation.name != "list-outgoing-payments":
            return exchange(operation)
        world.clock.advance(seconds)
        page = {
            "pagination": {
                "hasNextPage": True,
                "hasPreviousPage": False,
                "startCursor": "s",
                "endCursor": f"c{next(pages)}",
            },
            "result": [],
        }
        return Answer(status=200, headers={}, body=json.dumps(page).encode())

    world.client.exchange = slowly  # type: ignore[method-assign, assignment]
    return pages


@contextmanager
def all_slots_taken() -> Iterator[None]:
    BULKHEAD.was_slow(HOST)
    with ExitStack() as taken:
        for _ in range(CALLS_AT_ONCE):
            taken.enter_context(BULKHEAD.slot(HOST))
        yield


def held() -> HeldGrant:
    return HeldGrant.objects.latest("created_at")


def test_a_slow_list_without_end_is_given_up_and_the_payment_goes_on() -> None:
    world = Simulation(temperament="strict")
    world.fault(call="create-outgoing-payment", when="before", act="reset", times=1)
    until(world, P.UNKNOWN)
    pages = list_without_end(world, seconds=9.8)
    world._wait()
    before = world.clock.now()

    world.work()

    longest = READ_WITHIN + timedelta(seconds=3 * settings.WALLET_BUDGET_S)
    assert world.clock.now() - before <= longest
    assert next(pages) <= 4
    assert world.run().problems == []


def test_nobody_takes_over_from_a_worker_whose_wallets_are_slow() -> None:
    market = Market(workers=2)
    market.pre_fund()
    taken_over = slow_down(market, 7.0, rows=HeldGrant)

    for _ in range(20):
        if held().status == HeldGrantStatus.AWAITING_APPROVAL:
            break
        if not market.work():
            market.wait()

    assert held().status == HeldGrantStatus.AWAITING_APPROVAL
    assert taken_over == []


def test_a_row_with_much_to_ask_lets_others_come_first() -> None:
    market = Market(workers=5)
    market.pre_fund()
    slow_down(market, 7.0, rows=HeldGrant)
    before = market.clock.now()

    market.work()

    due_at = held().due_at
    assert market.clock.now() - before < timedelta(minutes=2)
    assert held().lease_until is None
    assert due_at is not None and due_at > market.clock.now() + timedelta(seconds=30)


def test_a_consent_that_cannot_be_asked_for_in_time_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.payments.run.PREPARE_FOR", timedelta(minutes=2))
    market = Market(workers=5)
    market.pre_fund()
    slow_down(market, 9.9, rows=HeldGrant)
    HeldGrant.objects.update(deadline_at=market.clock.now() + timedelta(minutes=2))

    for _ in range(10):
        if not market.work():
            market.wait()

    assert held().status == HeldGrantStatus.FAILED
    assert held().failure_code == errors.WALLET_UNAVAILABLE.code


def test_a_payment_that_cannot_be_prepared_in_time_ends_with_nothing_charged() -> None:
    world = Simulation(temperament="strict")
    world.before_each_call = lambda _: world.clock.advance(250)

    for _ in range(5):
        world.work()
        world._wait()

    assert world.payment_now().status == P.FAILED
    assert world.payment_now().failure_code == errors.WALLET_UNAVAILABLE.code


def test_a_payment_that_nobody_was_at_work_for_is_prepared_late() -> None:
    world = Simulation(temperament="strict")
    world.clock.at = world.payment.deadline_at + timedelta(hours=1)

    verdict = world.run()

    assert (verdict.status, verdict.problems) == (P.COMPLETED, [])


@pytest.mark.parametrize("status", [P.UNKNOWN, P.SENT])
def test_after_the_order_no_deadline_ends_a_payment_of_slow_wallets(status: P) -> None:
    world = Simulation(temperament="strict", options={"settle_s": 3600})
    if status is P.UNKNOWN:
        world.fault(call="create-outgoing-payment", when="after", act="reset", times=1)
    until(world, status)
    world.payment.refresh_from_db()
    Payment.objects.update(deadline_at=world.clock.now())
    slow_down(world, 9.0, rows=Payment)

    world._wait()
    world.work()

    assert world.payment_now().status not in {P.FAILED, P.CANCELED, P.EXPIRED}


def test_a_slow_wallet_that_keeps_half_of_the_threads_gets_no_more() -> None:
    world = Simulation(temperament="strict")
    calls: list[httpx.Request] = []
    world.before_each_call = calls.append
    before: datetime = world.clock.now()

    with all_slots_taken():
        world.work()

    payment = world.payment_now()
    assert (payment.status, payment.tries, calls) == (P.CREATED, 1, [])
    assert payment.due_at is not None and payment.due_at > before
    assert world.run().problems == []


def test_an_order_that_finds_no_slot_is_not_given_and_not_refused() -> None:
    world = Simulation(temperament="strict")
    slots = ExitStack()

    def when_it_is_quoted() -> None:
        if world.payment_now().status == P.QUOTED and world.payment_now().tries == 0:
            slots.enter_context(all_slots_taken())

    world.points = AfterEveryCommit(when_it_is_quoted)
    with slots:
        until(world, P.QUOTED)
        assert world.payment_now().pending_call_id is None
        assert world.payment_now().tries == 1

    world.points = CrashPoints()
    verdict = world.run()
    assert (verdict.status, verdict.problems) == (P.COMPLETED, [])


def test_a_worker_that_lost_its_claim_asks_nothing_more() -> None:
    world = Simulation(temperament="strict")
    (payment,) = claims.claim_due(Payment, now=world.clock.now(), limit=1)
    run = PaymentRun(payment, client=world.client, clock=world.clock, rng=world.rng)
    calls: list[httpx.Request] = []
    world.before_each_call = calls.append
    world.clock.advance(61)
    claims.claim_due(Payment, now=world.clock.now(), limit=1)

    with pytest.raises(errors.LostRace):
        run.ask(operations.get_wallet_address(url=world.payment.sender.url))

    assert calls == []
