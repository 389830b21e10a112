"""The wallet's ledger against what the API says: was anybody paid twice, or not at all?

The wallet writes its ledger before any fault acts, so a lost answer cannot lose evidence. Older
attempts and discrepancies are not in the API; those two come from the database.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from tests.e2e.people import TERMINAL

_RECEIVERS = """
SELECT CAST(payment_id AS TEXT), incoming_payment_url FROM payments_attempt
WHERE incoming_payment_url <> ''
"""
_DISCREPANCIES = "SELECT CAST(payment_id AS TEXT), kind FROM payments_discrepancy"


@dataclass(kw_only=True)
class Verdict:
    """What went wrong, as lists of sentences; all of them empty is a pass."""

    doubled: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    stranded: list[str] = field(default_factory=list)
    unexplained_debits: list[str] = field(default_factory=list)
    books: list[str] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    discrepancies: dict[str, int] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether nothing went wrong."""
        return not (
            self.doubled or self.lost or self.stranded or self.unexplained_debits or self.books
        )

    def figures(self) -> dict[str, Any]:
        """Counts instead of empty lists, for one line of JSON."""
        return {name: value or 0 for name, value in asdict(self).items()}


class Rows(Protocol):
    """Something that answers SQL."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]: ...


class Evidence(Protocol):
    """Where the verdict looks: a marketplace, or what is remembered of one."""

    @property
    def database(self) -> Rows: ...

    def ask_wallet(self, path: str) -> Mapping[str, Any]: ...


def judge(market: Evidence, payments: Mapping[str, Mapping[str, Any]]) -> Verdict:
    """Compare; `payments` is what the API shows of each payment, under its bare UUID."""
    ledger = market.ask_wallet("ledger")
    receivers: dict[str, set[str]] = {}
    for payment_id, url in market.database.rows(_RECEIVERS):
        receivers.setdefault(_bare(payment_id), set()).add(url)
    noted = [(_bare(id), kind) for id, kind in market.database.rows(_DISCREPANCIES)]
    verdict = Verdict(
        statuses=dict(Counter(payment["status"] for payment in payments.values())),
        discrepancies=dict(Counter(kind for _, kind in noted)),
    )
    delivered = _sums(ledger, "deliver", "receiver")
    for payment_id, payment in payments.items():
        arrived = sum(delivered.pop(url, 0) for url in receivers.get(payment_id, ()))
        _judge_payment(verdict, payment_id, payment, arrived)
    for url, value in delivered.items():
        verdict.lost.append(f"{value} arrived at {url}, which belongs to no payment")
    explained = {id for id, kind in noted if kind in {"PAYER_DEBITED", "PARTIALLY_DELIVERED"}}
    _judge_debits(verdict, ledger, receivers, explained)
    for asset, balance in _balances(ledger["accounts"]).items():
        if balance:
            verdict.books.append(f"the wallet's {asset} accounts sum up to {balance}")
    return verdict


def _judge_payment(
    verdict: Verdict, payment_id: str, payment: Mapping[str, Any], arrived: int
) -> None:
    wanted, status = int(payment["receiveAmount"]["value"]), payment["status"]
    story = f"payment {payment_id} is {status}, {arrived} of {wanted} arrived"
    if arrived > wanted:
        verdict.doubled.append(story)
    if status not in TERMINAL:
        verdict.stranded.append(story)
    elif (status == "COMPLETED") != (arrived >= wanted):
        verdict.lost.append(story)
    if status == "COMPLETED" and int(payment["deliveredAmount"]["value"]) != wanted:
        verdict.lost.append(f"payment {payment_id} says that {payment['deliveredAmount']} arrived")


def _judge_debits(
    verdict: Verdict,
    ledger: Mapping[str, Any],
    receivers: Mapping[str, Iterable[str]],
    explained: set[str],
) -> None:
    payment_of = {url: id for id, urls in receivers.items() for url in urls}
    debited = _sums(ledger, "hold", "receiver")
    for url, value in _sums(ledger, "release", "receiver").items():
        debited[url] -= value
    delivered = _sums(ledger, "deliver", "receiver")
    for url, value in debited.items():
        if value > 0 and not delivered.get(url) and payment_of.get(url) not in explained:
            verdict.unexplained_debits.append(f"{value} was taken for {url}, which got nothing")


def _sums(ledger: Mapping[str, Any], kind: str, by: str) -> dict[str, int]:
    sums: dict[str, int] = {}
    for movement in ledger["movements"]:
        if movement["kind"] == kind:
            sums[movement[by]] = sums.get(movement[by], 0) + int(movement["value"])
    return sums


def _balances(accounts: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for account in accounts:
        sums[account["asset"]] = sums.get(account["asset"], 0) + int(account["balance"])
    return sums


def _bare(payment_id: str) -> str:
    # PostgreSQL writes UUIDs with dashes, SQLite keeps them without.
    return payment_id.replace("-", "")
