"""Entries as rows of a table, for accountants and their spreadsheets."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q

from backend.ledger.models import Entry

_AT_ONCE = 2000
# What a spreadsheet takes for a formula, also behind a blank.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class Row(NamedTuple):
    """One entry. `amount` is in the asset's smallest unit, `asset` is code/scale: USD/2.

    The rows of one `transfer` come to zero in every asset; `owner_id` is whose account it is.
    """

    date: str
    reason: str
    account_kind: str
    amount: int
    asset: str
    payment_id: str
    subject_id: str
    owner_id: str
    transfer: int


class Place(NamedTuple):
    """Behind which entry the next part begins."""

    seq: int
    account_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The entries of a user's accounts (`owner` None: of all accounts).

    From `since` on and before `until`; None: no limit.
    """

    owner: UUID | None
    since: datetime | None = None
    until: datetime | None = None


def part_of(selection: Selection, *, after: Place | None = None) -> tuple[list[Row], Place | None]:
    """The next entries, and the place behind them; None: there are no more.

    Each part is a query of its own, so nothing is held between two of them, however slowly
    somebody reads. Entries are never changed and only added behind the others, so the parts
    together are what one query would have brought. Texts are made harmless for spreadsheets.
    """
    entries = Entry.objects.order_by("transfer__seq", "account_id")
    if selection.owner is not None:
        entries = entries.filter(account__owner=selection.owner)
    if selection.since is not None:
        entries = entries.filter(transfer__at__gte=selection.since)
    if selection.until is not None:
        entries = entries.filter(transfer__at__lt=selection.until)
    if after is not None:
        behind = Q(transfer__seq__gt=after.seq) | Q(account_id__gt=after.account_id)
        entries = entries.filter(behind, transfer__seq__gte=after.seq)
    values = list(
        entries.values_list(
            "transfer__at",
            "transfer__reason",
            "account__kind",
            "amount",
            "account__asset_code",
            "account__asset_scale",
            "transfer__payment_id",
            "transfer__subject",
            "account__owner",
            "transfer__seq",
            "account_id",
        )[:_AT_ONCE]
    )
    rows = [
        Row(
            date=at.astimezone(UTC).isoformat(),
            reason=_harmless(reason),
            account_kind=kind,
            amount=amount,
            asset=_harmless(f"{code}/{scale}"),
            payment_id=str(payment or ""),
            subject_id=str(subject or ""),
            owner_id=str(owner or ""),
            transfer=seq,
        )
        for at, reason, kind, amount, code, scale, payment, subject, owner, seq, _ in values
    ]
    is_last = len(values) < _AT_ONCE
    return rows, None if is_last else Place(values[-1][-2], values[-1][-1])


def lines_of(rows: Iterable[Row]) -> Iterator[str]:
    """The lines of a CSV file without the first."""
    lines = csv.writer(_Lines())
    for row in rows:
        yield lines.writerow(row)


class _Lines:
    """A file that gives back each line instead of keeping it."""

    def write(self, line: str) -> str:
        return line


HEAD: str = csv.writer(_Lines()).writerow(Row._fields)


def _harmless(text: str) -> str:
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
