"""What wallets say after a restored backup is taken up only where it can be booked."""

from types import SimpleNamespace
from typing import Any

import pytest

from backend.open_payments.types import Amount
from backend.payments.lists import MAX_PAGES, HasNoEnd, pages
from backend.payments.lookup import _can_be_booked
from backend.payments.models import Grant
from backend.payments.paying import PaymentRun
from tests.simulation.simulator import Simulation

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("value", "code", "scale", "expected"),
    [
        (1250, "USD", 2, True),
        (2**63 - 1, "USD", 2, True),
        (2**63, "USD", 2, False),
        (0, "USD", 2, False),
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


class Endless:
    """A list of which every page has a next one."""

    def follow(self, page: Any) -> "Endless":
        return self


def test_what_was_not_read_of_a_list_without_end_is_not_taken_for_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = Simulation(temperament="strict")
    run = PaymentRun(world.payment, client=world.client, clock=world.clock, rng=world.rng)
    item = SimpleNamespace(created_at=world.clock.now())
    monkeypatch.setattr(run, "ask", lambda *_, **__: SimpleNamespace(items=[item]))

    read = pages(run, Grant(), Endless(), since=world.clock.now())

    assert [len(next(read)) for _ in range(MAX_PAGES)] == [1] * MAX_PAGES
    with pytest.raises(HasNoEnd):
        next(read)
