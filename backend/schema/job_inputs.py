"""What callers send about jobs and applications, and the same in the domain's words."""

from datetime import datetime

import strawberry

from backend.funding.status import FundingAssurance
from backend.jobs.search import MOST_RANKED, JobOrder, JobSearch
from backend.jobs.status import ApplicationStatus, DeliverableType, JobStatus
from backend.jobs.validation import JobData
from backend.schema.amounts import AmountInput
from backend.schema.enums import describe_values

strawberry.enum(JobStatus, description="Where a job is in its life; the last three are final.")
strawberry.enum(ApplicationStatus, description="What became of an application.")
strawberry.enum(DeliverableType, description="What a worker hands in.")
strawberry.enum(
    FundingAssurance,
    description=(
        "What a worker may rely on. AUTHORIZED is the payer's promise, HELD is with the "
        "platform, and only PAID says that the money has arrived."
    ),
)
strawberry.enum(JobOrder, description="The order of a list of jobs.")
describe_values(
    JobOrder,
    NEWEST="The newest first.",
    DEADLINE="The next end of recruiting first; without those where it has passed.",
    REWARD="The highest reward first, in the asset that filter.rewardMin has to name.",
    RELEVANCE=(
        "What fits filter.text best first; a word in the title counts most. "
        f"Among the {MOST_RANKED} newest jobs with these words."
    ),
)


@strawberry.input(description="Which applications to list.")
class ApplicationFilter:
    status: list[ApplicationStatus] | None = strawberry.field(
        default=None, description="Those in one of these."
    )


@strawberry.input(description="Which jobs to list. Each field narrows; left out, it does not.")
class JobFilter:
    status: list[JobStatus] | None = strawberry.field(
        default=None, description="Those in one of these."
    )
    language_tag: str | None = strawberry.field(
        default=None, description="A BCP 47 tag, with all of its regions: es finds es-MX."
    )
    deliverable: DeliverableType | None = strawberry.field(
        default=None, description="Those that ask for this."
    )
    text: str | None = strawberry.field(
        default=None,
        description=(
            "At most 10 words: each has to begin a word of title or description. Case and accents "
            "do not count."
        ),
    )
    reward_min: AmountInput | None = strawberry.field(
        default=None, description="Those that pay at least this, in the same asset and scale."
    )
    assurance: list[FundingAssurance] | None = strawberry.field(
        default=None, description="Those whose money is in one of these states."
    )
    mine: bool | None = strawberry.field(
        default=None, description="One's own only, drafts included."
    )
    hide_applied: bool | None = strawberry.field(
        default=None,
        description="Without those that one has applied to. For a visitor that is all of them.",
    )

    def to_search(self, order: JobOrder) -> JobSearch:
        """The same in the domain's words, without `assurance`, which is not the domain's."""
        least = self.reward_min
        return JobSearch(
            statuses=None if self.status is None else tuple(sorted(set(self.status))),
            language_tag=self.language_tag,
            deliverable=self.deliverable,
            text=self.text,
            reward_min=least.to_amount(path=("filter", "rewardMin")) if least else None,
            mine=bool(self.mine),
            hide_applied=bool(self.hide_applied),
            order=order,
        )

    def wanted_assurance(self) -> tuple[FundingAssurance, ...] | None:
        """The states of money to list, in the order of their names; None is any."""
        return None if self.assurance is None else tuple(sorted(set(self.assurance)))


@strawberry.input(description="A job as its owner wants it.")
class JobInput:
    title: str = strawberry.field(description="1 to 200 characters.")
    description: str = strawberry.field(
        description="At most 20000 characters; a draft may leave it empty."
    )
    deliverables: list[DeliverableType] = strawberry.field(
        description="What workers hand in; a draft may leave it empty."
    )
    reward: AmountInput = strawberry.field(description="What each worker gets.")
    workers_needed: int = strawberry.field(default=1, description="1 to 1000.")
    language_tag: str | None = strawberry.field(
        default=None, description="A BCP 47 tag such as nah or es-MX. Left out: any language."
    )
    dialect: str | None = strawberry.field(default=None, description="At most 100 characters.")
    recruit_limit: int | None = strawberry.field(
        default=None, description="Left out: 10, or workersNeeded when that is more."
    )
    recruit_until: datetime | None = strawberry.field(
        default=None, description="Left out: 7 days after publishing."
    )
    submit_days: int | None = strawberry.field(default=None, description="1 to 365. Left out: 7.")
    review_days: int | None = strawberry.field(default=None, description="1 to 365. Left out: 14.")
    expires_at: datetime | None = strawberry.field(
        default=None,
        description="After recruitUntil. Left out: recruitUntil + submitDays + reviewDays.",
    )
    close_recruiting_when_funded: bool | None = strawberry.field(
        default=True, description="Whether money closes recruiting, once somebody has applied."
    )

    def to_data(self) -> JobData:
        """The same in the domain's words; a null means the default, as leaving it out does."""
        given = {"submit_days": self.submit_days, "review_days": self.review_days}
        closes = self.close_recruiting_when_funded
        return JobData(
            title=self.title,
            description=self.description,
            deliverables=self.deliverables,
            reward=self.reward.to_amount(path=("reward",)),
            workers_needed=self.workers_needed,
            language_tag=self.language_tag,
            dialect=self.dialect,
            recruit_limit=self.recruit_limit,
            recruit_until=self.recruit_until,
            expires_at=self.expires_at,
            close_recruiting_when_funded=True if closes is None else closes,
            **{name: days for name, days in given.items() if days is not None},
        )


@strawberry.input(description="A job.")
class JobIdInput:
    job_id: strawberry.ID = strawberry.field(description="The job.")


@strawberry.input(description="A wish to do a job.")
class ApplyInput:
    job_id: strawberry.ID = strawberry.field(description="The job.")
    note: str | None = strawberry.field(default=None, description="At most 5000 characters.")
    payout_wallet_id: strawberry.ID | None = strawberry.field(
        default=None, description="Where the pay would go. Left out: one's default wallet."
    )


@strawberry.input(description="What becomes of applications: all of it happens, or nothing.")
class DecideApplicationsInput:
    job_id: strawberry.ID = strawberry.field(description="The job they are for.")
    select: list[strawberry.ID] | None = strawberry.field(
        default=None, description="At most workersNeeded, with those selected before."
    )
    reject: list[strawberry.ID] | None = strawberry.field(default=None, description="To reject.")
    reset: list[strawberry.ID] | None = strawberry.field(
        default=None, description="To put back to PENDING."
    )
