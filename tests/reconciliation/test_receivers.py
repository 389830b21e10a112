"""What receivers' wallets show, in the ways in which they show it."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from backend.payments.models import Attempt, Discrepancy
from backend.payments.status import PaymentStatus
from backend.reconciliation.findings import Kind, Report
from backend.reconciliation.reconciling import reconcile
from tests.payments.test_lies import let_lie
from tests.simulation.simulator import Simulation

pytestmark = pytest.mark.django_db(transaction=True)


def run(simulation: Simulation) -> Report:
    return reconcile(now=simulation.clock.now(), client=simulation.client)


def test_a_dead_attempts_receiver_that_its_wallet_forgot_does_not_hide_the_living_ones() -> None:
    simulation = Simulation(temperament="strict", options={"closes_receiver": False})
    simulation.fault(call="create-outgoing-payment", when="before", act="reset", times=1)
    # Nobody can be asked what became of the order.
    simulation.fault(call="list-outgoing-payments", act="status_500_text", times=100)
    assert simulation.run().status is PaymentStatus.COMPLETED
    dead, living = Attempt.objects.filter(payment=simulation.payment).order_by("number")
    simulation.clock.at += timedelta(days=2)
    assert dead.incoming_payment_url != living.incoming_payment_url

    clean = run(simulation)
    wallets = simulation.world.bank.db
    wallets.execute("UPDATE incoming SET received_value = 2400 WHERE received_value = 2500")
    robbed = run(simulation)

    assert (clean.checked["receivers"], dict(clean.found)) == (1, {})
    assert dict(robbed.found) == {Kind.DELIVERED_LESS: 1}


def test_a_wallet_that_shows_no_sum_to_everybody_is_not_seen_to_have_received_nothing() -> None:
    simulation = Simulation(temperament="strict", options={"public_shows_received": False})
    assert simulation.run().status is PaymentStatus.COMPLETED

    report = run(simulation)

    assert dict(report.found) == {}
    assert report.skipped[Kind.DELIVERED_LESS] == 1


@pytest.mark.parametrize(
    ("shown", "kinds"),
    [
        ("http://sandbox.example/auth/north", []),
        # Rafiki joins its address and the tenant differently here and in a wallet's document.
        ("http://sandbox.example//auth//north/", []),
        ("http://sandbox.example/", []),
        ("http://sandbox.example/auth/sur", [Kind.OTHER_WALLET]),
        ("http://elsewhere.example/auth/north", [Kind.OTHER_WALLET]),
    ],
)
def test_one_authorization_server_may_be_spelled_in_several_ways(
    shown: str, kinds: list[Kind]
) -> None:
    simulation = Simulation(temperament="strict")
    assert simulation.run().status is PaymentStatus.COMPLETED

    def spell(request: httpx.Request, body: dict[str, Any]) -> None:
        if "authServer" in body and "receivedAmount" in body:
            body["authServer"] = shown

    let_lie(simulation, spell)
    run(simulation)

    assert [each.kind for each in Discrepancy.objects.all()] == kinds
