"""What callers send about jobs and applications, and the same in the domain's words."""

from datetime import datetime
from typing import Any

import strawberry

from backend.funding.status import FundingAssurance
from backend.jobs.search import MOST_RANKED, JobOrder, JobSearch
from backend.jobs.status import DeliverableType, JobStatus, Pricing
from backend.jobs.validation import JobData
from backend.schema.amounts import AmountInput
from backend.schema.enums import describe_values
from backend.schema.nodes import decode_id, decode_ids

strawberry.enum(JobStatus, description="Where a job is in its life; the last three are final.")
describe_values(
    JobStatus,
    DRAFT="Its owner writes it; besides them only operators and auditors see it.",
    RECRUITING="Takes applications, until `recruitUntil` or `recruitLimit`.",
    SELECTING="Takes no more applications: the owner selects, and secures the pay.",
    SUBMITTING="The pay of the selected is secured, and they hand in work, until `submitUntil`.",
    REVIEWING="All have handed in, or the time is over: the owner decides about what there is.",
    COMPLETE="All work is accepted in full; or its owner, or time, ended it with what is accepted.",
    CANCELED="Ended early by its owner or an operator; what was accepted stays owed.",
    EXPIRED="Ended by a deadline: nobody applied, nobody was selected, or no work came.",
)
strawberry.enum(Pricing, description="Whose side is exact when two assets meet.")
describe_values(
    Pricing,
    FIXED_RECEIVE="Each worker receives the reward, and so needs a wallet in the job's asset.",
    FIXED_SEND="The reward is sent; the worker's wallet receives what it becomes in its own asset.",
)
strawberry.enum(DeliverableType, description="What a worker hands in.")
describe_values(
    DeliverableType,
    TEXT="Words, in the submission's `text`.",
    IMAGE="A file with a media type of image/.",
    AUDIO="A file with a media type of audio/.",
    VIDEO="A file with a media type of video/.",
    FILE="A file of any media type that is taken.",
    LINK="A web address, in the submission's `links`.",
)
strawberry.enum(FundingAssurance, description="What a worker may rely on about the money.")
describe_values(
    FundingAssurance,
    NONE="Nothing yet.",
    AUTHORIZED="The payer has promised it at their wallet; it has not moved.",
    HELD="The platform holds it.",
    PAID="It has arrived with whom the funding pays.",
)
strawberry.enum(JobOrder, description="The order of a list of jobs.")
describe_values(
    JobOrder,
    NEWEST="The newest first.",
    DEADLINE="The next end of recruiting first; only jobs that recruit.",
    REWARD="The highest reward first, in the asset that filter.rewardMin has to name.",
    RELEVANCE=(
        "What fits filter.text best first; a word in the title counts most. "
        f"Among the {MOST_RANKED} newest jobs with these words."
    ),
)


@strawberry.input(description="Which jobs to list. Each field narrows; left out, it does not.")
class JobFilter:
    status: list[JobStatus] | None = strawberry.field(
        default=None, description="Those at one of these stages."
    )
    language_tag: str | None = strawberry.field(
        default=None, description="A BCP 47 tag, with all of its regions: es finds es-MX."
    )
    deliverable: DeliverableType | None = strawberry.field(
        default=None, description="Those that ask for this kind of work."
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


@strawberry.input(description="What an owner says about a job.")
class JobInput:
    title: str = strawberry.field(description="1 to 200 characters.")
    description: str = strawberry.field(
        description="At most 20000 characters; a draft may leave it empty."
    )
    deliverables: list[DeliverableType] = strawberry.field(
        description="What workers hand in: at least one of each. A draft may leave it empty."
    )
    reward: AmountInput = strawberry.field(
        description="What each worker gets for accepted work: more than 0, with scale 0 to 9."
    )
    workers_needed: int = strawberry.field(
        default=1, description="How many people can be selected: 1 to 1000."
    )
    language_tag: str | None = strawberry.field(
        default=None, description="A BCP 47 tag such as nah or es-MX. Left out: any language."
    )
    dialect: str | None = strawberry.field(
        default=None, description="The variety of the language, in at most 100 characters."
    )
    recruit_limit: int | None = strawberry.field(
        default=None,
        description=(
            "So many applications close recruiting: workersNeeded to 10000. Left out: 10, or "
            "workersNeeded when that is more."
        ),
    )
    recruit_until: datetime | None = strawberry.field(
        default=None,
        description="When recruiting ends at the latest. Left out: 7 days after publishing.",
    )
    submit_days: int | None = strawberry.field(
        default=None, description="Days for the work: 1 to 365. Left out: 7."
    )
    review_days: int | None = strawberry.field(
        default=None,
        description="Days for the review, then silence accepts: 1 to 365. Left out: 14.",
    )
    expires_at: datetime | None = strawberry.field(
        default=None,
        description="After recruitUntil. Left out: recruitUntil + submitDays + reviewDays.",
    )
    close_recruiting_when_funded: bool | None = strawberry.field(
        default=True, description="Whether money closes recruiting, once somebody has applied."
    )

    pricing: Pricing | None = strawberry.field(
        default=None,
        description="Whose side is exact when two assets meet. Left out: FIXED_RECEIVE.",
    )
    reference_file_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Files to show with it: at most 10 of one's own."
    )
    title_audio_file_id: strawberry.ID | None = strawberry.field(
        default=None, description="The title read aloud: a file of one's own."
    )

    def to_data(self) -> JobData:
        """The same in the domain's words; a null means the default, as leaving it out does."""
        given: dict[str, Any] = {
            "submit_days": self.submit_days,
            "review_days": self.review_days,
            "pricing": self.pricing,
        }
        closes = self.close_recruiting_when_funded
        audio = self.title_audio_file_id
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
            reference_file_ids=decode_ids(
                self.reference_file_ids, type_name="File", path="referenceFileIds"
            ),
            title_audio_file_id=None
            if audio is None
            else decode_id(audio, type_name="File", path=("titleAudioFileId",)),
            **{name: value for name, value in given.items() if value is not None},
        )


@strawberry.input(description="Names one job.")
class JobIdInput:
    job_id: strawberry.ID = strawberry.field(description="As `Job.id` gives it.")


@strawberry.input(description="A job as it is to be from now on: what is left out is cleared.")
class UpdateJobInput:
    job_id: strawberry.ID = strawberry.field(description="One's own, a draft or recruiting.")
    job: JobInput = strawberry.field(
        description=(
            "All of it. While the job recruits its terms have to stay as they are; deadlines and "
            "the limit can be left out then."
        )
    )
    expected_version: int = strawberry.field(
        description="The version that the user saw; the job must still be at it."
    )


@strawberry.input(description="A job that takes applications again.")
class ReopenRecruitingInput:
    job_id: strawberry.ID = strawberry.field(description="One's own, SELECTING.")
    recruit_until: datetime = strawberry.field(
        description="When recruiting ends now; before the job expires."
    )
    recruit_limit: int | None = strawberry.field(
        default=None,
        description="More than there are applications. Left out: as before, or 10 more if reached.",
    )


@strawberry.input(description="Later deadlines for a job; at least one.")
class ExtendJobInput:
    job_id: strawberry.ID = strawberry.field(
        description="One's own, RECRUITING, SELECTING or SUBMITTING."
    )
    recruit_until: datetime | None = strawberry.field(
        default=None, description="While it recruits. Left out: as before."
    )
    submit_until: datetime | None = strawberry.field(
        default=None, description="While work is handed in. Left out: as before."
    )
    expires_at: datetime | None = strawberry.field(
        default=None, description="After the others. Left out: as before."
    )


@strawberry.input(description="A job to end, and why.")
class CancelJobInput:
    job_id: strawberry.ID = strawberry.field(
        description="One's own, or any for an operator; not in a final status."
    )
    reason: str = strawberry.field(description="1 to 5000 characters; it stays in the log.")
