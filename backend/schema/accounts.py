"""People and their sessions."""

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Self, cast

import strawberry
from django.db.models import QuerySet
from strawberry import UNSET

from backend.accounts import api_keys, models, services, tokens, wallets
from backend.accounts.models import User as UserRow
from backend.profiles.services import ProfileChanges, update_profile
from backend.schema.context import Info
from backend.schema.enums import describe_values
from backend.schema.errors import Payload, mutation
from backend.schema.files import File
from backend.schema.nodes import Node, decode_id, load_node
from backend.schema.permissions import WITH_PARENT, rule
from backend.schema.wallets import Wallet

if TYPE_CHECKING:
    from backend.schema.api_keys import ApiKey


def users_visible_to(viewer: UserRow | None) -> QuerySet[UserRow]:
    """Everybody who is active: a job shows who offers it. What is private, fields decide."""
    return UserRow.objects.filter(is_active=True)


class Role(Enum):
    """What somebody is entrusted with on this platform."""

    OPERATOR = "OPERATOR"
    AUDITOR = "AUDITOR"


strawberry.enum(Role, description="What the platform entrusts somebody with.")
describe_values(
    Role,
    OPERATOR="Sees everything, splits disputes, cancels jobs, and uses the admin.",
    AUDITOR="Sees everything, and changes nothing that is not theirs.",
)


strawberry.enum(models.MailCategory, description="What somebody may be mailed about.")
describe_values(
    models.MailCategory,
    WORK="Being selected, work, reviews and disputes.",
    MONEY="Pay and refunds that arrived, and money that needs something done.",
    REMINDERS="What was not done yet, before time decides.",
)


def sessions_visible_to(viewer: UserRow | None) -> QuerySet[models.BearerToken]:
    """One's own, as long as they were not ended."""
    if viewer is None:
        return models.BearerToken.objects.none()
    return models.BearerToken.objects.filter(user=viewer, revoked_at=None)


@rule(sessions_visible_to)
@strawberry.type(description="A device that somebody is logged in on. Seen by them alone.")
class Session(Node):
    row: strawberry.Private[models.BearerToken]
    device_name: str | None = strawberry.field(
        description="What logIn was told; null when it was told nothing."
    )
    created_at: datetime = strawberry.field(description="When it was opened.")
    last_used_at: datetime = strawberry.field(description="Its last use, to the hour.")
    expires_at: datetime = strawberry.field(description="When its token stops working by itself.")

    @classmethod
    def from_model(cls, row: models.BearerToken) -> Self:
        return cls(
            key=row.id,
            row=row,
            device_name=row.label or None,
            created_at=row.created_at,
            last_used_at=row.last_used_at,
            expires_at=row.expires_at,
        )

    @strawberry.field(description="Whether this request came with its token.")
    async def is_current(self, info: Info) -> bool:
        return tokens.is_of(info.context.bearer, self.row)


@rule(users_visible_to)
@strawberry.type(
    description=(
        "A person. Everybody sees name, picture, languages and bio; the rest is theirs alone."
    )
)
class User(Node):
    display_name: str = strawberry.field(description="The name others see.")
    languages: list[str] = strawberry.field(
        description="What they speak, as BCP 47 tags, best first."
    )
    bio: str | None = strawberry.field(
        description="What they say about themselves; null when nothing."
    )
    row: strawberry.Private[UserRow]

    @classmethod
    def from_model(cls, row: UserRow) -> Self:
        return cls(
            key=row.id,
            display_name=row.display_name,
            languages=list(row.languages),
            bio=row.bio or None,
            row=row,
        )

    @strawberry.field(description="Their picture: PNG, JPEG, WebP or GIF; null without one.")
    async def avatar(self, info: Info) -> File | None:
        return await load_node(info, File, self.row.avatar_id) if self.row.avatar_id else None

    @strawberry.field(
        description="What they are entrusted with; empty for most. Only to oneself, else empty."
    )
    async def roles(self, info: Info) -> list[Role]:
        if not await self._is_viewer(info):
            return []
        held = {Role.OPERATOR: self.row.is_staff, Role.AUDITOR: self.row.is_auditor}
        return [role for role, holds in held.items() if holds]

    @strawberry.field(
        description="The first 100 devices they are logged in on, used last first. Empty to others."
    )
    async def sessions(self, info: Info) -> list[Session]:
        if not await self._is_viewer(info):
            return []
        rows = tokens.live_tokens(self.row, now=info.context.now())
        return [Session.from_model(row) for row in await info.context.db(lambda: list(rows[:100]))]

    @strawberry.field(
        description="The first 100 keys of their programs, newest first. Empty to others."
    )
    async def api_keys(
        self, info: Info
    ) -> list[Annotated["ApiKey", strawberry.lazy("backend.schema.api_keys")]]:
        from backend.schema.api_keys import ApiKey

        if not await self._is_viewer(info):
            return []
        rows = api_keys.live_keys(self.row)[:100]
        return [ApiKey.from_model(row) for row in await info.context.db(lambda: list(rows))]

    @strawberry.field(description="The address to log in with. Only to oneself.")
    async def email(self, info: Info) -> str | None:
        return self.row.email if await self._is_viewer(info) else None

    @strawberry.field(
        description="The language of sentences for them: en or es, or empty. Only to oneself."
    )
    async def locale(self, info: Info) -> str | None:
        return self.row.locale if await self._is_viewer(info) else None

    @strawberry.field(
        description="What they are mailed about; all of it unless they chose. Empty to others."
    )
    async def notify(self, info: Info) -> list[models.MailCategory]:
        return self.row.notify if await self._is_viewer(info) else []

    @strawberry.field(description="The first 100 that they have, oldest first. Empty to others.")
    async def wallets(self, info: Info) -> list[Wallet]:
        if not await self._is_viewer(info):
            return []
        rows = wallets.kept_wallets(self.row).order_by("id")
        return [Wallet.from_model(row) for row in await info.context.db(lambda: list(rows[:100]))]

    @strawberry.field(
        description="The one used where none is named; null without any. Only to oneself."
    )
    async def default_wallet(self, info: Info) -> Wallet | None:
        if not await self._is_viewer(info):
            return None
        row = await info.context.db(wallets.kept_wallets(self.row).filter(is_default=True).first)
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


@strawberry.input(description="Another password for oneself.")
class ChangePasswordInput:
    current_password: str = strawberry.field(description="The one that logIn takes now.")
    new_password: str = strawberry.field(description="As at signUp.")


@strawberry.input(description="A session of one's own.")
class SessionIdInput:
    session_id: strawberry.ID = strawberry.field(description="As `Session.id` gives it.")


@strawberry.input(description="What changes of one's profile; what is left out stays as it is.")
class ProfileInput:
    display_name: str | None = strawberry.field(
        default=UNSET, description="1 to 80 printable characters; it cannot be null."
    )
    locale: str | None = strawberry.field(
        default=UNSET,
        description="en or es; null for the language that each request asks for.",
    )
    languages: list[str] | None = strawberry.field(
        default=UNSET, description="At most 20 BCP 47 tags, best first; null for none."
    )
    bio: str | None = strawberry.field(
        default=UNSET, description="At most 1000 characters; null for nothing."
    )
    avatar_file_id: strawberry.ID | None = strawberry.field(
        default=UNSET,
        description="A READY picture of one's own, which everybody sees then; null for none.",
    )
    notify: list[models.MailCategory] | None = strawberry.field(
        default=UNSET, description="All that one wants mails about; null or empty for none."
    )

    def to_changes(self) -> ProfileChanges:
        """What was given of it.

        Raises:
            NotFound: the avatar is not the id of a file.
        """
        given = {name: value for name, value in vars(self).items() if value is not UNSET}
        if given.get("avatar_file_id") is not None:
            given["avatar_file_id"] = decode_id(
                given["avatar_file_id"], type_name="File", path=("avatarFileId",)
            )
        return cast("ProfileChanges", given)


@rule(WITH_PARENT)
@strawberry.type(description="What became of a change to oneself.")
class UserPayload(Payload):
    user: User | None = strawberry.field(
        default=None, description="Oneself, as one is now; null when there are errors."
    )


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
            "Change one's password. All other sessions end, within two seconds in subscriptions "
            "too; this one stays, and so do API keys. Refused with BAD_CREDENTIALS, so a "
            "repetition is, too, and with VALIDATION as signUp is; tries count as those of logIn."
        )
    )
    async def change_password(self, info: Info, input: ChangePasswordInput) -> UserPayload:
        user = await info.context.require_user()
        await info.context.db(
            services.change_password,
            user=user,
            current=input.current_password,
            new=input.new_password,
            header=info.context.bearer,
            remote_address=info.context.remote_address,
            now=info.context.now(),
        )
        return UserPayload(user=User.from_model(user))

    @mutation(
        description=(
            "Change what one says about oneself: all that is given, or nothing. Safe to repeat. "
            "Refused with VALIDATION for what is wrong, NOT_FOUND for a file that is not one's own."
        )
    )
    async def update_profile(self, info: Info, input: ProfileInput) -> UserPayload:
        user = await info.context.require_user()
        row = await info.context.db(
            update_profile, user=user, changes=input.to_changes(), now=info.context.now()
        )
        return UserPayload(user=User.from_model(row))

    @mutation(
        description=(
            "Log one device out: its token stops working, within two seconds in subscriptions too. "
            "Safe to repeat, unless it was this one. logOut ends all of them."
        )
    )
    async def end_session(self, info: Info, input: SessionIdInput) -> UserPayload:
        user = await info.context.require_user()
        await info.context.db(
            services.end_session,
            user=user,
            session_id=decode_id(input.session_id, type_name="Session", path=("sessionId",)),
            now=info.context.now(),
        )
        return UserPayload(user=User.from_model(user))
