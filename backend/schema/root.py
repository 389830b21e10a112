"""The schema: every domain's Query, Mutation and Subscription, merged."""

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from backend.schema import (
    accounts,
    applications,
    disputes,
    files,
    funding,
    health,
    jobs,
    nodes,
    payments,
    submissions,
)
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

USER_ERRORS = (
    ValidationError,
    Refusal,
    InvalidTransitionError,
    AssetMismatchError,
    WalletError,
    funding.AmountChangedError,
)


@strawberry.type
class NodeQuery:
    node: Node | None = strawberry.field(
        resolver=nodes.node,
        description="Any object by its id; null when it does not exist for you.",
    )


Query = merge_types(
    "Query",
    (
        NodeQuery,
        accounts.AccountQuery,
        jobs.JobQuery,
        payments.PaymentQuery,
        health.HealthQuery,
    ),
)
Mutation = merge_types(
    "Mutation",
    (
        accounts.AccountMutation,
        jobs.JobMutation,
        applications.ApplicationMutation,
        submissions.SubmissionMutation,
        disputes.DisputeMutation,
        funding.FundingMutation,
        payments.PaymentMutation,
        files.FileMutation,
    ),
)


schema = Schema(
    query=Query,
    mutation=Mutation,
    subscription=merge_types("Subscription", (payments.PaymentSubscription,)),
    # Reachable only through the UserError interface.
    types=[*USER_ERRORS],
    extensions=[Operation, Parsing, Validation],
    config=StrawberryConfig(scalar_map=SCALARS),
)
