"""Jobs and applications."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import Annotated, Self
from uuid import UUID

import strawberry
from django.db.models import QuerySet
from strawberry import argument

from backend.accounts.models import User as UserRow
from backend.funding.models import Funding as FundingRow
from backend.funding.queries import assurance_of, jobs_with_assurance
from backend.funding.status import COUNTING, FundingAssurance
from backend.jobs import models, queries, services
from backend.jobs.search import JobOrder, search_jobs
from backend.jobs.status import (
    ApplicationStatus,
    DeliverableType,
    JobAction,
    JobStatus,
    allowed_actions,
)
from backend.schema.accounts import User, Wallet
from backend.schema.amounts import Amount
from backend.schema.connections import Connection, Span, nested_page, page
from backend.schema.context import Info
from backend.schema.errors import Payload, mutation
from backend.schema.funding import Funding, fundings_of_job
from backend.schema.job_inputs import (
    ApplicationFilter,
    ApplyInput,
    DecideApplicationsInput,
    JobFilter,
    JobIdInput,
    JobInput,
)
from backend.schema.nodes import Node, decode_id, load_node, node_of
from backend.schema.payments import Payment, payments_of_job
from backend.schema.permissions import WITH_PARENT, rule

strawberry.enum(JobAction, description="What somebody may do with a job now: a button to show.")


@rule(queries.jobs_visible_to)
@strawberry.type(description="Work that its owner offers, and what each worker gets for it.")
class Job(Node):
    row: strawberry.Private[models.Job]
    version: int = strawberry.field(description="Grows with every change.")
    title: str = strawberry.field(description="What it is about, in a line.")
    description: str = strawberry.field(description="What is to be done.")
    language_tag: str | None = strawberry.field(
        description="The language of the work, as a BCP 47 tag; null means any."
    )
    dialect: str | None = strawberry.field(description="The variety of the language, in words.")
    deliverables: list[DeliverableType] = strawberry.field(description="What workers hand in.")
    reward: Amount = strawberry.field(description="What each worker gets.")
    workers_needed: int = strawberry.field(description="How many workers can be selected.")
    total_budget: Amount = strawberry.field(description="Reward × workers needed.")
    status: JobStatus = strawberry.field(description="Where it is in its life.")
    recruit_limit: int = strawberry.field(
        description="The number of applications that closes recruiting."
    )
    recruit_until: datetime | None = strawberry.field(
        description="When recruiting ends at the latest; null in a draft that leaves it open."
    )
    submit_days: int = strawberry.field(description="Days that workers have for the work.")
    review_days: int = strawberry.field(description="Days that the owner has for the review.")
    expires_at: datetime | None = strawberry.field(
        description="When it ends unless work was handed in; null in a draft that leaves it open."
    )
    close_recruiting_when_funded: bool = strawberry.field(
        description="Whether money closes recruiting, once somebody has applied."
    )
    created_at: datetime = strawberry.field(description="When it was drafted.")
    updated_at: datetime = strawberry.field(description="When it last changed.")

    @classmethod
    def from_model(cls, row: models.Job) -> Self:
        return cls(
            key=row.id,
            row=row,
            version=row.version,
            title=row.title,
            description=row.description,
            language_tag=row.language_tag or None,
            dialect=row.dialect or None,
            deliverables=[DeliverableType(kind) for kind in row.deliverables],
            reward=Amount.of(row.reward),
            workers_needed=row.workers_needed,
            total_budget=Amount.of(row.total_budget),
            status=JobStatus(row.status),
            recruit_limit=row.recruit_limit,
            recruit_until=row.recruit_until,
            submit_days=row.submit_days,
            review_days=row.review_days,
            expires_at=row.expires_at,
            close_recruiting_when_funded=row.close_recruiting_when_funded,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    @strawberry.field(description="Who offers it; null when the account is closed.")
    async def owner(self, info: Info) -> User | None:
        return await load_node(info, User, self.row.owner_id)

    @strawberry.field(description="What workers may rely on about the money.")
    async def funding_assurance(self, info: Info) -> FundingAssurance:
        found = await info.context.batched(assurance_of, self.key)
        return found or FundingAssurance.NONE

    @strawberry.field(description="What the viewer may do with it now; nothing for a visitor.")
    async def allowed_actions(self, info: Info) -> list[JobAction]:
        viewer = await info.context.viewer()
        actions = allowed_actions(job=self.row, user=viewer, now=info.context.now())
        if JobAction.FUND in actions and await info.context.batched(funded_jobs, self.key):
            actions.remove(JobAction.FUND)
        if JobAction.APPLY in actions and viewer and await self._has_applied(info, viewer):
            actions.remove(JobAction.APPLY)
        return actions

    @strawberry.field(description="One's own application, and all of them to the job's owner.")
    async def applications(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        filter: ApplicationFilter | None = None,
    ) -> Connection["Application"]:
        statuses = filter.status if filter else None
        return await nested_page(
            info,
            _applications(None if statuses is None else frozenset(statuses)),
            parent_field="job_id",
            parent_id=self.key,
            convert=Application.from_model,
            first=first,
            after=after,
        )

    @strawberry.field(description="The payments behind it that one takes part in.")
    async def payments(
        self, info: Info, first: int | None = None, after: str | None = None
    ) -> Connection[Payment]:
        return await payments_of_job(self.key, info, first, after)

    @strawberry.field(description="The money behind it, to its owner and to who pays.")
    async def fundings(
        self, info: Info, first: int | None = None, after: str | None = None
    ) -> Connection[Funding]:
        return await fundings_of_job(self.key, info, first, after)

    async def _has_applied(self, info: Info, viewer: UserRow) -> bool:
        def load(keys: list[UUID]) -> dict[UUID, bool]:
            return dict.fromkeys(queries.jobs_applied_to(user=viewer, job_ids=keys), True)

        return bool(await info.context.loader("jobs applied to", lambda: load).load(self.key))


@rule(queries.applications_visible_to)
@strawberry.type(description="One person's wish to do a job. Seen by them and the job's owner.")
class Application(Node):
    row: strawberry.Private[models.Application]
    note: str | None = strawberry.field(description="What the applicant says.")
    status: ApplicationStatus = strawberry.field(description="What became of it.")
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When its status last changed.")

    @classmethod
    def from_model(cls, row: models.Application) -> Self:
        return cls(
            key=row.id,
            row=row,
            note=row.note or None,
            status=ApplicationStatus(row.status),
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    @strawberry.field(description="The job it is for.")
    async def job(self, info: Info) -> Job | None:
        return await load_node(info, Job, self.row.job_id)

    @strawberry.field(description="Who applies; null when the account is closed.")
    async def applicant(self, info: Info) -> User | None:
        return await load_node(info, User, self.row.applicant_id)

    @strawberry.field(description="Where the pay would go. Only to the applicant; null to others.")
    async def payout_wallet(self, info: Info) -> Wallet | None:
        return await load_node(info, Wallet, self.row.payout_wallet_id)


def funded_jobs(job_ids: list[UUID]) -> dict[UUID, bool]:
    """Those jobs that cannot be funded again now: paid, or waiting for the payer's approval."""
    standing = FundingRow.objects.filter(job_id__in=job_ids, status__in=sorted(COUNTING))
    return dict.fromkeys(standing.values_list("job_id", flat=True), True)


@cache
def _applications(
    statuses: frozenset[ApplicationStatus] | None,
) -> Callable[[UserRow | None], QuerySet[models.Application]]:
    # Cached, because pages are batched by the identity of this function.
    def visible(viewer: UserRow | None) -> QuerySet[models.Application]:
        rows = queries.applications_visible_to(viewer)
        return rows if statuses is None else rows.filter(status__in=sorted(statuses))

    return visible


@strawberry.type
class JobQuery:
    @strawberry.field(description="A job; null when there is none, or it is a foreign draft.")
    async def job(self, info: Info, id: strawberry.ID) -> Job | None:
        return await node_of(info, Job, id)

    @strawberry.field(description="All published jobs, and one's own drafts.")
    async def jobs(
        self,
        info: Info,
        first: Annotated[int | None, argument(description="The page size: 1 to 100.")] = None,
        after: Annotated[str | None, argument(description="Behind this cursor.")] = None,
        last: Annotated[
            int | None, argument(description="Instead of `first`: a page from the list's end.")
        ] = None,
        before: Annotated[str | None, argument(description="Ahead of this cursor.")] = None,
        filter: Annotated[JobFilter | None, argument(description="Which jobs.")] = None,
        order_by: Annotated[
            JobOrder | None, argument(description="Left out, or null: NEWEST.")
        ] = JobOrder.NEWEST,
    ) -> Connection[Job]:
        wanted = filter or JobFilter()
        search, assurance = wanted.to_search(order_by or JobOrder.NEWEST), wanted.wanted_assurance()
        rows = search_jobs(
            user=await info.context.viewer(),
            search=search,
            now=info.context.now(),
            among=None if assurance is None else jobs_with_assurance(assurance),
        )
        span = Span(
            first=first, after=after, last=last, before=before, list_name=repr((search, assurance))
        )
        return await page(info, rows, span, convert=Job.from_model)


@rule(WITH_PARENT)
@strawberry.type(description="A job.")
class JobPayload(Payload):
    job: Job | None = strawberry.field(default=None, description="The job as it is now.")


@rule(WITH_PARENT)
@strawberry.type(description="An application.")
class ApplicationPayload(Payload):
    application: Application | None = strawberry.field(
        default=None, description="The application as it is now."
    )


@rule(WITH_PARENT)
@strawberry.type(description="A job and the applications that were decided.")
class ApplicationsPayload(Payload):
    job: Job | None = strawberry.field(default=None, description="The job.")
    applications: list[Application] = strawberry.field(
        default_factory=list, description="Those named in the input, oldest first."
    )


@strawberry.type
class JobMutation:
    @mutation(description="Keep a job as a draft that only oneself sees.")
    async def create_job(self, info: Info, input: JobInput) -> JobPayload:
        user = await info.context.require_user()
        row = await info.context.db(
            services.create_job, owner=user, data=input.to_data(), now=info.context.now()
        )
        return JobPayload(job=Job.from_model(row))

    @mutation(description="Open one's draft for applications. Needs a wallet to pay from.")
    async def publish_job(self, info: Info, input: JobIdInput) -> JobPayload:
        user = await info.context.require_user()
        row = await info.context.db(
            services.publish_job, user=user, job_id=_job_id(input.job_id), now=info.context.now()
        )
        return JobPayload(job=Job.from_model(row))

    @mutation(description="Apply to a job of somebody else, with a wallet in the job's asset.")
    async def apply_to_job(self, info: Info, input: ApplyInput) -> ApplicationPayload:
        user = await info.context.require_user()
        wallet = input.payout_wallet_id
        row = await info.context.db(
            services.apply_to_job,
            user=user,
            job_id=_job_id(input.job_id),
            note=input.note,
            payout_wallet_id=None
            if wallet is None
            else decode_id(wallet, type_name="Wallet", path=("payoutWalletId",)),
            now=info.context.now(),
        )
        return ApplicationPayload(application=Application.from_model(row))

    @mutation(description="Select, reject and reset applications to one's job. Safe to repeat.")
    async def decide_applications(
        self, info: Info, input: DecideApplicationsInput
    ) -> ApplicationsPayload:
        user = await info.context.require_user()
        job, applications = await info.context.db(
            services.decide_applications,
            user=user,
            job_id=_job_id(input.job_id),
            select=_application_ids(input.select, path="select"),
            reject=_application_ids(input.reject, path="reject"),
            reset=_application_ids(input.reset, path="reset"),
            now=info.context.now(),
        )
        return ApplicationsPayload(
            job=Job.from_model(job),
            applications=[Application.from_model(row) for row in applications],
        )


def _job_id(id: strawberry.ID) -> UUID:
    return decode_id(id, type_name="Job", path=("jobId",))


def _application_ids(ids: Sequence[strawberry.ID] | None, *, path: str) -> list[UUID]:
    return [decode_id(id, type_name="Application", path=(path,)) for id in ids or ()]
