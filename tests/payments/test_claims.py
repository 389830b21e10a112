from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest
from django.db import IntegrityError, connection, transaction

from backend.payments import claims, workflow
from backend.payments.models import HeldGrant, Payment, PaymentTransition
from backend.payments.paying import PaymentRun
from backend.payments.status import PaymentStatus
from tests.simulation.simulator import START, Simulation

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def simulation() -> Simulation:
    return Simulation(temperament="strict")


def claim(simulation: Simulation) -> list[Payment]:
    return claims.claim_due(
        Payment, now=simulation.clock.now(), limit=5, only=simulation.payment.id
    )


def test_a_due_payment_is_claimed_by_one_worker(simulation: Simulation) -> None:
    first, second = claim(simulation), claim(simulation)

    assert len(first) == 1
    assert second == []


def test_a_claim_ends_with_its_lease(simulation: Simulation) -> None:
    (first,) = claim(simulation)
    simulation.clock.advance(61)

    (second,) = claim(simulation)

    assert second.fence == first.fence + 1


def test_a_payment_that_is_not_due_is_left_alone(simulation: Simulation) -> None:
    later = simulation.clock.at + timedelta(seconds=1)
    Payment.objects.filter(id=simulation.payment.id).update(due_at=later)

    assert claim(simulation) == []


def test_a_worker_that_lost_its_claim_writes_nothing(simulation: Simulation) -> None:
    (paused,) = claim(simulation)
    simulation.clock.advance(61)
    claim(simulation)
    before = simulation.payment_now()

    workflow.advance(paused, client=simulation.client, clock=simulation.clock, rng=simulation.rng)

    assert simulation.payment_now().status == before.status
    assert simulation.payment_now().fence == before.fence
    assert simulation.payment_now().lease_until == before.lease_until


def test_while_an_order_is_out_nobody_else_gets_the_payment(simulation: Simulation) -> None:
    if connection.vendor != "postgresql":
        # SQLite keeps no lock around a call: there the lease alone says who works.
        return
    seen: list[list[Payment]] = []

    def look_from_another_connection(request: httpx.Request) -> None:
        if request.method == "POST" and request.url.path.endswith("/outgoing-payments"):
            with ThreadPoolExecutor(1) as pool:
                seen.append(pool.submit(claim_past_the_lease).result())

    def claim_past_the_lease() -> list[Payment]:
        try:
            later = simulation.clock.now() + timedelta(hours=1)
            return claims.claim_due(Payment, now=later, limit=5, only=simulation.payment.id)
        finally:
            connection.close()

    simulation.before_each_call = look_from_another_connection

    assert simulation.run().status is PaymentStatus.COMPLETED
    assert seen == [[]]


def test_a_payment_put_back_is_due_again_after_a_pause(simulation: Simulation) -> None:
    (payment,) = claim(simulation)

    claims.put_back(payment, now=simulation.clock.now())

    assert claim(simulation) == []
    simulation.clock.advance(3)
    assert len(claim(simulation)) == 1


def test_a_bug_in_a_step_does_not_change_the_status(simulation: Simulation) -> None:
    (payment,) = claim(simulation)
    run = PaymentRun(payment, client=simulation.client, clock=simulation.clock, rng=simulation.rng)

    with pytest.raises(ZeroDivisionError), run.commit(debit_value=1):
        raise ZeroDivisionError

    assert simulation.payment_now().debit_value is None
    assert payment.debit_value is None


def test_a_second_open_payment_for_the_same_reference_is_impossible(
    simulation: Simulation,
) -> None:
    twin = simulation.payment_now()
    twin.pk = None

    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save(force_insert=True)


def test_a_payment_cannot_be_completed_without_the_money(simulation: Simulation) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Payment.objects.filter(id=simulation.payment.id).update(status="COMPLETED", due_at=None)


def test_logs_refuse_changes_where_triggers_exist(simulation: Simulation) -> None:
    simulation.work()
    logged = PaymentTransition.objects.filter(payment=simulation.payment)
    if connection.vendor != "postgresql":
        # SQLite has no such trigger: there only the code keeps the log.
        assert logged.exists()
        return

    with pytest.raises(Exception, match="Cannot update or delete"):
        logged.update(new="COMPLETED")
    with pytest.raises(Exception, match="Cannot update or delete"):
        logged.delete()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL plans by what is in a table")
@pytest.mark.parametrize(
    ("model", "index"), [(Payment, "payment_due"), (HeldGrant, "held_grant_due")]
)
def test_what_is_due_is_found_by_its_index(
    model: type[Payment] | type[HeldGrant], index: str
) -> None:
    due = model._default_manager.filter(due_at__lte=START).order_by("due_at")

    assert f"USING INDEX {index}" in due.explain()
