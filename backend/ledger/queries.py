"""What the books say of somebody, from the books alone."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet, Sum

from backend.accounts.models import User
from backend.ledger.kinds import AccountKind
from backend.ledger.models import Account


def balances(*, owner: UUID) -> QuerySet[Account]:
    """The accounts of a user, in one order; each carries its `balance`."""
    return Account.objects.filter(owner=owner).order_by(
        "asset_code", "asset_scale", "kind", "subject"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """What one asset means to somebody, in its smallest unit.

    `spent` is what has left their wallets, less what came back. Anything may be below zero only
    where somebody was paid back more than was booked before.
    """

    asset_code: str
    asset_scale: int
    earned: int
    spent: int
    promised_to_me: int
    promised_by_me: int
    held: int


def my_money(user: User) -> list[Money]:
    """Earned, spent, promised and held, by asset, in one statement."""

    def total(kind: AccountKind) -> Sum:
        return Sum("balance", filter=Q(kind=kind), default=0)

    assets = (
        Account.objects.filter(owner=user.id)
        .values("asset_code", "asset_scale")
        .order_by("asset_code", "asset_scale")
        .annotate(
            earned=total(AccountKind.PAYEE),
            paid=total(AccountKind.PAYER),
            promised_to_me=total(AccountKind.PROMISES_RECEIVED),
            promised=total(AccountKind.PROMISES_GIVEN),
            held=total(AccountKind.ESCROW),
        )
    )
    return [
        Money(
            asset_code=row["asset_code"],
            asset_scale=row["asset_scale"],
            earned=int(row["earned"]),
            spent=-int(row["paid"]),
            promised_to_me=int(row["promised_to_me"]),
            promised_by_me=-int(row["promised"]),
            held=int(row["held"]),
        )
        for row in assets
    ]
