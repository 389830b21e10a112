"""A verdict that cannot fail says nothing: every kind of wrong is seen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.e2e.verdict import Verdict, judge

RECEIVER = "http://wallet.example/1/incoming-payments/a"
OLDER_RECEIVER = "http://wallet.example/1/incoming-payments/b"
PAYMENT = "0190" * 8


@dataclass
class Remembered:
    """A marketplace that is over: what its database and its wallet's ledger held."""

    movements: list[dict[str, Any]]
    discrepancies: list[tuple[str, str]] = field(default_factory=list)
    balance: int = 0

    @property
    def database(self) -> "Remembered":
        return self

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        if "discrepancy" in sql:
            return list(self.discrepancies)
        return [(PAYMENT, RECEIVER), (PAYMENT, OLDER_RECEIVER)]

    def ask_wallet(self, path: str) -> Mapping[str, Any]:
        assert path == "ledger"
        accounts = [{"asset": "USD/2", "balance": self.balance}]
        return {"movements": self.movements, "accounts": accounts}


def moved(kind: str, value: int, receiver: str = RECEIVER) -> dict[str, Any]:
    return {"kind": kind, "value": value, "receiver": receiver}


def verdict_on(world: Remembered, status: str, *, shown: int = 0) -> Verdict:
    payment = {
        "status": status,
        "receiveAmount": {"value": "100"},
        "deliveredAmount": {"value": str(shown)},
    }
    return judge(world, {PAYMENT: payment})


PAID = [moved("hold", 103), moved("deliver", 100), moved("fee", 3)]


def test_a_payment_that_arrived_once_passes() -> None:
    assert verdict_on(Remembered(PAID), "COMPLETED", shown=100).passed


def test_a_payment_that_failed_and_gave_everything_back_passes() -> None:
    world = Remembered([moved("hold", 103), moved("release", 103)])

    assert verdict_on(world, "FAILED").passed


def test_an_explained_debit_passes() -> None:
    world = Remembered([moved("hold", 103)], discrepancies=[(PAYMENT, "PAYER_DEBITED")])

    assert verdict_on(world, "FAILED").passed


@pytest.mark.parametrize(
    ("found", "world", "status", "shown"),
    [
        ("doubled", Remembered([*PAID, *PAID]), "COMPLETED", 100),
        ("doubled", Remembered([*PAID, moved("deliver", 100, OLDER_RECEIVER)]), "COMPLETED", 100),
        ("lost", Remembered([]), "COMPLETED", 100),
        ("lost", Remembered([moved("hold", 51), moved("deliver", 50)]), "COMPLETED", 100),
        ("lost", Remembered(PAID), "FAILED", 0),
        ("lost", Remembered(PAID), "COMPLETED", 99),
        ("lost", Remembered([*PAID, moved("deliver", 1, "http://else")]), "COMPLETED", 100),
        ("stranded", Remembered(PAID), "SENT", 100),
        ("unexplained_debits", Remembered([moved("hold", 103)]), "FAILED", 0),
        ("books", Remembered(PAID, balance=1), "COMPLETED", 100),
    ],
)
def test_everything_that_goes_wrong_is_seen(
    found: str, world: Remembered, status: str, shown: int
) -> None:
    verdict = verdict_on(world, status, shown=shown)

    assert getattr(verdict, found)
    assert not verdict.passed
