"""Disputes: a worker does not agree with what was decided about their work."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, Self
from uuid import UUID

import strawberry

from backend.jobs import disputes, models, queries
from backend.jobs.facts import dispute_facts
from backend.jobs.lifecycle.dispute import RULES, DisputeAction
from backend.jobs.lifecycle.rules import allowed
from backend.jobs.status import DisputeStatus
from backend.known import as_known
from backend.schema.accounts import User
from backend.schema.amounts import Amount, AmountInput
from backend.schema.attachments import files_of
from backend.schema.context import Info
from backend.schema.enums import describe_values
from backend.schema.errors import Payload, mutation
from backend.schema.files import File
from backend.schema.nodes import Node, decode_id, decode_ids, load_node
from backend.schema.permissions import WITH_PARENT, rule
from backend.schema.submissions import Submission

strawberry.enum(DisputeStatus, description="Where a dispute stands; the last two are final.")
describe_values(
    DisputeStatus,
    OPEN="Waits for the job's owner. Their silence until `answerBy` gives the worker all of it.",
    RESPONDED="Waits for the worker. Their silence until `answerBy` leaves the decision as it was.",
    ESCALATED="Waits for an operator, without a deadline.",
    RESOLVED="Ended with shares: an operator's, or all for the worker.",
    WITHDRAWN="Ended without any: given up by the worker, or left to silence.",
)
strawberry.enum(DisputeAction, description="A step with a dispute, and so a button to show.")
describe_values(
    DisputeAction,
    RESPOND="respondToDispute, for the job's owner.",
    ESCALATE="escalateDispute, for the worker.",
    WITHDRAW="withdrawDispute, for the worker.",
    RESOLVE="resolveDispute, for an operator who is no party to it.",
)


@rule(queries.disputes_visible_to)
@strawberry.type(
    description=(
        "A worker's claim to what was not accepted of their reward. Seen by its two sides, "
        "operators and auditors. Silence decides for the side that waits."
    )
)
class Dispute(Node):
    row: strawberry.Private[models.Dispute]
    status: DisputeStatus = strawberry.field(
        description="Where it stands; for buttons read allowedActions instead."
    )
    reason: str = strawberry.field(description="What the worker says.")
    response: str | None = strawberry.field(
        description="What the job's owner answers; null before that."
    )
    amount: Amount = strawberry.field(
        description="The sum it is about: what was not accepted of the reward."
    )
    worker_share: Amount | None = strawberry.field(
        description="What the end gives to the worker; null before it."
    )
    payer_share: Amount | None = strawberry.field(
        description="What the end leaves to the payer; null before it."
    )
    answer_by: datetime | None = strawberry.field(
        description=(
            "When silence decides: while OPEN the owner's, for the worker; while RESPONDED the "
            "worker's, for the owner. Null in all other statuses."
        )
    )
    resolution: str | None = strawberry.field(
        description="What was said at its end, by an operator or the owner; null when nothing."
    )
    resolved_at: datetime | None = strawberry.field(
        description="When it ended, in whatever way; null before that."
    )
    created_at: datetime = strawberry.field(description="When it was opened.")
    updated_at: datetime = strawberry.field(description="When its status last changed.")

    @classmethod
    def from_model(cls, row: models.Dispute) -> Self:
        job, worker_value = row.submission.job, row.worker_value
        return cls(
            key=row.id,
            row=row,
            status=as_known(row.status, otherwise=DisputeStatus.ESCALATED),
            reason=row.reason,
            response=row.response or None,
            amount=Amount.of(job.amount(row.amount_value)),
            worker_share=None if worker_value is None else Amount.of(job.amount(worker_value)),
            payer_share=None
            if worker_value is None
            else Amount.of(job.amount(row.amount_value - worker_value)),
            answer_by=row.answer_by,
            resolution=row.resolution or None,
            resolved_at=row.resolved_at,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    @strawberry.field(description="The work it is about; never null to who sees the dispute.")
    async def submission(self, info: Info) -> Submission | None:
        return await load_node(info, Submission, self.row.submission_id)

    @strawberry.field(description="The worker; null when the account is closed.")
    async def opened_by(self, info: Info) -> User | None:
        return await load_node(info, User, self.row.submission.worker_id)

    @strawberry.field(description="Files that the worker shows, oldest first; at most 10.")
    async def evidence(self, info: Info) -> list[File]:
        return await files_of(info, models.Dispute.evidence, self.key)

    @strawberry.field(description="Files that the job's owner shows, oldest first; at most 10.")
    async def response_evidence(self, info: Info) -> list[File]:
        return await files_of(info, models.Dispute.response_evidence, self.key)

    @strawberry.field(
        description=(
            "What the viewer may do with it now: the buttons to show. Empty for a visitor."
        )
    )
    async def allowed_actions(self, info: Info) -> list[DisputeAction]:
        viewer = await info.context.viewer()
        if viewer is None:
            return []
        facts = dispute_facts(user=viewer, dispute=self.row, now=info.context.now())
        return allowed(RULES, facts)


@strawberry.input(description="A claim to what was not accepted of one's reward.")
class OpenDisputeInput:
    submission_id: strawberry.ID = strawberry.field(description="One's own decided submission.")
    reason: str = strawberry.field(description="Why it should be paid: 1 to 5000 characters.")
    evidence_file_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="At most 10 of one's own files."
    )


@strawberry.input(description="An owner's answer to a dispute.")
class RespondToDisputeInput:
    dispute_id: strawberry.ID = strawberry.field(
        description="About work for a job of one's own, and OPEN."
    )
    response: str = strawberry.field(description="What to say to it: 1 to 5000 characters.")
    evidence_file_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="At most 10 of one's own files."
    )


@strawberry.input(description="Names one dispute.")
class DisputeIdInput:
    dispute_id: strawberry.ID = strawberry.field(description="About one's own work, by its `id`.")


@strawberry.input(description="An operator's decision: both shares are what is disputed.")
class ResolveDisputeInput:
    dispute_id: strawberry.ID = strawberry.field(description="RESPONDED or ESCALATED.")
    worker_share: AmountInput = strawberry.field(description="For the worker; may be 0.")
    payer_share: AmountInput = strawberry.field(description="For the payer; may be 0.")
    note: str = strawberry.field(description="Why; 1 to 5000 characters, for both sides.")
    idempotency_key: UUID = strawberry.field(
        description="A fresh one per decision. Repeating it changes nothing again."
    )


@rule(WITH_PARENT)
@strawberry.type(description="What became of a change to a dispute.")
class DisputePayload(Payload):
    dispute: Dispute | None = strawberry.field(
        default=None, description="It, as it is now; null when there are errors."
    )


@strawberry.type
class DisputeMutation:
    @mutation(
        description=(
            "Dispute a decision about one's work, within 5 days of it and once. If the owner is "
            "silent for 5 days, the worker gets all that is disputed. A repetition is refused with "
            "INVALID_TRANSITION."
        )
    )
    async def open_dispute(self, info: Info, input: OpenDisputeInput) -> DisputePayload:
        user = await info.context.require_user()
        row = await info.context.db(
            disputes.open_dispute,
            user=user,
            submission_id=decode_id(
                input.submission_id, type_name="Submission", path=("submissionId",)
            ),
            reason=input.reason,
            evidence_ids=decode_ids(
                input.evidence_file_ids, type_name="File", path="evidenceFileIds"
            ),
            now=info.context.now(),
        )
        return DisputePayload(dispute=Dispute.from_model(row))

    @mutation(
        description=(
            "Answer a dispute about work for one's job. If the worker is silent for 5 days, the "
            "decision stays as it was. A repetition is refused with INVALID_TRANSITION."
        )
    )
    async def respond_to_dispute(self, info: Info, input: RespondToDisputeInput) -> DisputePayload:
        return await _change(
            info,
            input,
            disputes.respond_to_dispute,
            response=input.response,
            evidence_ids=decode_ids(
                input.evidence_file_ids, type_name="File", path="evidenceFileIds"
            ),
        )

    @mutation(
        description=(
            "Ask an operator to decide one's dispute, after the owner's answer. A repetition is "
            "refused with INVALID_TRANSITION."
        )
    )
    async def escalate_dispute(self, info: Info, input: DisputeIdInput) -> DisputePayload:
        return await _change(info, input, disputes.escalate_dispute)

    @mutation(
        description=(
            "Give up one's dispute: the decision stays as it was, for good. A repetition is "
            "refused with INVALID_TRANSITION."
        )
    )
    async def withdraw_dispute(self, info: Info, input: DisputeIdInput) -> DisputePayload:
        return await _change(info, input, disputes.withdraw_dispute)

    @mutation(
        description=(
            "Decide an answered dispute as an operator who is no party to it. Refused with "
            "VALIDATION unless both shares together are what is disputed, to the unit. Safe to "
            "repeat with the same key."
        ),
        moves_money=True,
    )
    async def resolve_dispute(self, info: Info, input: ResolveDisputeInput) -> DisputePayload:
        return await _change(
            info,
            input,
            disputes.resolve_dispute,
            worker_share=input.worker_share.to_amount(path=("workerShare",)),
            payer_share=input.payer_share.to_amount(path=("payerShare",)),
            note=input.note,
            idempotency_key=input.idempotency_key,
        )


class _NamesDispute(Protocol):
    dispute_id: strawberry.ID


async def _change(
    info: Info, input: _NamesDispute, function: Callable[..., models.Dispute], **values: object
) -> DisputePayload:
    user = await info.context.require_user()
    row = await info.context.db(
        function,
        user=user,
        dispute_id=decode_id(input.dispute_id, type_name="Dispute", path=("disputeId",)),
        now=info.context.now(),
        **values,
    )
    return DisputePayload(dispute=Dispute.from_model(row))
