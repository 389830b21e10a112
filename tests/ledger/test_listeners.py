"""A payment that ends is in the books in the same commit, and the books say what wallets say."""

from typing import Any

import pytest
from django.conf import LazySettings

from backend.ledger import refs
from backend.ledger.models import Transfer
from backend.payments.signals import payment_ended
from backend.payments.status import PaymentStatus
from tests.ledger.books import USD, balance
from tests.simulation.simulator import BASE_URL, Simulation

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _platform(settings: LazySettings) -> None:
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"


def test_a_funding_that_was_paid_is_booked_with_what_it_cost() -> None:
    world = Simulation(temperament="strict", options={"fees": {"bps": 100, "fixed": 25}})

    verdict = world.run()

    payment = world.payment_now()
    assert (verdict.problems, verdict.booked) == ([], 2500)
    transfer = Transfer.objects.get(payment=payment)
    assert transfer.at == payment.updated_at
    assert balance(refs.payer(world.payer.id, USD)) == -2550
    assert balance(refs.wallet_cost(USD)) == 50


def test_the_payer_of_another_asset_is_booked_in_theirs() -> None:
    world = Simulation(temperament="strict", payer_wallet="carmen")

    verdict = world.run()

    payment = world.payment_now()
    assert (verdict.problems, verdict.booked) == ([], 2500)
    assert payment.debit_value is not None and payment.sender.asset != USD
    assert balance(refs.payer(world.payer.id, payment.sender.asset)) == -payment.debit_value


def test_a_part_that_arrived_is_booked_though_the_payment_failed() -> None:
    world = Simulation(temperament="strict")
    world.fault(call="create-outgoing-payment", act="partial_delivery", value=700)

    verdict = world.run()

    assert verdict.status is PaymentStatus.FAILED
    assert (verdict.problems, verdict.booked) == ([], 700)


def test_a_declined_payment_leaves_no_trace() -> None:
    world = Simulation(temperament="strict")
    world.approve = False

    assert world.run().problems == []

    assert not Transfer.objects.exists()


def test_an_end_that_is_rolled_back_takes_its_booking_with_it() -> None:
    world = Simulation(temperament="strict")
    booked_then: list[int] = []

    def refuse(**_: Any) -> None:
        booked_then.append(Transfer.objects.count())
        raise RuntimeError("the disk is full")

    payment_ended.connect(refuse)
    try:
        with pytest.raises(RuntimeError):
            world.run()
    finally:
        payment_ended.disconnect(refuse)
    assert (booked_then, Transfer.objects.count()) == ([1], 0)

    verdict = world.run()

    assert (verdict.problems, verdict.booked) == ([], 2500)
    assert Transfer.objects.get().seq == 1
