"""A payer comes back while their payment is called off: nobody waits in a circle."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from backend.payments import services
from backend.payments.models import Grant, Payment
from backend.payments.status import GrantKind, PaymentStatus
from tests.simulation.simulator import Simulation

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        connection.vendor != "postgresql", reason="SQLite lets one writer in at a time"
    ),
]


def wait_for_waiting(count: int) -> None:
    """Wait until so many connections wait for a lock."""
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0] >= count:
                return
        time.sleep(0.02)
    raise AssertionError("nobody waits")


def alone(call: Callable[[], Any]) -> Any:
    try:
        with transaction.atomic():
            return call()
    finally:
        connection.close()


@pytest.mark.parametrize("rejects", [False, True])
def test_both_come_through(rejects: bool) -> None:
    world = Simulation(temperament="strict")
    world.work()
    grant = Grant.objects.get(payment=world.payment, kind=GrantKind.OUTGOING_PAYMENT)
    now = world.clock.now()

    def come_back() -> None:
        try:
            if rejects:
                services.record_rejection(grant_id=grant.id, now=now)
            else:
                services.record_approval(
                    grant_id=grant.id, interact_ref="ref", same_browser=True, now=now
                )
        finally:
            connection.close()

    def call_off() -> bool:
        return services.cancel_payment(payment=Payment.objects.get(id=world.payment.id), now=now)

    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            Grant.objects.select_for_update().get(id=grant.id)
            coming = pool.submit(come_back)
            wait_for_waiting(1)
            calling = pool.submit(alone, call_off)
            wait_for_waiting(2)
        coming.result(20)
        assert calling.result(20)

    assert world.payment_now().status == PaymentStatus.CANCELED
