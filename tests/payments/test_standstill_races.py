"""Several processes at once after a restore: nothing is claimed that was not marked first.

Each thread has a connection of its own, as a process has.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection, transaction

from backend.funding import paying
from backend.funding.status import FundingMode
from backend.heartbeat import beating
from backend.heartbeat.beating import TICK, beat
from backend.heartbeat.models import Heartbeat
from backend.jobs.status import ReviewDecision
from backend.payments import standstill
from backend.payments.models import Payment
from backend.payments.status import TERMINAL
from tests.simulation.restoring import Rows, backup, restore
from tests.simulation.simulator import BASE_URL, Simulation
from tests.simulation.test_restored import a_market, all_paid, paid_twice, without_payouts

pytestmark = pytest.mark.django_db(transaction=True)

on_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite lets one writer in at a time"
)
WORKERS = 8


@pytest.fixture(autouse=True)
def _new_process(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> None:
    monkeypatch.setattr(beating, "_written", {})
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"


def test_workers_that_start_at_once_mark_once_and_claim_only_what_is_marked() -> None:
    world = Simulation(temperament="strict")
    for _ in range(WORKERS - 1):
        world.payer, world.job = world._new_job()
        world._fund()
    Payment.objects.update(due_at=world.clock.now())
    Heartbeat.objects.create(name=TICK, at=world.clock.now())
    world.clock.advance(120)
    now, together = world.clock.now(), Barrier(WORKERS, timeout=10)

    def start() -> list[Payment]:
        together.wait()
        marked_here = standstill.notice(now=now)
        beat(TICK, now=now)
        noticed.append(marked_here)
        return standstill.claim_due(now=now, limit=2)

    noticed: list[bool] = []
    claimed = [payment for each in in_threads(start, times=WORKERS) for payment in each]

    assert noticed.count(True) == 1
    assert claimed
    assert all(payment.look_up_since is not None for payment in claimed)
    # Once by the mark, once by the claim.
    assert {payment.fence for payment in claimed} == {2}


def test_a_beat_does_not_cover_up_that_a_backup_was_restored() -> None:
    world = Simulation(temperament="strict")
    rows = backup(at=world.clock.now())
    world.clock.advance(120)
    Heartbeat.objects.create(name=TICK, at=world.clock.now())
    # A worker has seen that all is well, and is about to say that it is at work.
    assert not standstill.notice(now=world.clock.now())

    restore(rows)
    beat(TICK, now=world.clock.now())

    assert standstill.notice(now=world.clock.now())
    assert world.payment_now().look_up_since is not None


def test_a_worker_that_noticed_nothing_claims_nothing_of_a_backup_restored_since() -> None:
    world = Simulation(temperament="strict")
    rows = backup(at=world.clock.now())
    world.clock.advance(120)
    now = world.clock.now()
    Heartbeat.objects.create(name=TICK, at=now)
    restored: list[Rows] = []

    def exchange_the_database(execute: Any, sql: str, *args: Any) -> Any:
        """A backup is restored between the worker's notice and its claim."""
        answer = execute(sql, *args)
        if "heartbeat" in sql and not restored:
            restored.append(rows)
            restore(rows)
        return answer

    with connection.execute_wrapper(exchange_the_database):
        overtaken = standstill.claim_due(now=now, limit=1)
    (claimed,) = standstill.claim_due(now=now, limit=1)

    assert restored and overtaken == []
    assert claimed.look_up_since is not None


@on_postgresql
def test_a_payment_that_is_being_begun_while_others_are_marked_is_marked_too() -> None:
    market = a_market(FundingMode.ESCROW, workers=2)
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    rows = backup(at=market.now)
    assert market.settle_down(all_paid)
    market.clock.advance(120)
    restore(without_payouts(rows, due_at=market.now))
    market._stir()
    now, begun, marked = market.now, Event(), Event()

    def begin() -> None:
        """A server or a pump begins the payment, and commits after others have looked."""
        with transaction.atomic():
            assert paying.retry_due(now=now) == 1
            begun.set()
            # Whoever marks either waits for this transaction, or is done before it.
            marked.wait(1)

    def mark() -> None:
        begun.wait(10)
        assert standstill.notice(now=now)
        marked.set()

    in_threads(begin, mark)

    (payout,) = Payment.objects.filter(purpose="PAYOUT").exclude(status__in=sorted(TERMINAL))
    assert payout.look_up_since is not None
    assert market.settle_down(all_paid)
    assert paid_twice(market) == []


def in_threads(*calls: Callable[[], Any], times: int = 1) -> list[Any]:
    def run(call: Callable[[], Any]) -> Any:
        try:
            return call()
        finally:
            connection.close()

    everything = [*calls] * times
    with ThreadPoolExecutor(len(everything)) as pool:
        return list(pool.map(run, everything, timeout=60))
