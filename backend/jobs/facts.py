"""What the lifecycle's rules look at, read from the database for many rows at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import (
    Count,
    DateTimeField,
    Exists,
    F,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Cast

from backend.jobs.lifecycle.application import ApplicationFacts
from backend.jobs.lifecycle.dispute import DisputeFacts
from backend.jobs.lifecycle.job import JobFacts
from backend.jobs.lifecycle.rules import Who
from backend.jobs.lifecycle.submission import SubmissionFacts
from backend.jobs.models import Application, Dispute, Job, Submission
from backend.jobs.status import ApplicationStatus, JobStatus, SubmissionStatus
from backend.known import as_known

if TYPE_CHECKING:
    from backend.accounts.models import User

UNDECIDED = (SubmissionStatus.SUBMITTED, SubmissionStatus.CHANGES_REQUESTED)
# Before the work begins there is none to count. (CANCELED and EXPIRED can come after it.)
WITHOUT_WORK = frozenset({JobStatus.DRAFT, JobStatus.RECRUITING, JobStatus.SELECTING})
_APPLICATIONS, _WORK = "applications", "work"


def job_facts(*, user: User, jobs: Iterable[Job], now: datetime) -> dict[UUID, JobFacts]:
    """The facts of `jobs` for `user`, in one statement."""
    rows = {job.id: job for job in jobs}
    counted = _counted(user=user, jobs=rows.values(), now=now)
    nothing = _Counted()
    return {id_: _job_facts(user, job, counted.get(id_, nothing), now) for id_, job in rows.items()}


def facts_of_job(*, user: User, job: Job, now: datetime) -> JobFacts:
    """The facts of one job for `user`."""
    return job_facts(user=user, jobs=[job], now=now)[job.id]


def application_facts(
    *, user: User, application: Application, job: Job, selected: int
) -> ApplicationFacts:
    """The facts of an application to `job`, of which `selected` are selected."""
    return ApplicationFacts(
        roles=_roles(user, owner_id=job.owner_id, worker_id=application.applicant_id),
        status=application.status,
        job_status=job.status,
        places_left=job.workers_needed - selected,
    )


def submission_facts(
    *,
    user: User,
    submission: Submission,
    job: Job,
    submit_until: datetime | None,
    disputed_before: bool,
    now: datetime,
) -> SubmissionFacts:
    """The facts of a submission; `submit_until` comes from `draft_deadlines`."""
    waits = submission.status == SubmissionStatus.SUBMITTED
    return SubmissionFacts(
        roles=_roles(user, owner_id=job.owner_id, worker_id=submission.worker_id),
        status=submission.status,
        job_status=job.status,
        now=now,
        rest=submission.rest,
        submit_until=submit_until,
        review_by=submission.review_by if waits else None,
        dispute_until=submission.dispute_until,
        superseded=submission.superseded_at is not None,
        disputed_before=disputed_before,
    )


def dispute_facts(*, user: User, dispute: Dispute, now: datetime) -> DisputeFacts:
    """The facts of a dispute, whose submission and job are loaded."""
    submission = dispute.submission
    roles = _roles(user, owner_id=submission.job.owner_id, worker_id=submission.worker_id)
    if roles & {Who.OWNER, Who.WORKER}:
        roles -= {Who.OPERATOR}
    return DisputeFacts(roles=roles, status=dispute.status, now=now, answer_by=dispute.answer_by)


def draft_deadlines(application_ids: Iterable[UUID]) -> dict[UUID, datetime | None]:
    """Until when each selected worker can hand in a revision; left out when they cannot.

    The first one has the job's time, a revision the time that came with the request for it.
    """
    live = Submission.objects.filter(
        application_id=OuterRef("id"), superseded_at__isnull=True
    ).exclude(status=SubmissionStatus.DRAFT)
    rows = (
        Application.objects.filter(id__in=list(application_ids), status=ApplicationStatus.SELECTED)
        .annotate(
            has_live=Exists(live),
            revise_until=Subquery(
                live.filter(status=SubmissionStatus.CHANGES_REQUESTED).values("revise_until")[:1]
            ),
        )
        .values_list("id", "has_live", "revise_until", "job__submit_until", "job__status")
    )
    deadlines = {}
    for id_, has_live, revise_until, submit_until, job_status in rows:
        if has_live:
            deadlines[id_] = revise_until
        elif job_status == JobStatus.SUBMITTING:
            deadlines[id_] = submit_until
    return deadlines


def is_undecided() -> Q:
    """Live submissions that wait for their owner, or for a revision of their worker."""
    return Q(status__in=UNDECIDED, superseded_at__isnull=True)


def is_contested(*, now: datetime) -> Q:
    """Submissions that their worker disputes, or still can."""
    return Q(status=SubmissionStatus.DISPUTED) | Q(dispute_until__gt=now)


@dataclass(frozen=True, slots=True)
class _Counted:
    """What is counted of one job's applications and work, and what `user` has among them."""

    own_application: ApplicationStatus | None = None
    applications: int = 0
    selected: int = 0
    has_own_work: bool = False
    revise_until: datetime | None = None
    undecided: int = 0
    contested: int = 0
    reviewable: int = 0
    silent: int = 0


def _counted(*, user: User, jobs: Iterable[Job], now: datetime) -> dict[UUID, _Counted]:
    published = [job for job in jobs if job.status != JobStatus.DRAFT]
    if not published:
        return {}
    worked = [job.id for job in published if job.status not in WITHOUT_WORK]
    # Two groupings in one statement. Joined, the rows of one would multiply those of the other;
    # a subquery for each number would look at the same rows once per number.
    parts = _count_applications(user, [job.id for job in published])
    if worked:
        parts = parts.union(_count_work(user, worked, now), all=True)
    counted: dict[UUID, _Counted] = {}
    for part, job_id, status, has_own_work, revise_until, *numbers in parts:
        before = counted.get(job_id, _Counted())
        if part == _APPLICATIONS:
            counted[job_id] = replace(
                before,
                own_application=as_known(status, otherwise=ApplicationStatus.PENDING)
                if status
                else None,
                applications=numbers[0],
                selected=numbers[1],
            )
        else:
            counted[job_id] = replace(
                before,
                has_own_work=has_own_work > 0,
                revise_until=revise_until,
                undecided=numbers[0],
                contested=numbers[1],
                reviewable=numbers[2],
                silent=numbers[3],
            )
    return counted


def _count_applications(user: User, job_ids: list[UUID]) -> QuerySet[Application, Any]:
    return (
        Application.objects.filter(job_id__in=job_ids)
        .order_by()
        .values("job_id")
        .annotate(
            status_of_own=Max("status", filter=Q(applicant=user)),
            standing=Count("id", filter=~Q(status=ApplicationStatus.WITHDRAWN)),
            selected=Count("id", filter=Q(status=ApplicationStatus.SELECTED)),
        )
        .values_list(
            Value(_APPLICATIONS),
            "job_id",
            "status_of_own",
            Value(0),
            Cast(Value(None), DateTimeField()),
            "standing",
            "selected",
            Value(0),
            Value(0),
        )
    )


def _count_work(user: User, job_ids: list[UUID], now: datetime) -> QuerySet[Submission, Any]:
    own = Q(worker=user, superseded_at__isnull=True) & ~Q(status=SubmissionStatus.DRAFT)
    revisable = own & Q(status=SubmissionStatus.CHANGES_REQUESTED)
    return (
        Submission.objects.filter(job_id__in=job_ids)
        .order_by()
        .values("job_id")
        .annotate(
            own_work=Count("id", filter=own),
            own_until=Max("revise_until", filter=revisable),
            undecided=Count("id", filter=is_undecided()),
            contested=Count("id", filter=is_contested(now=now)),
            reviewable=Count("id", filter=_is_reviewable(now=now)),
            silent=Count("id", filter=_is_accepted_by_silence(now=now)),
        )
        .values_list(
            Value(_WORK),
            "job_id",
            Value(""),
            "own_work",
            "own_until",
            "undecided",
            "contested",
            "reviewable",
            "silent",
        )
    )


def _is_reviewable(*, now: datetime) -> Q:
    return (
        is_undecided()
        | Q(status=SubmissionStatus.DISPUTED)
        | Q(dispute_until__gt=now, accepted_value__lt=F("reward_value"))
    )


def _is_accepted_by_silence(*, now: datetime) -> Q:
    submitted = Q(status=SubmissionStatus.SUBMITTED, superseded_at__isnull=True)
    return submitted & Q(review_by__lte=now)


def _job_facts(user: User, job: Job, counted: _Counted, now: datetime) -> JobFacts:
    is_selected = counted.own_application is ApplicationStatus.SELECTED
    roles = _roles(user, owner_id=job.owner_id, worker_id=user.id if is_selected else None)
    if roles & {Who.OWNER, Who.WORKER}:
        roles -= {Who.OPERATOR}
    return JobFacts(
        roles=roles if Who.OWNER in roles else roles | {Who.OTHER},
        status=job.status,
        now=now,
        recruit_until=job.recruit_until,
        expires_at=job.expires_at,
        application=counted.own_application,
        submit_until=_own_deadline(job, counted) if is_selected else None,
        money_moving=job.money_moving,
        applications=counted.applications,
        selected=counted.selected,
        undecided=counted.undecided,
        contested=counted.contested,
        reviewable=counted.reviewable,
        silent=counted.silent,
    )


def _own_deadline(job: Job, counted: _Counted) -> datetime | None:
    if counted.has_own_work:
        return counted.revise_until
    return job.submit_until if job.status == JobStatus.SUBMITTING else None


def _roles(user: User, *, owner_id: UUID, worker_id: UUID | None) -> frozenset[Who]:
    found = set()
    if user.id == owner_id:
        found.add(Who.OWNER)
    if user.id == worker_id:
        found.add(Who.WORKER)
    if user.is_staff:
        found.add(Who.OPERATOR)
    return frozenset(found)
