"""People, their sessions and their wallets."""

from typing import Annotated, Self

import strawberry
from django.db.models import QuerySet

from backend.accounts import models, services, wallets
from backend.accounts.models import User as UserRow
from backend.schema.context import Info
from backend.schema.errors import Payload, mutation
from backend.schema.nodes import Node
from backend.schema.permissions import WITH_PARENT, rule
from backend.schema.scalars import URL


def users_visible_to(viewer: UserRow | None) -> QuerySet[UserRow]:
    """Everybody who is active: a job shows who offers it. What is private, fields decide."""
    return UserRow.objects.filter(is_active=True)


def wallets_visible_to(viewer: UserRow | None) -> QuerySet[models.WalletAddress]:
    """One's own."""
    if viewer is None:
        return models.WalletAddress.objects.none()
    return models.WalletAddress.objects.filter(owner=viewer)


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
    row: strawberry.Private[models.WalletAddress]

    @classmethod
    def from_model(cls, row: models.WalletAddress) -> Self:
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
    def from_model(cls, row: models.WalletAddress) -> Self:
        return cls(
            address=URL(row.url),
            public_name=row.public_name or None,
            asset_code=row.asset_code,
            asset_scale=row.asset_scale,
            auth_server=URL(row.auth_server),
        )


@rule(users_visible_to)
@strawberry.type(description="A person. Everybody sees the name; the rest is theirs alone.")
class User(Node):
    display_name: str = strawberry.field(description="The name others see.")
    row: strawberry.Private[UserRow]

    @classmethod
    def from_model(cls, row: UserRow) -> Self:
        return cls(key=row.id, display_name=row.display_name, row=row)

    @strawberry.field(description="The address to log in with. Only to oneself.")
    async def email(self, info: Info) -> str | None:
        return self.row.email if await self._is_viewer(info) else None

    @strawberry.field(
        description="The language of sentences for them: en or es, or empty. Only to oneself."
    )
    async def locale(self, info: Info) -> str | None:
        return self.row.locale if await self._is_viewer(info) else None

    @strawberry.field(description="The first 100 that they added, oldest first. Empty to others.")
    async def wallets(self, info: Info) -> list[Wallet]:
        if not await self._is_viewer(info):
            return []
        rows = wallets_visible_to(self.row).order_by("id")
        return [Wallet.from_model(row) for row in await info.context.db(lambda: list(rows[:100]))]

    @strawberry.field(
        description="The one used where none is named; null without any. Only to oneself."
    )
    async def default_wallet(self, info: Info) -> Wallet | None:
        if not await self._is_viewer(info):
            return None
        row = await info.context.db(wallets_visible_to(self.row).filter(is_default=True).first)
        return Wallet.from_model(row) if row else None

    async def _is_viewer(self, info: Info) -> bool:
        viewer = await info.context.viewer()
        return viewer is not None and viewer.pk == self.row.pk


@strawberry.type
class AccountQuery:
    @strawberry.field(description="The person whose token was sent; null without one.")
    async def viewer(self, info: Info) -> User | None:
        viewer = await info.context.viewer()
        return User.from_model(viewer) if viewer else None

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
        row = await info.context.db(
            wallets.lookup_wallet, address=address, principal=str(user.id), now=info.context.now()
        )
        return WalletPreview.from_model(row)


@strawberry.input(description="A new account.")
class SignUpInput:
    email: str = strawberry.field(description="Used to log in; nobody else sees it.")
    password: str = strawberry.field(
        description="8 to 256 characters, not a common one, and not like the name or address."
    )
    display_name: str = strawberry.field(description="The name others see.")
    locale: str | None = strawberry.field(
        default=None, description="en or es. Left out: the language this request asks for."
    )


@strawberry.input(description="The credentials of an account.")
class LogInInput:
    email: str = strawberry.field(description="As at signUp; case does not count.")
    password: str = strawberry.field(description="As it was set last.")
    device_name: str = strawberry.field(default="", description="To tell sessions apart later.")


@strawberry.input(description="A wallet to be paid at, or to pay from.")
class AddWalletInput:
    address: str = strawberry.field(description="A wallet address URL or a $pointer.")
    make_default: bool = strawberry.field(default=False, description="Use it when none is named.")


@rule(WITH_PARENT)
@strawberry.type(description="What became of a session.")
class SessionPayload(Payload):
    token: str | None = strawberry.field(
        default=None,
        description=(
            "Send it as `Authorization: Bearer <token>`; it works for 90 days. Shown only here; "
            "null when there are errors, and from logOut."
        ),
    )
    user: User | None = strawberry.field(
        default=None, description="Whose session it is, or was; null when there are errors."
    )


@rule(WITH_PARENT)
@strawberry.type(description="What became of a change to a wallet.")
class WalletPayload(Payload):
    wallet: Wallet | None = strawberry.field(
        default=None, description="It, as it is kept now; null when there are errors."
    )


@strawberry.type
class AccountMutation:
    @mutation(
        description=(
            "Open an account and a first session. Refused with VALIDATION for an address that is "
            "taken, so a repetition is too; at most 20 tries an hour from one network."
        )
    )
    async def sign_up(self, info: Info, input: SignUpInput) -> SessionPayload:
        if input.locale:
            # Who says "es" wants to read in Spanish why something is refused, too.
            info.context.accept_language = input.locale
        session = await info.context.db(
            services.sign_up,
            email=input.email,
            password=input.password,
            display_name=input.display_name,
            locale=info.context.language if input.locale is None else input.locale,
            remote_address=info.context.remote_address,
            now=info.context.now(),
        )
        return SessionPayload(token=session.token, user=User.from_model(session.user))

    @mutation(
        description=(
            "Open a session. Each call opens another one. Refused with BAD_CREDENTIALS; at most "
            "5 tries in 5 minutes for one account, right ones included."
        )
    )
    async def log_in(self, info: Info, input: LogInInput) -> SessionPayload:
        session = await info.context.db(
            services.log_in,
            email=input.email,
            password=input.password,
            device_name=input.device_name,
            remote_address=info.context.remote_address,
            now=info.context.now(),
        )
        return SessionPayload(token=session.token, user=User.from_model(session.user))

    @mutation(
        description=(
            "End this session, or with `everywhere` all of one's sessions. Their tokens stop "
            "working, so a repetition is UNAUTHENTICATED."
        )
    )
    async def log_out(
        self,
        info: Info,
        everywhere: Annotated[
            bool, strawberry.argument(description="End the sessions of all devices.")
        ] = False,
    ) -> SessionPayload:
        user = await info.context.require_user()
        await info.context.db(
            services.log_out,
            header=info.context.bearer,
            everywhere=everywhere,
            now=info.context.now(),
        )
        return SessionPayload(user=User.from_model(user))

    @mutation(
        description=(
            "Add a wallet, after reading its own document. Safe to repeat: one that is there is "
            "refreshed. Refused with WALLET_UNREACHABLE when nobody answers, ASSET_MISMATCH when "
            "it has changed its asset."
        )
    )
    async def add_wallet(self, info: Info, input: AddWalletInput) -> WalletPayload:
        user = await info.context.require_user()
        row = await info.context.db(
            wallets.add_wallet,
            user=user,
            address=input.address,
            make_default=input.make_default,
            now=info.context.now(),
        )
        return WalletPayload(wallet=Wallet.from_model(row))
