"""What is booked of a payment, beside what it delivered."""

import pytest

from backend.ledger import refs
from backend.ledger.bookings import PAYMENT
from backend.reconciliation.rows import not_booked
from tests.ledger.books import USD, a_payee, a_payment, an_escrow, moved

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("booked", [2400, 2600])
def test_a_sum_that_was_booked_wrongly_is_put_right_by_a_transfer_of_its_own_reason(
    booked: int,
) -> None:
    payment, escrow, worker = a_payment(receive=2500), an_escrow(5000), a_payee()
    moved(escrow, worker, booked, reason=PAYMENT, payment=payment)
    (found,) = not_booked([payment])

    moved(escrow, worker, 2500 - booked, reason="CORRECTED", payment=payment)

    assert (found.expected, found.actual) == ("2500 USD/2 booked", f"{booked} booked")
    assert list(not_booked([payment])) == []


def test_what_is_filled_up_or_left_by_rounding_did_not_arrive_anywhere() -> None:
    payment, escrow, worker = a_payment(receive=2500), an_escrow(2400), a_payee()
    kept = refs.fees(USD)
    moved(kept, escrow, 150, reason="ESCROW_SHORT", payment=payment)
    moved(escrow, worker, 2500, reason=PAYMENT, payment=payment)
    moved(escrow, kept, 50, reason="ROUNDING", payment=payment)

    assert list(not_booked([payment])) == []
