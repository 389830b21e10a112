"""Entries as rows of a table, for accountants and their spreadsheets."""

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from backend.ledger.models import Entry

_AT_ONCE = 2000
# What a spreadsheet takes for a formula, also behind a blank.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class Row(NamedTuple):
    """One entry. `amount` is in the asset's smallest unit, `asset` is code/scale: USD/2."""

    date: str
    reason: str
    account_kind: str
    amount: int
    asset: str
    payment_id: str
    subject_id: str


def entries_of(
    *, owner: UUID | None, since: datetime | None = None, until: datetime | None = None
) -> Iterator[Row]:
    """The entries of a user's accounts (None: of all accounts), in the order they were posted.

    From `since` on and before `until`; None: no limit. Read a part at a time, in whatever length;
    texts are made harmless for spreadsheets.
    """
    entries = Entry.objects.order_by("transfer__seq", "account_id")
    if owner is not None:
        entries = entries.filter(account__owner=owner)
    if since is not None:
        entries = entries.filter(transfer__at__gte=since)
    if until is not None:
        entries = entries.filter(transfer__at__lt=until)
    values = entries.values_list(
        "transfer__at",
        "transfer__reason",
        "account__kind",
        "amount",
        "account__asset_code",
        "account__asset_scale",
        "transfer__payment_id",
        "transfer__subject",
    )
    for at, reason, kind, amount, code, scale, payment, subject in values.iterator(_AT_ONCE):
        yield Row(
            date=at.astimezone(UTC).isoformat(),
            reason=_harmless(reason),
            account_kind=kind,
            amount=amount,
            asset=_harmless(f"{code}/{scale}"),
            payment_id=str(payment or ""),
            subject_id=str(subject or ""),
        )


def as_csv(rows: Iterable[Row]) -> Iterator[str]:
    """The lines of a CSV file (RFC 4180), the names of the columns first."""
    lines = csv.writer(_Lines())
    yield lines.writerow(Row._fields)
    for row in rows:
        yield lines.writerow(row)


class _Lines:
    """A file that gives back each line instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def _harmless(text: str) -> str:
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
