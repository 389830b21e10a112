"""The schema: every domain's Query, Mutation and Subscription, merged."""

from typing import Any

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from backend.schema import (
    accounts,
    api_keys,
    applications,
    discrepancies,
    disputes,
    exports,
    feeds,
    files,
    funding,
    funding_mutations,
    grants,
    health,
    job_mutations,
    jobs,
    money,
    nodes,
    payment_status,
    payments,
    resolutions,
    submissions,
    wallets,
    webhooks,
)
from backend.schema.errors import (
    AssetMismatchError,
    InvalidTransitionError,
    Refusal,
    ValidationError,
    WalletError,
)
from backend.schema.execution import LevelExecution
from backend.schema.nodes import Node
from backend.schema.pipeline import Operation, Parsing, Schema, Validation
from backend.schema.scalars import SCALARS

USER_ERRORS = (
    ValidationError,
    Refusal,
    InvalidTransitionError,
    AssetMismatchError,
    WalletError,
    funding_mutations.AmountChangedError,
)


@strawberry.type
class NodeQuery:
    node: Node | None = strawberry.field(
        resolver=nodes.node,
        description="Any object by its id; null when it does not exist for the viewer.",
    )


Query = merge_types(
    "Query",
    (
        NodeQuery,
        accounts.AccountQuery,
        wallets.WalletQuery,
        jobs.JobQuery,
        applications.ApplicationQuery,
        funding.FundingQuery,
        money.MoneyQuery,
        payments.PaymentQuery,
        discrepancies.DiscrepancyQuery,
        feeds.FeedQuery,
        webhooks.WebhookQuery,
        health.HealthQuery,
    ),
)
Mutation = merge_types(
    "Mutation",
    (
        accounts.AccountMutation,
        wallets.WalletMutation,
        api_keys.ApiKeyMutation,
        job_mutations.JobMutation,
        applications.ApplicationMutation,
        submissions.SubmissionMutation,
        disputes.DisputeMutation,
        funding_mutations.FundingMutation,
        grants.GrantMutation,
        resolutions.ResolutionMutation,
        files.FileMutation,
        exports.ExportMutation,
        webhooks.WebhookMutation,
    ),
)
Subscription = merge_types(
    "Subscription",
    (payment_status.PaymentSubscription, funding.FundingSubscription, feeds.FeedSubscription),
)

ROOTS: dict[Any, str] = {
    Query: (
        "Reading: nothing is changed. Whoever sends `Authorization: Bearer <token>` is the viewer; "
        "without it one is a visitor, who sees what is public. Operators, who run an installation, "
        "and auditors, who read all of it and change nothing, are appointed there."
    ),
    Mutation: (
        "Changing: each happens as a whole or not at all, and needs a viewer, except signUp and "
        "logIn. What is refused comes back in the payload's `errors`."
    ),
    Subscription: (
        "Following, over graphql-transport-ws, server-sent events or multipart. A stream that "
        "broke goes on behind the last cursor, with nothing missed and nothing twice."
    ),
}
for root, description in ROOTS.items():
    # merge_types takes no description.
    root.__strawberry_definition__.description = description


schema = Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    # Reachable only through the UserError interface.
    types=[*USER_ERRORS],
    extensions=[Operation, Parsing, Validation],
    execution_context_class=LevelExecution,
    config=StrawberryConfig(scalar_map=SCALARS),
)
