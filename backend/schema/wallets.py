"""Wallets: one's own, and what stands at an address."""

from typing import Annotated, Self
from uuid import UUID

import strawberry
from django.db.models import QuerySet

from backend.accounts import wallets
from backend.accounts.models import User, WalletAddress
from backend.schema.context import Info
from backend.schema.errors import Payload, mutation
from backend.schema.nodes import Node, decode_id
from backend.schema.permissions import WITH_PARENT, rule
from backend.schema.scalars import URL


def wallets_visible_to(viewer: User | None) -> QuerySet[WalletAddress]:
    """One's own."""
    if viewer is None:
        return WalletAddress.objects.none()
    return WalletAddress.objects.filter(owner=viewer)


@rule(wallets_visible_to)
@strawberry.type(
    description=(
        "A wallet address, and what its own document said when it was added. Seen by its "
        "owner, and with the payments that it takes part in."
    )
)
class Wallet(Node):
    address: URL = strawberry.field(description="The wallet address, as its document spells it.")
    public_name: str | None = strawberry.field(
        description="What it calls its owner; null when it says nothing."
    )
    asset_code: str = strawberry.field(description="What it holds, such as USD.")
    asset_scale: int = strawberry.field(
        description="How many decimal places its amounts have: they count 10^-assetScale."
    )
    auth_server: URL = strawberry.field(description="Where its owner is asked for consent.")
    resource_server: URL = strawberry.field(
        description="Where payments to and from it are made and read."
    )
    row: strawberry.Private[WalletAddress]

    @classmethod
    def from_model(cls, row: WalletAddress) -> Self:
        return cls(
            key=row.id,
            address=URL(row.url),
            public_name=row.public_name or None,
            asset_code=row.asset_code,
            asset_scale=row.asset_scale,
            auth_server=URL(row.auth_server),
            resource_server=URL(row.resource_server),
            row=row,
        )

    @strawberry.field(
        description="Used when its owner names no other. Only they learn of it: false to others."
    )
    async def is_default(self, info: Info) -> bool:
        viewer = await info.context.viewer()
        return viewer is not None and viewer.pk == self.row.owner_id and self.row.is_default


@rule(WITH_PARENT)
@strawberry.type(description="What a wallet's own document says; not stored, nobody's yet.")
class WalletPreview:
    address: URL = strawberry.field(description="The wallet address, as its document spells it.")
    public_name: str | None = strawberry.field(
        description="What it calls its owner; null when it says nothing."
    )
    asset_code: str = strawberry.field(description="What it holds, such as USD.")
    asset_scale: int = strawberry.field(
        description="How many decimal places its amounts have: they count 10^-assetScale."
    )
    auth_server: URL = strawberry.field(description="Where its owner is asked for consent.")

    @classmethod
    def from_model(cls, row: WalletAddress) -> Self:
        return cls(
            address=URL(row.url),
            public_name=row.public_name or None,
            asset_code=row.asset_code,
            asset_scale=row.asset_scale,
            auth_server=URL(row.auth_server),
        )


@strawberry.type
class WalletQuery:
    @strawberry.field(
        description=(
            "What stands at a wallet address now, without keeping it; for who is logged in. Null, "
            "with a top-level WALLET_UNREACHABLE, when no Open Payments wallet answers there."
        )
    )
    async def lookup_wallet(
        self,
        info: Info,
        address: Annotated[
            str, strawberry.argument(description="A URL, host/path or $pointer, as people type it.")
        ],
    ) -> WalletPreview | None:
        user = await info.context.require_user()
        row = await info.context.at_wallets(
            user,
            wallets.lookup_wallet,
            address=address,
            principal=str(user.id),
            now=info.context.now(),
        )
        return WalletPreview.from_model(row)


@strawberry.input(description="A wallet to be paid at, or to pay from.")
class AddWalletInput:
    address: str = strawberry.field(description="A wallet address URL or a $pointer.")
    make_default: bool = strawberry.field(default=False, description="Use it when none is named.")


@strawberry.input(description="A wallet of one's own.")
class WalletIdInput:
    wallet_id: strawberry.ID = strawberry.field(description="As `Wallet.id` gives it.")


@rule(WITH_PARENT)
@strawberry.type(description="What became of a change to a wallet.")
class WalletPayload(Payload):
    wallet: Wallet | None = strawberry.field(
        default=None, description="It, as it is kept now; null when there are errors."
    )


@strawberry.type
class WalletMutation:
    @mutation(
        description=(
            "Add a wallet, after reading its own document. Safe to repeat: one that is there is "
            "refreshed. Refused with WALLET_UNREACHABLE when nobody answers, ASSET_MISMATCH when "
            "it has changed its asset."
        )
    )
    async def add_wallet(self, info: Info, input: AddWalletInput) -> WalletPayload:
        user = await info.context.require_user()
        row = await info.context.at_wallets(
            user,
            wallets.add_wallet,
            user=user,
            address=input.address,
            make_default=input.make_default,
            now=info.context.now(),
        )
        return WalletPayload(wallet=Wallet.from_model(row))

    @mutation(
        description=(
            "Use this wallet where none is named. Safe to repeat. Refused with NOT_FOUND for one "
            "that was removed."
        )
    )
    async def set_default_wallet(self, info: Info, input: WalletIdInput) -> WalletPayload:
        user = await info.context.require_user()
        row = await info.context.db(
            wallets.set_default_wallet, user=user, wallet_id=_wallet_id(input)
        )
        return WalletPayload(wallet=Wallet.from_model(row))

    @mutation(
        description=(
            "Offer a wallet no more. What was agreed on with it stays: payments under way, and "
            "applications that are to be paid there. Was it the default, the oldest other one "
            "is. Adding its address again brings it back. Safe to repeat."
        )
    )
    async def remove_wallet(self, info: Info, input: WalletIdInput) -> WalletPayload:
        user = await info.context.require_user()
        row = await info.context.db(
            wallets.remove_wallet, user=user, wallet_id=_wallet_id(input), now=info.context.now()
        )
        return WalletPayload(wallet=Wallet.from_model(row))


def _wallet_id(input: WalletIdInput) -> UUID:
    return decode_id(input.wallet_id, type_name="Wallet", path=("walletId",))
