"""What owners do with their jobs, from the draft to the end."""

from collections.abc import Callable
from typing import Protocol
from uuid import UUID

import strawberry
from django.db import transaction

from backend.accounts.models import Scope, User
from backend.errors import FaenaError
from backend.funding.queries import fundings_visible_to
from backend.funding.status import OPEN
from backend.jobs import endings, models, posting, recruiting
from backend.jobs.changes import lock_job
from backend.schema.context import Info
from backend.schema.errors import Payload, mutation
from backend.schema.job_inputs import (
    CancelJobInput,
    ExtendJobInput,
    JobIdInput,
    JobInput,
    ReopenRecruitingInput,
    UpdateJobInput,
)
from backend.schema.jobs import Job
from backend.schema.nodes import decode_id
from backend.schema.permissions import WITH_PARENT, rule


@rule(WITH_PARENT)
@strawberry.type(description="What became of a change to a job.")
class JobPayload(Payload):
    job: Job | None = strawberry.field(
        default=None, description="It, as it is now; null when there are errors."
    )


@strawberry.type
class JobMutation:
    @mutation(
        description=(
            "Keep a job as a draft. Each call makes another one: not for blind repetition. Refused "
            "with VALIDATION, AMOUNT_OUT_OF_RANGE, or NOT_FOUND for a file."
        )
    )
    async def create_job(self, info: Info, input: JobInput) -> JobPayload:
        user = await info.context.require_user()
        row = await info.context.db(
            posting.create_job, owner=user, data=input.to_data(), now=info.context.now()
        )
        return JobPayload(job=Job.from_model(row))

    @mutation(
        description=(
            "Replace what a job says: everything in a draft, words and files while it recruits. "
            "Refused with VERSION_CHANGED when it was changed since expectedVersion, and so is a "
            "repetition."
        )
    )
    async def update_job(self, info: Info, input: UpdateJobInput) -> JobPayload:
        user = await info.context.require_user()
        try:
            row = await info.context.db(
                posting.update_job,
                user=user,
                job_id=_job_id(input.job_id),
                data=input.job.to_data(),
                expected_version=input.expected_version,
                now=info.context.now(),
            )
        except FaenaError as error:
            if error.path and error.path[0] not in {"jobId", "expectedVersion"}:
                error.path = ("job", *error.path)
            raise
        return JobPayload(job=Job.from_model(row))

    @mutation(
        description=(
            "Open one's draft for applications. Refused with WALLET_REQUIRED without a wallet to "
            "pay from, with VALIDATION while something is missing. A repetition is refused with "
            "INVALID_TRANSITION."
        )
    )
    async def publish_job(self, info: Info, input: JobIdInput) -> JobPayload:
        return await _change(info, input, posting.publish_job)

    @mutation(
        description=(
            "Make a draft like a job of one's own, without its deadlines. Each call makes another "
            "one."
        )
    )
    async def duplicate_job(self, info: Info, input: JobIdInput) -> JobPayload:
        return await _change(info, input, posting.duplicate_job)

    @mutation(
        description=(
            "Stop taking applications, to select among those there are. Refused with "
            "INVALID_TRANSITION while nobody has applied, and so is a repetition."
        )
    )
    async def close_recruiting(self, info: Info, input: JobIdInput) -> JobPayload:
        return await _change(info, input, recruiting.close_recruiting)

    @mutation(
        description=(
            "Take applications again. What was decided about applications stays. Refused with "
            "INVALID_TRANSITION while a payment is on its way, and so is a repetition."
        )
    )
    async def reopen_recruiting(self, info: Info, input: ReopenRecruitingInput) -> JobPayload:
        return await _change(
            info,
            input,
            recruiting.reopen_recruiting,
            recruit_until=input.recruit_until,
            recruit_limit=input.recruit_limit,
        )

    @mutation(description="Give a job more time; deadlines only move away. Safe to repeat.")
    async def extend_job(self, info: Info, input: ExtendJobInput) -> JobPayload:
        return await _change(
            info,
            input,
            posting.extend_job,
            recruit_until=input.recruit_until,
            submit_until=input.submit_until,
            expires_at=input.expires_at,
        )

    @mutation(
        description=(
            "End a job before it is complete. Submitted work has to be decided first; what was "
            "accepted stays owed. An operator need not wait: undecided work counts as rejected. A "
            "repetition is refused with INVALID_TRANSITION. An API key needs the scope MONEY as "
            "well while there is money behind the job."
        )
    )
    async def cancel_job(self, info: Info, input: CancelJobInput) -> JobPayload:
        return await _end(info, input, endings.cancel_job, reason=input.reason)

    @mutation(
        description=(
            "End a reviewed job of which not all work was accepted in full. One that was is "
            "completed by itself. A repetition is refused with INVALID_TRANSITION. An API key "
            "needs the scope MONEY as well while there is money behind the job."
        )
    )
    async def complete_job(self, info: Info, input: JobIdInput) -> JobPayload:
        return await _end(info, input, endings.complete_job)


class _NamesJob(Protocol):
    job_id: strawberry.ID


async def _change(
    info: Info, input: _NamesJob, function: Callable[..., models.Job], **values: object
) -> JobPayload:
    user = await info.context.require_user()
    row = await info.context.db(
        function, user=user, job_id=_job_id(input.job_id), now=info.context.now(), **values
    )
    return JobPayload(job=Job.from_model(row))


async def _end(
    info: Info, input: _NamesJob, function: Callable[..., models.Job], **values: object
) -> JobPayload:
    """End a job. What stands behind it goes back: for that an API key needs MONEY as well."""

    def end(*, user: User, job_id: UUID, **given: object) -> models.Job:
        with transaction.atomic():
            # Whoever funds it locks it too: nothing comes to stand behind it meanwhile.
            lock_job(user=user, job_id=job_id)
            open_ones = fundings_visible_to(user).filter(job_id=job_id, status__in=sorted(OPEN))
            if open_ones.exists():
                info.context.check_scope(Scope.MONEY)
            return function(user=user, job_id=job_id, **given)

    return await _change(info, input, end if info.context.is_program else function, **values)


def _job_id(id: strawberry.ID) -> UUID:
    return decode_id(id, type_name="Job", path=("jobId",))
