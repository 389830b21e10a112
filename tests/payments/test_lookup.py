"""What wallets say after a restored backup is taken up only where it can be booked."""

from types import SimpleNamespace
from typing import Any

import pytest

from backend.open_payments.types import Amount
from backend.payments import standstill
from backend.payments.errors import WALLET_UNAVAILABLE
from backend.payments.lists import MAX_PAGES, HasNoEnd, pages
from backend.payments.lookup import _can_be_booked
from backend.payments.models import Grant
from backend.payments.paying import PaymentRun
from backend.payments.resolving import is_for_operators
from backend.payments.status import TERMINAL, PaymentStatus
from tests.simulation.restoring import backup, restore
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


def refuse(world: Simulation, call: str) -> None:
    """Have the wallets refuse every token of this call, however fresh."""
    challenge = {"www-authenticate": 'GNAP as_uri="https://auth.example"'}
    world.fault(
        call=call, when="before", act="status", status=401, headers=challenge, times=1_000_000
    )


def marked(world: Simulation) -> None:
    standstill.mark_all(since=world.clock.now(), now=world.clock.now())
    world.clock.advance(1)


def past_the_deadline(world: Simulation, *, rounds: int = 40) -> None:
    for _ in range(rounds):
        if not world.work():
            world._wait()
    assert world.clock.now() > world.payment.deadline_at


def test_a_wallet_that_refuses_every_fresh_token_calls_a_person_and_is_asked_again() -> None:
    world = Simulation(temperament="strict")
    marked(world)
    refuse(world, "list-incoming-payments")

    past_the_deadline(world)

    payment = world.payment_now()
    assert payment.status == PaymentStatus.CREATED
    assert is_for_operators(payment, now=world.clock.now())
    world._control("DELETE", "faults")
    world._wait()
    world.work()
    assert world.payment_now().look_up_since is None


def test_before_the_look_up_a_refused_price_never_says_that_nothing_was_charged() -> None:
    world = Simulation(temperament="strict", payer_wallet="bob")
    rows = backup(at=world.clock.now())
    world.run()
    world.clock.advance(120)
    restore(rows)
    assert standstill.notice(now=world.clock.now())
    world.clock.advance(1)
    refuse(world, "create-quote")

    for _ in range(5):
        if not world.work():
            world._wait()

    payment = world.payment_now()
    assert payment.status not in TERMINAL
    assert is_for_operators(payment, now=world.clock.now())


def test_a_payment_whose_wallet_refuses_every_token_fails_at_its_deadline() -> None:
    world = Simulation(temperament="strict")
    refuse(world, "create-incoming-payment")

    past_the_deadline(world)

    payment = world.payment_now()
    assert (payment.status, payment.failure_code) == (
        PaymentStatus.FAILED,
        WALLET_UNAVAILABLE.code,
    )
