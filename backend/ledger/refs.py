"""Naming accounts: an account is what it counts, so its key is computed and never looked up."""

from dataclasses import dataclass
from uuid import UUID, uuid5

from backend.accounts.models import Asset
from backend.ledger.kinds import SHAPES, AccountKind

_NAMES = UUID("6f0d1f4e-6d0c-5d3c-9a55-9b1c1a0f7d11")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRef:
    """One account, whether or not anything was ever booked on it.

    Raises:
        ValueError: accounts of this kind have other keys.
    """

    kind: AccountKind
    asset: Asset
    owner: UUID | None = None
    subject: UUID | None = None

    def __post_init__(self) -> None:
        if (self.owner is not None, self.subject is not None) != SHAPES[self.kind]:
            raise ValueError(f"{self.kind} accounts are not for {self.owner} and {self.subject}")

    def __str__(self) -> str:
        return describe(self.kind, self.asset, self.owner, self.subject)

    @property
    def id(self) -> UUID:
        """The primary key: the same description is always the same row."""
        return uuid5(_NAMES, str(self))


def describe(kind: str, asset: Asset, owner: UUID | None, subject: UUID | None) -> str:
    """The account in one line; two accounts never have the same."""
    keys = [str(key) for key in (owner, subject) if key]
    return " ".join([str(kind), f"{asset.code}/{asset.scale}", *keys])


def payer(user_id: UUID, asset: Asset) -> AccountRef:
    return AccountRef(kind=AccountKind.PAYER, asset=asset, owner=user_id)


def payee(user_id: UUID, asset: Asset) -> AccountRef:
    return AccountRef(kind=AccountKind.PAYEE, asset=asset, owner=user_id)


def seller(wallet_id: UUID, asset: Asset) -> AccountRef:
    return AccountRef(kind=AccountKind.SELLER, asset=asset, subject=wallet_id)


def escrow(payer_id: UUID, funding_id: UUID, asset: Asset) -> AccountRef:
    return AccountRef(kind=AccountKind.ESCROW, asset=asset, owner=payer_id, subject=funding_id)


def fees(asset: Asset) -> AccountRef:
    return AccountRef(kind=AccountKind.FEES, asset=asset)


def platform_fee(wallet_id: UUID, asset: Asset) -> AccountRef:
    return AccountRef(kind=AccountKind.PLATFORM_FEE, asset=asset, subject=wallet_id)


def wallet_cost(asset: Asset) -> AccountRef:
    return AccountRef(kind=AccountKind.WALLET_COST, asset=asset)


def exchange(asset: Asset, *, source: Asset, target: Asset) -> AccountRef:
    """The `asset` side of what wallets exchange from `source` to `target`."""
    pair = uuid5(_NAMES, f"{source.code}/{source.scale} to {target.code}/{target.scale}")
    return AccountRef(kind=AccountKind.FX, asset=asset, subject=pair)


def promises_given(payer_id: UUID, asset: Asset) -> AccountRef:
    return AccountRef(kind=AccountKind.PROMISES_GIVEN, asset=asset, owner=payer_id)


def promises_received(worker_id: UUID, asset: Asset) -> AccountRef:
    return AccountRef(kind=AccountKind.PROMISES_RECEIVED, asset=asset, owner=worker_id)
