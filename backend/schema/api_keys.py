"""Keys for programs: making, approving and revoking them."""

from datetime import datetime
from typing import Self
from uuid import UUID

import strawberry

from backend.accounts import api_keys, models
from backend.accounts.models import Scope
from backend.schema.context import Info
from backend.schema.enums import describe_values
from backend.schema.errors import Payload, mutation
from backend.schema.nodes import Node, decode_id
from backend.schema.permissions import WITH_PARENT, rule

strawberry.enum(Scope, name="ApiKeyScope", description="What an API key may be used for.")
describe_values(
    Scope,
    READ=(
        "Queries and subscriptions: all that its owner sees. A key without it gets the objects "
        "that a mutation's payload names, and none that those lead to, such as a job's owner."
    ),
    JOBS=(
        "Posting jobs, applying, work and disputes. To end a job that money stands behind, MONEY "
        "is needed as well."
    ),
    MONEY="Funding, reviewing work and all else that moves money or asks for consent.",
    SELLERS="The registry of sellers, over REST; of use to an operator only.",
)


@rule(api_keys.keys_visible_to)
@strawberry.type(
    description=(
        "A program that acts for its owner. Seen by its owner, operators and auditors until it is "
        "revoked; the key itself by nobody any more."
    )
)
class ApiKey(Node):
    name: str = strawberry.field(description="What its owner calls it.")
    prefix: str = strawberry.field(description="How the key begins, to tell keys apart.")
    scopes: list[Scope] = strawberry.field(description="What it may be used for.")
    test_mode: bool = strawberry.field(
        description="Whether it is for play money; it works on installations of its kind only."
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    approved_at: datetime | None = strawberry.field(
        description="From when on it works; null while a live key waits for an operator."
    )
    last_used_at: datetime | None = strawberry.field(
        description="Its last use, to the minute; null before the first."
    )

    @classmethod
    def from_model(cls, row: models.ApiKey) -> Self:
        return cls(
            key=row.id,
            name=row.name,
            prefix=row.prefix,
            scopes=[Scope(scope) for scope in row.scopes],
            test_mode=row.test_mode,
            created_at=row.created_at,
            approved_at=row.approved_at,
            last_used_at=row.last_used_at,
        )


@strawberry.input(description="A new key for programs of one's own.")
class ApiKeyInput:
    name: str = strawberry.field(description="1 to 80 characters, to know it by later.")
    scopes: list[Scope] = strawberry.field(description="What it may be used for: at least one.")
    test_mode: bool = strawberry.field(
        default=True, description="Whether it is for play money: as this installation is."
    )


@strawberry.input(description="A key that is there.")
class ApiKeyIdInput:
    api_key_id: strawberry.ID = strawberry.field(description="As `ApiKey.id` gives it.")

    @property
    def key(self) -> UUID:
        return decode_id(self.api_key_id, type_name="ApiKey", path=("apiKeyId",))


@rule(WITH_PARENT)
@strawberry.type(description="What became of an API key.")
class ApiKeyPayload(Payload):
    api_key: ApiKey | None = strawberry.field(
        default=None, description="It, as it is or was; null when there are errors."
    )
    secret: str | None = strawberry.field(
        default=None,
        description=(
            "The key: send it as `Authorization: Bearer <secret>`. Shown only here, by "
            "createApiKey; null otherwise."
        ),
    )


@strawberry.type
class ApiKeyMutation:
    @mutation(
        description=(
            "Make a key for programs of one's own. A live one works once an operator has approved "
            "it. Each call makes another one. An API key cannot do this."
        )
    )
    async def create_api_key(self, info: Info, input: ApiKeyInput) -> ApiKeyPayload:
        user = await info.context.require_user()
        issued = await info.context.db(
            api_keys.create_api_key,
            owner=user,
            name=input.name,
            scopes=input.scopes,
            test_mode=input.test_mode,
            now=info.context.now(),
        )
        return ApiKeyPayload(api_key=ApiKey.from_model(issued.key), secret=issued.secret)

    @mutation(description="Let a live key work. For operators. Safe to repeat.")
    async def approve_api_key(self, info: Info, input: ApiKeyIdInput) -> ApiKeyPayload:
        user = await info.context.require_user()
        row = await info.context.db(
            api_keys.approve_api_key, user=user, key_id=input.key, now=info.context.now()
        )
        return ApiKeyPayload(api_key=ApiKey.from_model(row))

    @mutation(
        description=(
            "Let a key work no more: at once, and within two seconds in subscriptions too. For its "
            "owner and for operators. A repetition is NOT_FOUND."
        )
    )
    async def revoke_api_key(self, info: Info, input: ApiKeyIdInput) -> ApiKeyPayload:
        user = await info.context.require_user()
        row = await info.context.db(
            api_keys.revoke_api_key, user=user, key_id=input.key, now=info.context.now()
        )
        return ApiKeyPayload(api_key=ApiKey.from_model(row))
