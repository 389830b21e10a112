"""Money in, out and held for each day and asset: from the books, and only from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db.models import F, Q, Sum
from django.db.models.functions import TruncDate

from backend.accounts.models import Asset
from backend.ledger.kinds import AccountKind
from backend.ledger.models import Account, Entry
from backend.money import number_of

DAYS = 30
ARRIVES_IN = (
    AccountKind.PAYEE,
    AccountKind.SELLER,
    AccountKind.PLATFORM_FEE,
    # What comes back to a payer.
    AccountKind.PAYER,
)
SHOWN_KINDS = (*ARRIVES_IN, AccountKind.ESCROW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What moved on a day (UTC), and what the platform held when it ended; in smallest units."""

    day: date
    came_in: int
    went_out: int
    held: int


@dataclass(frozen=True, slots=True)
class Flow:
    """The days of one asset, oldest first, without a gap."""

    asset: Asset
    days: list[Day]

    def written(self, value: int) -> str:
        """A sum in this asset, to be read."""
        return f"{number_of(value, self.asset.scale)} {self.asset.code}"


def flows(*, now: datetime, days: int = DAYS) -> list[Flow]:
    """Each asset that moved in the last `days` days or is held, by name.

    In is what left payers' own wallets; out is what arrived at workers, sellers, the platform, or
    back at payers; held is what is in escrow.
    """
    today = now.astimezone(UTC).date()
    calendar = [today - timedelta(days=back) for back in reversed(range(days))]
    moved = _moved(since=datetime.combine(calendar[0], datetime.min.time(), tzinfo=UTC))
    held = _held()
    return [
        Flow(asset, list(_days(calendar, moved[asset], held.get(asset, 0))))
        for asset in sorted({*moved, *held})
    ]


_Sums = dict[date, tuple[int, int, int]]


def _moved(*, since: datetime) -> defaultdict[Asset, _Sums]:
    rows = (
        Entry.objects.filter(transfer__at__gte=since, account__kind__in=SHOWN_KINDS)
        .values(
            code=F("account__asset_code"),
            scale=F("account__asset_scale"),
            day=TruncDate("transfer__at", tzinfo=UTC),
        )
        .annotate(
            came_in=Sum(
                "amount", default=0, filter=Q(account__kind=AccountKind.PAYER, amount__lt=0)
            ),
            went_out=Sum("amount", default=0, filter=Q(account__kind__in=ARRIVES_IN, amount__gt=0)),
            kept=Sum("amount", default=0, filter=Q(account__kind=AccountKind.ESCROW)),
        )
    )
    moved: defaultdict[Asset, _Sums] = defaultdict(dict)
    for row in rows:
        sums = (-int(row["came_in"]), int(row["went_out"]), int(row["kept"]))
        moved[Asset(row["code"], row["scale"])][row["day"]] = sums
    return moved


def _held() -> dict[Asset, int]:
    rows = Account.objects.filter(kind=AccountKind.ESCROW).values_list("asset_code", "asset_scale")
    sums = rows.annotate(held=Sum("balance"))
    return {Asset(code, scale): int(held) for code, scale, held in sums if held}


def _days(calendar: list[date], moved: _Sums, held_now: int) -> Iterable[Day]:
    # Backwards from what is held now: the books need not be read from their beginning.
    held = held_now - sum(kept for _in, _out, kept in moved.values())
    for day in calendar:
        came_in, went_out, kept = moved.get(day, (0, 0, 0))
        held += kept
        yield Day(day=day, came_in=came_in, went_out=went_out, held=held)
