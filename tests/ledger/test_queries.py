"""What the books tell their people."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.ids import new_id
from backend.ledger import refs
from backend.ledger.bookings import book_payment, promise
from backend.ledger.queries import Money, balances, my_money
from backend.open_payments.types import Amount
from tests.jobs.people import NOON, a_person
from tests.ledger.books import EUR, USD, a_payee, a_payer, a_payment, moved

pytestmark = pytest.mark.django_db


def money(code: str = "USD", **values: Any) -> Money:
    nothing = {"earned": 0, "spent": 0, "promised_to_me": 0, "promised_by_me": 0, "held": 0}
    return Money(asset_code=code, asset_scale=2, **{**nothing, **values})


def test_somebody_sees_what_is_theirs_by_asset_in_one_statement() -> None:
    me, other = a_person(), a_person()
    moved(a_payer(USD), refs.payee(me.id, USD), 700)
    moved(refs.payer(me.id, EUR), a_payee(EUR), 90)
    for number in range(2):
        moved(refs.payer(me.id, USD), refs.escrow(me.id, new_id(), USD), 100 + number)
    for payer, worker, value in ((me, other, 30), (other, me, 44)):
        promise(
            payer_id=payer.id,
            worker_id=worker.id,
            amount=Amount(value=value, asset_code="USD", asset_scale=2),
            allocation_id=new_id(),
            suffix="1",
            at=NOON,
        )

    with CaptureQueriesContext(
        connection,
    ) as statements:
        mine = my_money(me)

    assert len(statements) == 1
    assert mine == [
        money("EUR", spent=90),
        money(earned=700, spent=201, promised_to_me=44, promised_by_me=30, held=201),
    ]
    assert my_money(other) == [money(promised_to_me=30, promised_by_me=44)]
    assert my_money(a_person()) == []


def test_what_is_refunded_is_no_longer_spent_or_held() -> None:
    me = a_person()
    mine, escrow = refs.payer(me.id, USD), refs.escrow(me.id, new_id(), USD)
    moved(mine, escrow, 1000)
    paid = a_payment(receive=300, debit=310)
    bearer = refs.fees(USD)
    book_payment(paid, source=escrow, destination=a_payee(), at=NOON, cost_bearer=bearer)
    moved(escrow, mine, 700)

    assert my_money(me) == [money(spent=300)]


def test_balances_are_by_account() -> None:
    me, funding = a_person(), new_id()
    moved(refs.payer(me.id, USD), refs.escrow(me.id, funding, USD), 5)

    assert [(each.kind, each.subject, each.balance) for each in balances(owner=me.id)] == [
        ("ESCROW", funding, 5),
        ("PAYER", None, -5),
    ]
