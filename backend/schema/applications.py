"""Applications: who wants to do a job, and what its owner decides."""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Annotated, Self

import strawberry
from django.db.models import QuerySet

from backend.accounts.models import User as UserRow
from backend.jobs import models, queries, recruiting
from backend.jobs.facts import application_facts
from backend.jobs.lifecycle.application import RULES, ApplicationAction
from backend.jobs.lifecycle.rules import allowed
from backend.jobs.status import ApplicationStatus
from backend.known import as_known
from backend.schema.accounts import User
from backend.schema.attachments import files_of
from backend.schema.connections import After, Connection, First, Span, nested_page, page
from backend.schema.context import Info
from backend.schema.enums import describe_values
from backend.schema.errors import Payload, mutation
from backend.schema.files import File
from backend.schema.nodes import Node, decode_id, decode_ids, load_node
from backend.schema.permissions import WITH_PARENT, rule
from backend.schema.submissions import Submission, SubmissionFilter
from backend.schema.wallets import Wallet

if TYPE_CHECKING:
    from backend.schema.funding import Allocation
    from backend.schema.jobs import Job

Rows = Callable[[UserRow | None], QuerySet[models.Application]]

strawberry.enum(
    ApplicationStatus,
    description="What became of an application. The owner can change it until the work begins.",
)
describe_values(
    ApplicationStatus,
    PENDING="Not decided yet.",
    SELECTED="Takes one of the job's places.",
    REJECTED="Turned down by the owner, or still pending when the work began.",
    WITHDRAWN="Taken back by the applicant, who can apply again while the job recruits.",
)
strawberry.enum(
    ApplicationAction, description="A step with an application, and so a button to show."
)
describe_values(
    ApplicationAction,
    SELECT="Give it one of the job's places: decideApplications with it in `select`.",
    REJECT="Turn it down: decideApplications with it in `reject`.",
    RESET="Make it PENDING again: decideApplications with it in `reset`.",
    WITHDRAW="Take it back, with withdrawApplication.",
)


@rule(queries.applications_visible_to)
@strawberry.type(
    description=(
        "One person's wish to do a job. Seen by them, the job's owner, operators and auditors."
    )
)
class Application(Node):
    row: strawberry.Private[models.Application]
    note: str | None = strawberry.field(
        description="What the applicant says to the owner; null when nothing."
    )
    status: ApplicationStatus = strawberry.field(
        description="What became of it; for buttons read allowedActions instead."
    )
    created_at: datetime = strawberry.field(description="When it was first made.")
    updated_at: datetime = strawberry.field(description="When its status last changed.")

    @classmethod
    def from_model(cls, row: models.Application) -> Self:
        return cls(
            key=row.id,
            row=row,
            note=row.note or None,
            status=as_known(row.status, otherwise=ApplicationStatus.PENDING),
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    @strawberry.field(description="What it asks to do; null when the viewer may not see that job.")
    async def job(
        self, info: Info
    ) -> Annotated["Job", strawberry.lazy("backend.schema.jobs")] | None:
        from backend.schema.jobs import Job

        return await load_node(info, Job, self.row.job_id)

    @strawberry.field(description="Who applies; null when the account is closed.")
    async def applicant(self, info: Info) -> User | None:
        return await load_node(info, User, self.row.applicant_id)

    @strawberry.field(description=("The wallet where the pay goes. Only to the applicant."))
    async def payout_wallet(self, info: Info) -> Wallet | None:
        return await load_node(info, Wallet, self.row.payout_wallet_id)

    @strawberry.field(description="Files that the applicant shows, oldest first; at most 10.")
    async def attachments(self, info: Info) -> list[File]:
        return await files_of(info, models.Application.attachments, self.key)

    @strawberry.field(
        description=(
            "The newest promise of pay for it: see `allocations`. Null while nothing was promised."
        )
    )
    async def allocation(
        self, info: Info
    ) -> Annotated["Allocation", strawberry.lazy("backend.schema.funding")] | None:
        from backend.schema.promises import allocation_of_application

        return await allocation_of_application(info, self.key)

    @strawberry.field(
        description=(
            "What is, or was, promised for it, oldest first. One for each funding that has a part "
            "in its reward."
        )
    )
    async def allocations(
        self, info: Info
    ) -> list[Annotated["Allocation", strawberry.lazy("backend.schema.funding")]]:
        from backend.schema.promises import allocations_of_application

        return await allocations_of_application(info, self.key)

    @strawberry.field(description="What the viewer may do with it now: the buttons to show.")
    async def allowed_actions(self, info: Info) -> list[ApplicationAction]:
        from backend.schema.jobs import Job, facts_of

        viewer = await info.context.viewer()
        job = await load_node(info, Job, self.row.job_id)
        if viewer is None or job is None:
            return []
        facts = application_facts(
            user=viewer,
            application=self.row,
            job=job.row,
            selected=(await facts_of(info, viewer, job.row)).selected,
        )
        return allowed(RULES, facts)

    @strawberry.field(
        description=(
            "The work that came of it, newest first. Its worker sees the draft too, others only "
            "what was handed in."
        )
    )
    async def submissions(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        filter: Annotated[
            SubmissionFilter | None,
            strawberry.argument(description="Which of them. Left out: all."),
        ] = None,
    ) -> Connection[Submission]:
        return await nested_page(
            info,
            (filter or SubmissionFilter()).rows(),
            parent_field="application_id",
            parent_id=self.key,
            convert=Submission.from_model,
            first=first,
            after=after,
        )


@strawberry.input(description="Which applications to list.")
class ApplicationFilter:
    status: list[ApplicationStatus] | None = strawberry.field(
        default=None, description="Those that came to one of these. Left out: any."
    )

    def rows(self) -> Rows:
        """What a viewer may see of them; the same function for the same filter."""
        return _applications(None if self.status is None else frozenset(self.status))


@cache
def _applications(statuses: frozenset[ApplicationStatus] | None) -> Rows:
    # Cached, because pages are batched by the identity of this function.
    def visible(viewer: UserRow | None) -> QuerySet[models.Application]:
        rows = queries.applications_visible_to(viewer)
        return rows if statuses is None else rows.filter(status__in=sorted(statuses))

    return visible


@strawberry.type
class ApplicationQuery:
    @strawberry.field(
        description=(
            "What the viewer has applied for and works on, whatever has become of the job; newest "
            "first, empty to a visitor. `Job.applications` has those to a job of one's own."
        )
    )
    async def my_applications(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        filter: Annotated[
            ApplicationFilter | None,
            strawberry.argument(description="Which of them. Left out: all."),
        ] = None,
    ) -> Connection[Application]:
        viewer = await info.context.viewer()
        rows = (filter or ApplicationFilter()).rows()
        return await page(
            info,
            rows(viewer).filter(applicant=viewer),
            Span(first=first, after=after, list_name=_list_name(filter)),
            convert=Application.from_model,
        )


def _list_name(filter: ApplicationFilter | None) -> str:
    return "mine" if filter is None or filter.status is None else f"mine {sorted(filter.status)}"


@strawberry.input(description="A wish to do a job.")
class ApplyInput:
    job_id: strawberry.ID = strawberry.field(description="Somebody else's, RECRUITING.")
    note: str | None = strawberry.field(
        default=None, description="Words to the owner: at most 5000 characters."
    )
    attachment_file_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Files to show with it: at most 10 of one's own."
    )
    payout_wallet_id: strawberry.ID | None = strawberry.field(
        default=None, description="Where the pay goes. Left out: one's default wallet."
    )


@strawberry.input(description="Names one application.")
class ApplicationIdInput:
    application_id: strawberry.ID = strawberry.field(description="One's own, by its `id`.")


@strawberry.input(description="What becomes of applications: all of it happens, or nothing.")
class DecideApplicationsInput:
    job_id: strawberry.ID = strawberry.field(description="One's own; all of them are for it.")
    select: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description=(
            "Those to work. With those selected before they are at most workersNeeded; places "
            "that `reject` and `reset` free count as free."
        ),
    )
    reject: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Those to turn down."
    )
    reset: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Those to put back to PENDING."
    )


@rule(WITH_PARENT)
@strawberry.type(description="What became of a change to an application.")
class ApplicationPayload(Payload):
    application: Application | None = strawberry.field(
        default=None, description="It, as it is now; null when there are errors."
    )


@rule(WITH_PARENT)
@strawberry.type(description="What became of several applications to one job.")
class ApplicationsPayload(Payload):
    job: Annotated["Job", strawberry.lazy("backend.schema.jobs")] | None = strawberry.field(
        default=None, description="What they are for, as it is now; null when there are errors."
    )
    applications: list[Application] = strawberry.field(
        default_factory=list, description="Those named in the input, oldest first."
    )


@strawberry.type
class ApplicationMutation:
    @mutation(
        description=(
            "Apply to a job of somebody else. Refused with FORBIDDEN for a job of one's own, "
            "VALIDATION for a second application, as a repetition is one, INVALID_TRANSITION once "
            "recruiting is over, WALLET_REQUIRED without a wallet, ASSET_MISMATCH where it holds "
            "another asset than a FIXED_RECEIVE job pays."
        )
    )
    async def apply_to_job(self, info: Info, input: ApplyInput) -> ApplicationPayload:
        user = await info.context.require_user()
        wallet = input.payout_wallet_id
        row = await info.context.db(
            recruiting.apply_to_job,
            user=user,
            job_id=decode_id(input.job_id, type_name="Job", path=("jobId",)),
            note=input.note,
            attachment_ids=decode_ids(
                input.attachment_file_ids, type_name="File", path="attachmentFileIds"
            ),
            payout_wallet_id=None
            if wallet is None
            else decode_id(wallet, type_name="Wallet", path=("payoutWalletId",)),
            now=info.context.now(),
        )
        return ApplicationPayload(application=Application.from_model(row))

    @mutation(
        description=(
            "Take back one's application, before the work begins. A repetition is refused with "
            "INVALID_TRANSITION."
        )
    )
    async def withdraw_application(
        self, info: Info, input: ApplicationIdInput
    ) -> ApplicationPayload:
        user = await info.context.require_user()
        row = await info.context.db(
            recruiting.withdraw_application,
            user=user,
            application_id=decode_id(
                input.application_id, type_name="Application", path=("applicationId",)
            ),
            now=info.context.now(),
        )
        return ApplicationPayload(application=Application.from_model(row))

    @mutation(
        description=(
            "Select, reject and reset applications to one's job. Safe to repeat: what is decided "
            "that way already stays. Refused with VALIDATION when more would be selected than "
            "workersNeeded."
        )
    )
    async def decide_applications(
        self, info: Info, input: DecideApplicationsInput
    ) -> ApplicationsPayload:
        from backend.schema.jobs import Job

        user = await info.context.require_user()
        job, applications = await info.context.db(
            recruiting.decide_applications,
            user=user,
            job_id=decode_id(input.job_id, type_name="Job", path=("jobId",)),
            select=decode_ids(input.select, type_name="Application", path="select"),
            reject=decode_ids(input.reject, type_name="Application", path="reject"),
            reset=decode_ids(input.reset, type_name="Application", path="reset"),
            now=info.context.now(),
        )
        return ApplicationsPayload(
            job=Job.from_model(job),
            applications=[Application.from_model(row) for row in applications],
        )
