"""How much of a grant is used up: reserved when a payment is created, per interval.

As in Rafiki a failed payment gives its whole reservation back, even after sending a part, and
a completed one corrects only the receive side.
"""

import sqlite3
from dataclasses import dataclass

from sandbox_wallet.access import Limits
from sandbox_wallet.bank import Bank
from sandbox_wallet.money import Amount, Asset
from sandbox_wallet.wire import resource_refusal

# A grant whose payments were received in several assets has no received total.
_MIXED = ""  # also written by `reserve`


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a grant has paid in one period; `receive` None is unknown."""

    debit: Amount
    receive: Amount | None


def period_of(limits: Limits, now: int) -> int | None:
    """Return the start of the current period, 0 without an interval, None outside of all."""
    if limits.interval is None:
        return 0
    period = limits.interval.period_at(now)
    return None if period is None else period[0]


def spent_in(bank: Bank, grant_id: str, period: int, asset: Asset, limits: Limits) -> Spent:
    """Return what a grant has reserved in a period, in the sender's `asset`."""
    row = bank.db.execute(
        "SELECT * FROM spending WHERE grant_id = ? AND period = ?", (grant_id, period)
    ).fetchone()
    if row is None:
        receive = None if limits.receive is None else Amount(0, limits.receive.asset)
        return Spent(debit=Amount(0, asset), receive=receive)
    mixed = row["receive_asset"] == _MIXED
    return Spent(
        debit=Amount(row["debit_value"], asset),
        receive=None if mixed else Amount(row["receive_value"], Asset.parse(row["receive_asset"])),
    )


def reserve(
    bank: Bank,
    *,
    grant_id: str,
    limits: Limits,
    receiver: str,
    debit: Amount,
    receive: Amount,
    now: int,
) -> tuple[int, Spent]:
    """Count a new payment against its grant; return its period and what was spent before it.

    Raises:
        Refusal: the grant does not allow this payment.
    """
    period = period_of(limits, now)
    if period is None and bank.options.grant_limits:
        raise resource_refusal(403, "unauthorized")
    period = period or 0
    before = spent_in(bank, grant_id, period, debit.asset, limits)
    if bank.options.grant_limits and not _allows(limits, receiver, debit, receive, before):
        raise resource_refusal(403, "unauthorized")
    bank.db.execute(
        "INSERT INTO spending (grant_id, period, debit_value, receive_value, receive_asset)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT (grant_id, period) DO UPDATE SET"
        " debit_value = debit_value + excluded.debit_value,"
        " receive_value = receive_value + excluded.receive_value, receive_asset ="
        " CASE receive_asset WHEN excluded.receive_asset THEN receive_asset ELSE '' END",
        (grant_id, period, debit.value, receive.value, str(receive.asset)),
    )
    return period, before


def _allows(limits: Limits, receiver: str, debit: Amount, receive: Amount, before: Spent) -> bool:
    if limits.receiver is not None and limits.receiver != receiver:
        return False
    if limits.debit is not None and not _fits(limits.debit, debit, before.debit.value):
        return False
    if limits.receive is None:
        return True
    used = before.receive.value if before.receive is not None else limits.receive.value
    return _fits(limits.receive, receive, used)


def _fits(limit: Amount, amount: Amount, used: int) -> bool:
    return limit.asset == amount.asset and used + amount.value <= limit.value


def give_back(bank: Bank, payment: sqlite3.Row, *, debit: int, receive: int) -> None:
    """Take a part of a payment's reservation off its grant again."""
    bank.db.execute(
        "UPDATE spending SET debit_value = debit_value - ?, receive_value = receive_value - ?"
        " WHERE grant_id = ? AND period = ?",
        (debit, receive, payment["grant_id"], payment["period"]),
    )
