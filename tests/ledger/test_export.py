"""Rows for accountants: complete, in order, a part at a time, and no formulas."""

import csv
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection

from backend.accounts.models import Asset
from backend.ids import new_id
from backend.ledger import export, refs
from backend.ledger.models import Entry
from tests.jobs.people import NOON
from tests.ledger.books import USD, a_payee, a_payer, a_payment, moved

pytestmark = pytest.mark.django_db


def day(number: int) -> tuple[str]:
    return (f"2026-06-{number:02}T12:00:00+00:00",)


def entries_of(
    *, owner: UUID | None, since: datetime | None = None, until: datetime | None = None
) -> Iterator[export.Row]:
    """All parts, one after the other."""
    selection = export.Selection(owner=owner, since=since, until=until)
    rows, place = export.part_of(selection)
    yield from rows
    while place is not None:
        rows, place = export.part_of(selection, after=place)
        yield from rows


def test_a_person_gets_their_entries_in_the_order_they_were_posted() -> None:
    me, payment, subject = new_id(), a_payment(), new_id()
    moved(refs.payer(me, USD), a_payee(), 5, payment=payment, reason="PAYMENT")
    moved(a_payer(), a_payee(), 6)
    moved(a_payer(), refs.payee(me, USD), 7, subject=subject, at=NOON + timedelta(days=1))

    rows = list(entries_of(owner=me))

    assert rows == [
        (*day(1), "PAYMENT", "PAYER", -5, "USD/2", str(payment.id), "", str(me), 1),
        (*day(2), "TEST", "PAYEE", 7, "USD/2", "", str(subject), str(me), 3),
    ]
    assert len(list(entries_of(owner=None))) == Entry.objects.count() == 6


def test_since_is_included_and_until_is_not() -> None:
    me = new_id()
    for day in range(4):
        moved(refs.payer(me, USD), a_payee(), 10 + day, at=NOON + timedelta(days=day))

    rows = entries_of(owner=me, since=NOON + timedelta(days=1), until=NOON + timedelta(days=3))

    assert [row.amount for row in rows] == [-11, -12]


def test_csv_has_a_head_and_numbers_stay_numbers() -> None:
    me = new_id()
    moved(refs.payer(me, USD), a_payee(), 5)

    (line,) = export.lines_of(entries_of(owner=me))

    head = "date,reason,account_kind,amount,asset,payment_id,subject_id,owner_id,transfer\r\n"
    assert head == export.HEAD
    assert line == f"2026-06-01T12:00:00+00:00,TEST,PAYER,-5,USD/2,,,{me},1\r\n"


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", '=HYPERLINK("http://x","y")'],
)
def test_no_text_is_a_formula(text: str) -> None:
    me, asset = new_id(), Asset(text[:30], 2)
    moved(refs.payer(me, asset), a_payee(asset), 5, reason=text)

    (line,) = export.lines_of(entries_of(owner=me))

    cells = next(csv.reader([line]))
    assert cells[1] == f"'{text}"
    assert cells[4] == f"'{text[:30]}/2"
    assert cells[3] == "-5"


def test_a_long_export_is_read_a_part_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_AT_ONCE", 2)
    for _ in range(5):
        moved(a_payer(), a_payee(), 5)

    rows = entries_of(owner=None)

    assert next(rows).amount in (-5, 5)
    moved(a_payer(), a_payee(), 5)
    assert len(list(rows)) >= 9
    assert connection.connection is not None
