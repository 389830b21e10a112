"""Submissions: drafts, revisions and the owner's decisions."""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry
from django.db.models import QuerySet

from backend.accounts.models import User as UserRow
from backend.jobs import models, queries, review, work
from backend.jobs.facts import submission_facts
from backend.jobs.lifecycle.rules import allowed
from backend.jobs.lifecycle.submission import RULES, SubmissionAction
from backend.jobs.status import ReviewDecision, SubmissionStatus
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
from backend.schema.scalars import URL

if TYPE_CHECKING:
    from backend.schema.disputes import Dispute
    from backend.schema.jobs import Job
    from backend.schema.payments import Payment

Rows = Callable[[UserRow | None], QuerySet[models.Submission]]
DECIDED = frozenset({SubmissionStatus.ACCEPTED, SubmissionStatus.REJECTED})

strawberry.enum(SubmissionStatus, description="What became of one revision of a worker's work.")
describe_values(
    SubmissionStatus,
    DRAFT="Only its worker sees it, and can change it.",
    SUBMITTED="Waits for the owner. Their silence until `reviewBy` accepts it in full.",
    CHANGES_REQUESTED="Waits for the worker's next revision, until `reviseUntil`.",
    ACCEPTED="Paid for as much as `accepted` says.",
    REJECTED="Not paid for. It can be disputed until `disputeUntil`.",
    DISPUTED="The worker claims what was not accepted: see `dispute`.",
)
strawberry.enum(SubmissionAction, description="A step with a submission, and so a button to show.")
describe_values(
    SubmissionAction,
    EDIT="saveSubmission, for its worker.",
    SUBMIT="submitWork, for its worker.",
    ACCEPT="reviewSubmission with ACCEPT, for the job's owner.",
    REQUEST_CHANGES="reviewSubmission with REQUEST_CHANGES, for the job's owner.",
    REJECT="reviewSubmission with REJECT, for the job's owner.",
    ACKNOWLEDGE="acknowledgeDecision, for its worker.",
    DISPUTE="openDispute, for its worker.",
)
strawberry.enum(ReviewDecision, description="What an owner says to submitted work.")
describe_values(
    ReviewDecision,
    ACCEPT="Pay for all of it, or for `amount`.",
    REQUEST_CHANGES="Ask for another revision, within the job's submitDays.",
    REJECT="Pay nothing for it. The worker can dispute that for 5 days.",
)


def submissions_visible_to(viewer: UserRow | None) -> QuerySet[models.Submission]:
    """As the domain says, with the dispute."""
    return queries.submissions_visible_to(viewer).select_related("dispute")


@rule(submissions_visible_to)
@strawberry.type(
    description=(
        "One revision of one worker's work. A draft is only its worker's; what was handed in is "
        "seen by the job's owner, operators and auditors too."
    )
)
class Submission(Node):
    row: strawberry.Private[models.Submission]
    revision: int = strawberry.field(description="1, and 1 more after each request for changes.")
    status: SubmissionStatus = strawberry.field(
        description="What became of it; for buttons read allowedActions instead."
    )
    note: str | None = strawberry.field(
        description="What the worker says to the owner; null when nothing."
    )
    text: str | None = strawberry.field(
        description="The work, where it is words; null where it is none."
    )
    links: list[URL] = strawberry.field(
        description="The work, where it lives elsewhere, in the worker's order; at most 20."
    )
    comment: str | None = strawberry.field(
        description="What the owner says to it; null when nothing."
    )
    is_superseded: bool = strawberry.field(description="Whether a newer revision was handed in.")
    submitted_at: datetime | None = strawberry.field(
        description="When it was handed in; null in a draft."
    )
    review_by: datetime | None = strawberry.field(
        description="When silence accepts it; null in a draft."
    )
    revise_until: datetime | None = strawberry.field(
        description="Until when a requested revision can be handed in; null otherwise."
    )
    decided_at: datetime | None = strawberry.field(
        description="When the owner, or their silence, last decided; null before that."
    )
    dispute_until: datetime | None = strawberry.field(
        description=(
            "Until when the worker can dispute the decision; null before it, and when it is final."
        )
    )
    auto_accepted: bool = strawberry.field(description="Whether the owner's silence accepted it.")
    created_at: datetime = strawberry.field(description="When its draft was begun.")
    updated_at: datetime = strawberry.field(description="When anything about it last changed.")

    @classmethod
    def from_model(cls, row: models.Submission) -> Self:
        return cls(
            key=row.id,
            row=row,
            revision=row.revision,
            status=as_known(row.status, otherwise=SubmissionStatus.SUBMITTED),
            note=row.note or None,
            text=row.text or None,
            links=[URL(link) for link in row.links],
            comment=row.comment or None,
            is_superseded=row.superseded_at is not None,
            submitted_at=row.submitted_at,
            review_by=row.review_by,
            revise_until=row.revise_until,
            decided_at=row.decided_at,
            dispute_until=row.dispute_until,
            auto_accepted=row.auto_accepted,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    @strawberry.field(description="What it pays when it is accepted in full.")
    async def reward(self, info: Info) -> Amount:
        return Amount.of((await self._job(info)).amount(self.row.reward_value))

    @strawberry.field(
        description="How much of the reward its owner, silence or a dispute has granted so far."
    )
    async def accepted(self, info: Info) -> Amount:
        return Amount.of((await self._job(info)).amount(self.row.accepted_value))

    @strawberry.field(
        description="What it was done for; null when the viewer may not see that job."
    )
    async def job(
        self, info: Info
    ) -> Annotated["Job", strawberry.lazy("backend.schema.jobs")] | None:
        from backend.schema.jobs import Job

        return await load_node(info, Job, self.row.job_id)

    @strawberry.field(description="Whose work it is; null when the account is closed.")
    async def worker(self, info: Info) -> User | None:
        return await load_node(info, User, self.row.worker_id)

    @strawberry.field(description="The work, where it is files, oldest first; at most 20.")
    async def files(self, info: Info) -> list[File]:
        return await files_of(info, models.Submission.files, self.key)

    @strawberry.field(
        description=(
            "The newest 20 payments for it that the viewer takes part in, of all to operators and "
            "auditors; oldest first. One that failed is followed by another."
        )
    )
    async def payouts(
        self, info: Info
    ) -> list[Annotated["Payment", strawberry.lazy("backend.schema.payments")]]:
        from backend.schema.promises import payouts_of_submission

        return await payouts_of_submission(info, self.key)

    @strawberry.field(description="What the worker claims about it; null when they never did.")
    async def dispute(
        self, info: Info
    ) -> Annotated["Dispute", strawberry.lazy("backend.schema.disputes")] | None:
        from backend.schema.disputes import Dispute

        row = await self._dispute(info)
        if row is None:
            return None
        # Its amounts are in the asset of the job, and who may act on it is the job's owner.
        self.row.job = await self._job(info)
        row.submission = self.row
        return Dispute.from_model(row)

    @strawberry.field(
        description=(
            "What the viewer may do with it now: the buttons to show. Empty for a visitor."
        )
    )
    async def allowed_actions(self, info: Info) -> list[SubmissionAction]:
        from backend.schema.jobs import facts_of

        viewer = await info.context.viewer()
        if viewer is None:
            return []
        job = await self._job(info)
        submit_until = None
        if self.status is SubmissionStatus.DRAFT:
            # Only its worker sees a draft, and the job says until when they can hand in.
            submit_until = (await facts_of(info, viewer, job)).submit_until
        disputed_before = False
        if self.status in DECIDED and self.row.dispute_until is not None:
            disputed_before = await self._dispute(info) is not None
        facts = submission_facts(
            user=viewer,
            submission=self.row,
            job=job,
            submit_until=submit_until,
            disputed_before=disputed_before,
            now=info.context.now(),
        )
        return allowed(RULES, facts)

    async def _job(self, info: Info) -> models.Job:
        # Read once for all the work on it, and together with what else shows the job.
        from backend.schema.jobs import Job

        job = await load_node(info, Job, self.row.job_id)
        assert job is not None, "who sees work sees what it was done for"
        return job.row

    async def _dispute(self, info: Info) -> models.Dispute | None:
        loaded = self.row._state.fields_cache
        if "dispute" in loaded:
            found: models.Dispute | None = loaded["dispute"]
            return found
        return await info.context.batched(disputes_of, self.key)


def disputes_of(submission_ids: list[UUID]) -> dict[UUID, models.Dispute]:
    """The dispute about each submission; who sees the one sees the other."""
    rows = models.Dispute.objects.filter(submission_id__in=submission_ids)
    return {row.submission_id: row for row in rows.select_related("submission__job")}


@strawberry.input(description="Which submissions to list.")
class SubmissionFilter:
    status: list[SubmissionStatus] | None = strawberry.field(
        default=None, description="Those that came to one of these. Left out: any."
    )
    superseded: bool | None = strawberry.field(
        default=None,
        description=(
            "True: only revisions that a newer one replaced; false: only the others. Left out: "
            "both."
        ),
    )

    def rows(self) -> Rows:
        """What a viewer may see of them; the same function for the same filter."""
        statuses = None if self.status is None else frozenset(self.status)
        return _submissions(statuses, self.superseded)


@cache
def _submissions(statuses: frozenset[SubmissionStatus] | None, superseded: bool | None) -> Rows:
    # Cached, because pages are batched by the identity of this function.
    def visible(viewer: UserRow | None) -> QuerySet[models.Submission]:
        rows = submissions_visible_to(viewer)
        if statuses is not None:
            rows = rows.filter(status__in=sorted(statuses))
        if superseded is not None:
            rows = rows.filter(superseded_at__isnull=not superseded)
        return rows

    return visible


@strawberry.input(description="The draft of one's work: what is left out is cleared.")
class SaveSubmissionInput:
    job_id: strawberry.ID = strawberry.field(description="One that the viewer is selected for.")
    note: str | None = strawberry.field(
        default=None, description="Words to the owner: at most 5000 characters."
    )
    text: str | None = strawberry.field(
        default=None, description="The work itself: at most 50000 characters."
    )
    links: list[URL] | None = strawberry.field(
        default=None, description="At most 20 web addresses, with https:// or http://."
    )
    file_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="At most 20 of one's own files."
    )


@strawberry.input(description="Names one submission.")
class SubmissionIdInput:
    submission_id: strawberry.ID = strawberry.field(description="One's own, by its `id`.")


@strawberry.input(description="What becomes of submitted work.")
class ReviewSubmissionInput:
    submission_id: strawberry.ID = strawberry.field(
        description="Handed in for a job of one's own, and not superseded."
    )
    decision: ReviewDecision = strawberry.field(description="What the owner says.")
    idempotency_key: UUID = strawberry.field(
        description="A fresh one per decision. Repeating it changes nothing again."
    )
    amount: AmountInput | None = strawberry.field(
        default=None,
        description="With ACCEPT: this much of what is not accepted yet, at least a twentieth of "
        "the reward. Left out: all of it.",
    )
    comment: str | None = strawberry.field(
        default=None, description="At most 5000 characters. REQUEST_CHANGES and REJECT need it."
    )


@rule(WITH_PARENT)
@strawberry.type(description="What became of a change to a submission.")
class SubmissionPayload(Payload):
    submission: Submission | None = strawberry.field(
        default=None, description="It, as it is now; null when there are errors."
    )


@strawberry.type
class SubmissionMutation:
    @mutation(
        description=(
            "Keep the draft of one's work for a job, replacing what was kept before. Safe to "
            "repeat. After a request for changes this is the draft of the next revision."
        )
    )
    async def save_submission(self, info: Info, input: SaveSubmissionInput) -> SubmissionPayload:
        user = await info.context.require_user()
        row = await info.context.db(
            work.save_submission,
            user=user,
            job_id=decode_id(input.job_id, type_name="Job", path=("jobId",)),
            note=input.note,
            text=input.text,
            links=input.links or (),
            file_ids=decode_ids(input.file_ids, type_name="File", path="fileIds"),
            now=info.context.now(),
        )
        return SubmissionPayload(submission=Submission.from_model(row))

    @mutation(
        description=(
            "Hand in one's draft; from now on only the owner decides. Refused with VALIDATION "
            "while something is missing that the job asks for. A repetition is refused with "
            "INVALID_TRANSITION."
        )
    )
    async def submit_work(self, info: Info, input: SubmissionIdInput) -> SubmissionPayload:
        user = await info.context.require_user()
        row = await info.context.db(
            work.submit_work,
            user=user,
            submission_id=_submission_id(input.submission_id),
            now=info.context.now(),
        )
        return SubmissionPayload(submission=Submission.from_model(row))

    @mutation(
        description=(
            "Accept submitted work in whole or part, ask for changes, or reject it. The worker "
            "can dispute what is not accepted for 5 days. Safe to repeat with the same key."
        ),
        moves_money=True,
    )
    async def review_submission(
        self, info: Info, input: ReviewSubmissionInput
    ) -> SubmissionPayload:
        user = await info.context.require_user()
        row = await info.context.db(
            review.review_submission,
            user=user,
            submission_id=_submission_id(input.submission_id),
            decision=input.decision,
            amount=None if input.amount is None else input.amount.to_amount(path=("amount",)),
            comment=input.comment,
            idempotency_key=input.idempotency_key,
            now=info.context.now(),
        )
        return SubmissionPayload(submission=Submission.from_model(row))

    @mutation(
        description=(
            "Take the owner's decision about one's work as final, before the time for a dispute "
            "is over. It cannot be taken back, and a repetition is refused with INVALID_TRANSITION."
        )
    )
    async def acknowledge_decision(self, info: Info, input: SubmissionIdInput) -> SubmissionPayload:
        user = await info.context.require_user()
        row = await info.context.db(
            review.acknowledge_decision,
            user=user,
            submission_id=_submission_id(input.submission_id),
            now=info.context.now(),
        )
        return SubmissionPayload(submission=Submission.from_model(row))


def _submission_id(id: strawberry.ID) -> UUID:
    return decode_id(id, type_name="Submission", path=("submissionId",))
