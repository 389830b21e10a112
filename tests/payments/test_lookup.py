"""What wallets say after a restored backup is taken up only where it can be booked."""

import pytest

from backend.open_payments.types import Amount
from backend.payments.lookup import _can_be_booked
from backend.payments.paying import PaymentRun
from tests.simulation.simulator import Simulation

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("value", "code", "scale", "expected"),
    [
        (1250, "USD", 2, True),
        (2**63 - 1, "USD", 2, True),
        (2**63, "USD", 2, False),
        (1250, "EUR", 2, False),
        (1250, "USD", 9, False),
    ],
)
def test_a_sum_that_is_foreign_or_too_large_waits_for_a_person(
    value: int, code: str, scale: int, expected: bool
) -> None:
    world = Simulation(temperament="strict")
    run = PaymentRun(world.payment, client=world.client, clock=world.clock, rng=world.rng)

    said = Amount(value=value, asset_code=code, asset_scale=scale)

    assert _can_be_booked(run, said, None) is expected
