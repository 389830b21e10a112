"""What payments and promises look like in the books."""

from typing import Any

import pytest

from backend.accounts.models import Asset
from backend.ids import new_id
from backend.ledger import refs
from backend.ledger.bookings import (
    book_direct_payment,
    book_payment,
    debited_value,
    promise,
    release_promise,
)
from backend.ledger.errors import AlreadyPosted, Overdrawn
from backend.ledger.models import Transfer
from backend.open_payments.types import Amount
from backend.payments.models import Payment
from backend.payments.status import PaymentStatus
from tests.jobs.people import NOON
from tests.ledger.books import USD, a_payment, an_escrow, balance

pytestmark = pytest.mark.django_db
MXN = Asset("MXN", 2)


def lines_of(transfer: Transfer | None) -> dict[str, int]:
    """What a transfer did, by account kind and asset."""
    assert transfer is not None
    return {
        f"{entry.account.kind} {entry.account.asset_code}": entry.amount
        for entry in transfer.entries.select_related("account")
    }


def test_a_payment_books_what_left_what_arrived_and_what_wallets_kept() -> None:
    payment = a_payment(receive=2500, debit=2550)

    transfer = book_direct_payment(payment, at=NOON)

    assert lines_of(transfer) == {"PAYER USD": -2550, "SELLER USD": 2500, "WALLET_COST USD": 50}
    assert transfer is not None and transfer.payment == payment
    assert balance(refs.payer(payment.payer_id, USD)) == -2550
    assert balance(refs.seller(payment.receiver_id, USD)) == 2500


def test_a_payment_without_cost_has_two_lines() -> None:
    transfer = book_direct_payment(a_payment(receive=2500, debit=2500), at=NOON)

    assert lines_of(transfer) == {"PAYER USD": -2500, "SELLER USD": 2500}


def test_between_two_assets_each_of_them_balances_through_the_exchange() -> None:
    payment = a_payment(sends="USD", receives="MXN", debit=1500, receive=25_000)

    transfer = book_direct_payment(payment, at=NOON)

    assert transfer is not None
    pair = {"source": USD, "target": MXN}
    assert dict(transfer.entries.values_list("account_id", "amount")) == {
        refs.payer(payment.payer_id, USD).id: -1500,
        refs.exchange(USD, **pair).id: 1500,
        refs.exchange(MXN, **pair).id: -25_000,
        refs.seller(payment.receiver_id, MXN).id: 25_000,
    }


def test_each_direction_of_an_exchange_has_accounts_of_its_own() -> None:
    there, back = (
        refs.exchange(USD, source=USD, target=MXN),
        refs.exchange(USD, source=MXN, target=USD),
    )

    assert there.id != back.id


@pytest.mark.parametrize(
    ("delivered", "debited"), [(700, 714), (1, 2), (2499, 2549), (2500, 2550), (0, 0)]
)
def test_a_part_costs_its_part_of_the_quote_rounded_up(delivered: int, debited: int) -> None:
    payment = a_payment(status=PaymentStatus.FAILED, delivered=delivered)

    assert debited_value(payment) == debited


def test_a_part_that_arrived_is_booked_as_that() -> None:
    payment = a_payment(status=PaymentStatus.FAILED, delivered=700)

    transfer = book_direct_payment(payment, at=NOON)

    assert lines_of(transfer) == {"PAYER USD": -714, "SELLER USD": 700, "WALLET_COST USD": 14}


@pytest.mark.parametrize("debit", [None, 2550])
def test_where_nothing_arrived_nothing_is_booked(debit: int | None) -> None:
    payment = a_payment(status=PaymentStatus.FAILED, delivered=0, debit=debit)

    assert book_direct_payment(payment, at=NOON) is None
    assert not Transfer.objects.exists()


def test_more_than_was_sent_is_booked_as_arrived_all_the_same() -> None:
    transfer = book_direct_payment(a_payment(debit=2500, receive=2500, delivered=2600), at=NOON)

    assert lines_of(transfer) == {"PAYER USD": -2500, "SELLER USD": 2600, "WALLET_COST USD": -100}


def test_a_payment_is_booked_once() -> None:
    payment = a_payment()

    first = book_direct_payment(payment, at=NOON)

    assert book_direct_payment(payment, at=NOON) == first
    payment.delivered_value += 1
    with pytest.raises(AlreadyPosted):
        book_direct_payment(payment, at=NOON)


# --- money that the platform holds


def paid_out(payment: Payment, *, source: refs.AccountRef, **bearer: Any) -> Transfer | None:
    destination = refs.payee(new_id(), Asset(payment.receive_asset_code, 2))
    return book_payment(payment, source=source, destination=destination, at=NOON, **bearer)


def test_who_bears_the_cost_leaves_the_escrow_exact() -> None:
    escrow = an_escrow(2500)

    transfer = paid_out(a_payment(), source=escrow, cost_bearer=refs.fees(USD))

    assert lines_of(transfer) == {
        "ESCROW USD": -2500,
        "PAYEE USD": 2500,
        "FEES USD": -50,
        "WALLET_COST USD": 50,
    }
    assert balance(escrow) == 0


def test_without_a_bearer_the_escrow_bears_the_cost_if_it_can() -> None:
    with pytest.raises(Overdrawn):
        paid_out(a_payment(), source=an_escrow(2549))

    transfer = paid_out(a_payment(), source=an_escrow(2550))

    assert lines_of(transfer) == {"ESCROW USD": -2550, "PAYEE USD": 2500, "WALLET_COST USD": 50}


def test_nobody_bears_a_cost_that_the_rate_hides() -> None:
    payment = a_payment(sends="USD", receives="MXN", debit=1500, receive=25_000)

    with pytest.raises(ValueError, match="Between two assets"):
        paid_out(payment, source=an_escrow(1500), cost_bearer=refs.fees(USD))


# --- promises


def test_a_promise_stands_on_both_sides_until_it_is_released() -> None:
    payer, worker, allocation = new_id(), new_id(), new_id()
    sides: dict[str, Any] = {
        "payer_id": payer,
        "worker_id": worker,
        "allocation_id": allocation,
        "at": NOON,
    }

    def usd(value: int) -> Amount:
        return Amount(value=value, asset_code="USD", asset_scale=2)

    def standing() -> tuple[int, int]:
        given, received = refs.promises_given(payer, USD), refs.promises_received(worker, USD)
        return balance(given), balance(received)

    first = promise(amount=usd(1000), suffix="1", **sides)
    assert standing() == (-1000, 1000)
    assert promise(amount=usd(1000), suffix="1", **sides) == first
    assert standing() == (-1000, 1000)

    release_promise(amount=usd(400), suffix="paid", **sides)
    release_promise(amount=usd(400), suffix="paid", **sides)
    assert standing() == (-600, 600)
    with pytest.raises(AlreadyPosted):
        release_promise(amount=usd(600), suffix="paid", **sides)
    release_promise(amount=usd(600), suffix="rest", **sides)
    assert standing() == (0, 0)
