"""Jobs: what is offered, by whom, and where it stands."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

import strawberry
from django.db.models import Count
from strawberry import argument

from backend.accounts.models import User as UserRow
from backend.funding.fees import asset_of, fee_on, terms_of_assets
from backend.funding.queries import (
    authorized_until,
    jobs_with_assurance,
    money_behind,
)
from backend.funding.status import FundingAssurance, FundingStatus
from backend.jobs import models, queries
from backend.jobs.facts import job_facts
from backend.jobs.lifecycle.job import RULES, JobAction, JobFacts
from backend.jobs.lifecycle.rules import allowed
from backend.jobs.search import JobOrder, search_jobs
from backend.jobs.status import (
    ApplicationStatus,
    DeliverableType,
    JobStatus,
    Pricing,
)
from backend.known import as_known
from backend.schema.accounts import User
from backend.schema.amounts import Amount
from backend.schema.applications import Application, ApplicationFilter
from backend.schema.attachments import files_of
from backend.schema.connections import After, Connection, First, Part, Span, nested_page, page
from backend.schema.context import Info
from backend.schema.enums import describe_values
from backend.schema.files import File
from backend.schema.funding import Funding, fundings_of_job
from backend.schema.job_inputs import (
    JobFilter,
)
from backend.schema.nodes import Node, load_node, node_of
from backend.schema.payments import Payment, payments_of_job
from backend.schema.permissions import rule
from backend.schema.submissions import Submission, SubmissionFilter

strawberry.enum(JobAction, description="A step with a job, and so a button to show.")
describe_values(
    JobAction,
    EDIT="Change it, with updateJob.",
    PUBLISH="Open it for applications, with publishJob.",
    DUPLICATE="Make a draft like it, with duplicateJob.",
    APPLY="Ask to do the work, with applyToJob.",
    CLOSE_RECRUITING="Stop taking applications, with closeRecruiting.",
    REOPEN="Take applications again, with reopenRecruiting.",
    EXTEND="Move deadlines away, with extendJob.",
    SELECT="Decide about applications, with decideApplications.",
    FUND="Put the whole budget behind it, with fundJob.",
    PRE_FUND="Secure the pay of those who are selected and let the work begin, with preFundJob.",
    SUBMIT="Hand in work, with saveSubmission and then submitWork.",
    REVIEW="Decide about a submission, with reviewSubmission.",
    COMPLETE="End it with what was accepted, with completeJob.",
    CANCEL="End it early, with cancelJob.",
)


@rule(queries.jobs_visible_to)
@strawberry.type(
    description=(
        "Work that its owner offers, and what each worker gets for it. Everybody sees it once "
        "it is published; a draft is seen by its owner, operators and auditors."
    )
)
class Job(Node):
    row: strawberry.Private[models.Job]
    version: int = strawberry.field(
        description="Grows with every change; updateJob wants it back as expectedVersion."
    )
    title: str = strawberry.field(description="What it is about, in 1 to 200 characters.")
    description: str = strawberry.field(
        description="What is to be done, in at most 20000 characters; may be empty in a draft."
    )
    language_tag: str | None = strawberry.field(
        description="The language of the work, as a BCP 47 tag; null means any."
    )
    dialect: str | None = strawberry.field(
        description="The variety of the language, in words; null when the owner names none."
    )
    deliverables: list[DeliverableType] = strawberry.field(
        description="What workers hand in: at least one of each. Empty only in a draft."
    )
    pricing: Pricing = strawberry.field(
        description="Whose side is exact when the worker's wallet has another asset."
    )
    reward: Amount = strawberry.field(
        description="What each worker gets for work that is accepted in full."
    )
    workers_needed: int = strawberry.field(description="How many people can be selected.")
    total_budget: Amount = strawberry.field(description="Reward × workers needed.")
    status: JobStatus = strawberry.field(
        description="Where it is in its life; for buttons read allowedActions instead."
    )
    recruit_limit: int = strawberry.field(
        description="So many applications close recruiting; those withdrawn do not count."
    )
    recruit_until: datetime | None = strawberry.field(
        description="When recruiting ends at the latest; null in a draft that leaves it open."
    )
    submit_days: int = strawberry.field(
        description="Days that workers have for the work, and again for each revision."
    )
    submit_until: datetime | None = strawberry.field(
        description="When the time to hand in first work ends; null until the work begins."
    )
    review_days: int = strawberry.field(
        description="Days that the owner has for the review; after them silence accepts."
    )
    expires_at: datetime | None = strawberry.field(
        description="When it ends unless work was handed in; null in a draft that leaves it open."
    )
    close_recruiting_when_funded: bool = strawberry.field(
        description="Whether money closes recruiting, once somebody has applied."
    )
    created_at: datetime = strawberry.field(description="When it was drafted.")
    updated_at: datetime = strawberry.field(description="When anything about it last changed.")

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
            pricing=Pricing(row.pricing),
            workers_needed=row.workers_needed,
            total_budget=Amount.of(row.total_budget),
            status=as_known(row.status, otherwise=JobStatus.REVIEWING),
            recruit_limit=row.recruit_limit,
            recruit_until=row.recruit_until,
            submit_days=row.submit_days,
            submit_until=row.submit_until,
            review_days=row.review_days,
            expires_at=row.expires_at,
            close_recruiting_when_funded=row.close_recruiting_when_funded,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    @strawberry.field(description="Who offers it; null when the account is closed.")
    async def owner(self, info: Info) -> User | None:
        return await load_node(info, User, self.row.owner_id)

    @strawberry.field(
        description=(
            "What the platform takes on top of totalBudget in modes PREAPPROVED and ESCROW, at the "
            "rate of today; workers get the whole reward. Mode DIRECT has no fee."
        )
    )
    async def platform_fee(self, info: Info) -> Amount:
        terms = await info.context.batched(terms_of_assets, asset_of(self.row))
        bps = terms.bps if terms else 0
        return Amount.of(self.row.amount(fee_on(self.row.total_budget.value, bps)))

    @strawberry.field(description="How sure the money is, of the least sure funding behind it.")
    async def funding_assurance(self, info: Info) -> FundingAssurance:
        return await self._assurance(info)

    @strawberry.field(
        description=(
            "Until when the payer's wallet pays, where fundingAssurance is AUTHORIZED: the first "
            "end of the consents behind it. Null in all other cases, and where there is no end."
        )
    )
    async def authorized_until(self, info: Info) -> datetime | None:
        if await self._assurance(info) is not FundingAssurance.AUTHORIZED:
            return None
        return await info.context.batched(authorized_until, self.key)

    @strawberry.field(
        description=(
            "What the viewer may do with it now: the buttons to show. Empty for a visitor."
        )
    )
    async def allowed_actions(self, info: Info) -> list[JobAction]:
        viewer = await info.context.viewer()
        if viewer is None:
            return []
        actions = allowed(RULES, await facts_of(info, viewer, self.row))
        standing = None
        if {JobAction.FUND, JobAction.PRE_FUND} & set(actions):
            money = await info.context.batched(money_behind, self.key)
            standing = money.standing if money else None
        if JobAction.FUND in actions and standing is not None:
            actions.remove(JobAction.FUND)
        if JobAction.PRE_FUND in actions and standing is FundingStatus.AWAITING_APPROVAL:
            actions.remove(JobAction.PRE_FUND)
        return actions

    @strawberry.field(description="How many workers' work is accepted, in whole or part.")
    async def accepted_count(self, info: Info) -> int:
        if self.row.status in {JobStatus.DRAFT, JobStatus.RECRUITING, JobStatus.SELECTING}:
            return 0
        return await info.context.batched(accepted_counts, self.key) or 0

    @strawberry.field(description="How many people have applied and not withdrawn.")
    async def application_count(self, info: Info) -> int:
        viewer = await info.context.viewer()
        if viewer is not None:
            # Counted already for the buttons that are shown beside it.
            return (await facts_of(info, viewer, self.row)).applications
        return await info.context.batched(application_counts, self.key) or 0

    @strawberry.field(description="Files that the owner shows with it, oldest first; at most 10.")
    async def references(self, info: Info) -> list[File]:
        return await files_of(info, models.Job.references, self.key)

    @strawberry.field(description="The title read aloud; null when the owner gave no recording.")
    async def title_audio(self, info: Info) -> File | None:
        if self.row.title_audio_id is None:
            return None
        return await load_node(info, File, self.row.title_audio_id)

    @strawberry.field(
        description=(
            "One's own application; all of them to the job's owner, operators and auditors. Newest "
            "first."
        )
    )
    async def applications(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        filter: Annotated[
            ApplicationFilter | None, argument(description="Which of them. Left out: all.")
        ] = None,
    ) -> Connection[Application]:
        return await nested_page(
            info,
            (filter or ApplicationFilter()).rows(),
            parent_field="job_id",
            parent_id=self.key,
            convert=Application.from_model,
            first=first,
            after=after,
        )

    @strawberry.field(
        description=(
            "One's own work, drafts included; to the job's owner, operators and auditors all that "
            "was handed in. Newest first."
        )
    )
    async def submissions(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        filter: Annotated[
            SubmissionFilter | None, argument(description="Which of them. Left out: all.")
        ] = None,
    ) -> Connection[Submission]:
        return await nested_page(
            info,
            (filter or SubmissionFilter()).rows(),
            parent_field="job_id",
            parent_id=self.key,
            convert=Submission.from_model,
            first=first,
            after=after,
        )

    @strawberry.field(
        description=(
            "The payments behind it that one takes part in, all of them to operators and "
            "auditors; newest first."
        )
    )
    async def payments(
        self, info: Info, first: First = None, after: After = None
    ) -> Connection[Payment]:
        return await payments_of_job(self.key, info, first, after)

    @strawberry.field(
        description=(
            "The money behind it: to its owner, to who pays, to operators and auditors; newest "
            "first."
        )
    )
    async def fundings(
        self, info: Info, first: First = None, after: After = None
    ) -> Connection[Funding]:
        return await fundings_of_job(self.key, info, first, after)

    async def _assurance(self, info: Info) -> FundingAssurance:
        found = await info.context.batched(money_behind, self.key)
        return found.assurance if found else FundingAssurance.NONE


async def facts_of(info: Info, viewer: UserRow, job: models.Job) -> JobFacts:
    """What the rules see of `job` for `viewer`; many jobs are asked about in one statement."""
    now = info.context.now()

    def load(jobs: list[models.Job]) -> dict[models.Job, JobFacts]:
        found = job_facts(user=viewer, jobs=jobs, now=now)
        return {each: found[each.id] for each in jobs}

    facts = await info.context.loader("job facts", lambda: load).load(job)
    assert facts is not None
    return facts


def accepted_counts(job_ids: list[UUID]) -> dict[UUID, int]:
    """How many workers of each job have accepted work."""
    rows = models.Submission.objects.filter(job_id__in=job_ids, accepted_value__gt=0)
    return dict(rows.order_by().values_list("job_id").annotate(Count("id")))


def application_counts(job_ids: list[UUID]) -> dict[UUID, int]:
    """How many applications each job has, without those withdrawn."""
    rows = models.Application.objects.filter(job_id__in=job_ids)
    standing = rows.exclude(status=ApplicationStatus.WITHDRAWN)
    return dict(standing.order_by().values_list("job_id").annotate(Count("id")))


@strawberry.type
class JobQuery:
    @strawberry.field(description="A job; null when there is none, or it is a foreign draft.")
    async def job(
        self,
        info: Info,
        id: Annotated[strawberry.ID, argument(description="As `Job.id` gives it.")],
    ) -> Job | None:
        return await node_of(info, Job, id)

    @strawberry.field(description="Published jobs, and the drafts that the viewer may see.")
    async def jobs(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Annotated[
            int | None, argument(description="Instead of `first`: 1 to 100, from the list's end.")
        ] = None,
        before: Annotated[
            str | None, argument(description="What stands ahead of this cursor.")
        ] = None,
        filter: Annotated[
            JobFilter | None, argument(description="Which of them. Left out: all.")
        ] = None,
        order_by: Annotated[
            JobOrder | None, argument(description="Left out, or null: NEWEST.")
        ] = JobOrder.NEWEST,
    ) -> Connection[Job]:
        wanted = filter or JobFilter()
        search, assurance = wanted.to_search(order_by or JobOrder.NEWEST), wanted.wanted_assurance()
        found = await info.context.db(
            search_jobs,
            user=await info.context.viewer(),
            search=search,
            now=info.context.now(),
            among=None if assurance is None else jobs_with_assurance(assurance),
        )
        span = Span(
            first=first, after=after, last=last, before=before, list_name=repr((search, assurance))
        )
        part = None if found.among is None else Part(found.among, found.at_most)
        return await page(
            info,
            found.jobs,
            span,
            convert=Job.from_model,
            part=part,
            by_key=models.Job.objects.all(),
        )
