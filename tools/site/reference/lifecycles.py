"""Every status of everything, from the tables of transitions and the schema's own words."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from graphql import GraphQLEnumType, build_schema

from backend.funding import status as funding
from backend.jobs.lifecycle import application, dispute, job, submission
from backend.jobs.status import ApplicationStatus, DisputeStatus, JobStatus, SubmissionStatus
from backend.payments import status as payments
from tools.processes import ROOT

Table = Mapping[Any, frozenset[Any]]
# What has a life; its table; its first status; the schema's name of its statuses.
LIVES: dict[str, tuple[Table, Enum, str]] = {
    "Job": (job.TRANSITIONS, JobStatus.DRAFT, "JobStatus"),
    "Application": (application.TRANSITIONS, ApplicationStatus.PENDING, "ApplicationStatus"),
    "Submission": (submission.TRANSITIONS, SubmissionStatus.DRAFT, "SubmissionStatus"),
    "Dispute": (dispute.TRANSITIONS, DisputeStatus.OPEN, "DisputeStatus"),
    "Funding": (funding.TRANSITIONS, funding.FundingStatus.AWAITING_APPROVAL, "FundingStatus"),
    "Payment": (payments.TRANSITIONS, payments.PaymentStatus.CREATED, "PaymentStatus"),
    "Held grant": (
        payments.HELD_GRANT_TRANSITIONS,
        payments.HeldGrantStatus.CREATED,
        "GrantStatus",
    ),
}
# What the schema has no word for: it shows the consent itself.
HELD_GRANT = {
    "CREATED": "Its limit is being worked out.",
    "HELD": "Payments can be made under it.",
    "CLOSING": "No new payments; it is revoked at the wallet when the last one is over.",
    "FAILED": "It could not be asked for.",
}


def page() -> str:
    """The page: one table for each life, in the order of its statuses."""
    schema = build_schema((ROOT / "schema.graphql").read_text())
    lines = [
        "# Lifecycles",
        "",
        "From the tables that the code itself decides by. A status leads to those beside it and",
        "to no other; one that leads nowhere is the end.",
    ]
    for name, (table, first, enum) in LIVES.items():
        said = schema.type_map[enum]
        assert isinstance(said, GraphQLEnumType)
        lines += ["", f"## {name}", "", f"It begins as `{first.value}`.", ""]
        lines += ["| status | meaning | leads to |", "|---|---|---|"]
        lines += [_row(status, nexts, said, order=list(table)) for status, nexts in table.items()]
    return "\n".join(lines) + "\n"


def _row(status: Enum, nexts: frozenset[Any], said: GraphQLEnumType, *, order: list[Any]) -> str:
    value = said.values.get(status.value)
    said_there = (value.description or "") if value else HELD_GRANT[status.value]
    meaning = " ".join(said_there.split())
    leads = ", ".join(f"`{each.value}`" for each in sorted(nexts, key=order.index))
    return f"| `{status.value}` | {meaning} | {leads or 'the end'} |"
