"""The schema: every domain's Query, Mutation and Subscription, merged."""

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from backend.schema import accounts, health, nodes
from backend.schema.errors import (
    AssetMismatchError,
    InvalidTransitionError,
    Refusal,
    ValidationError,
    WalletError,
)
from backend.schema.nodes import Node
from backend.schema.pipeline import Operation, Parsing, Schema, Validation
from backend.schema.scalars import SCALARS


@strawberry.type
class NodeQuery:
    node: Node | None = strawberry.field(
        resolver=nodes.node,
        description="Any object by its id; null when it does not exist for you.",
    )


Query = merge_types("Query", (NodeQuery, accounts.AccountQuery, health.HealthQuery))
Mutation = merge_types("Mutation", (accounts.AccountMutation,))


schema = Schema(
    query=Query,
    mutation=Mutation,
    # Reachable only through the UserError interface.
    types=[ValidationError, Refusal, InvalidTransitionError, AssetMismatchError, WalletError],
    extensions=[Operation, Parsing, Validation],
    config=StrawberryConfig(scalar_map=SCALARS),
)
