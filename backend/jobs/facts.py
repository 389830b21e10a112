"""What the lifecycle's rules look at, read from the database for many rows at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from backend.jobs.lifecycle.application import ApplicationFacts
from backend.jobs.lifecycle.dispute import DisputeFacts
from backend.jobs.lifecycle.job import JobFacts
from backend.jobs.lifecycle.rules import Who
from backend.jobs.lifecycle.submission import SubmissionFacts
from backend.jobs.models import Application, Dispute, Job, Submission
from backend.jobs.status import ApplicationStatus, JobStatus, SubmissionStatus

if TYPE_CHECKING:
    from backend.accounts.models import User

UNDECIDED = (SubmissionStatus.SUBMITTED, SubmissionStatus.CHANGES_REQUESTED)
WITH_WORK = frozenset({JobStatus.SUBMITTING, JobStatus.REVIEWING})


def job_facts(*, user: User, jobs: Iterable[Job], now: datetime) -> dict[UUID, JobFacts]:
    """The facts of `jobs` for `user`, in one statement."""
    rows = {job.id: job for job in jobs}
    # A draft has no parts to count.
    published = [job.id for job in rows.values() if job.status != JobStatus.DRAFT]
    counted = _counted(user=user, job_ids=published, now=now) if published else {}
    return {id_: _job_facts(user, job, counted.get(id_, {}), now) for id_, job in rows.items()}


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


def _counted(*, user: User, job_ids: list[UUID], now: datetime) -> dict[UUID, Mapping[str, object]]:
    applications = Application.objects.filter(job_id=OuterRef("id"))
    submissions = Submission.objects.filter(job_id=OuterRef("id"))
    own = applications.filter(applicant=user)
    own_work = submissions.filter(worker=user).exclude(status=SubmissionStatus.DRAFT)
    own_live = own_work.filter(superseded_at__isnull=True)
    revisable = own_live.filter(status=SubmissionStatus.CHANGES_REQUESTED)
    rows = Job.objects.filter(id__in=job_ids).values(
        "id",
        own_application=Subquery(own.values("status")[:1]),
        applications_count=_count(applications.exclude(status=ApplicationStatus.WITHDRAWN)),
        selected_count=_count(applications.filter(status=ApplicationStatus.SELECTED)),
        has_own_work=Exists(own_live),
        revise_until=Subquery(revisable.values("revise_until")[:1]),
        undecided_count=_count(submissions.filter(is_undecided())),
        contested_count=_count(submissions.filter(is_contested(now=now))),
        reviewable_count=_count(submissions.filter(_is_reviewable(now=now))),
    )
    return {row["id"]: row for row in rows}


def _is_reviewable(*, now: datetime) -> Q:
    return (
        is_undecided()
        | Q(status=SubmissionStatus.DISPUTED)
        | Q(dispute_until__gt=now, accepted_value__lt=F("reward_value"))
    )


def _count(rows: QuerySet[Application] | QuerySet[Submission]) -> Coalesce:
    # A subquery of its own each: joins would multiply the rows of one by those of the other.
    counted = rows.order_by().values("job_id").annotate(number=Count("id")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _job_facts(user: User, job: Job, counted: Mapping[str, object], now: datetime) -> JobFacts:
    status = counted.get("own_application")
    application = ApplicationStatus(str(status)) if status else None
    is_selected = application is ApplicationStatus.SELECTED
    roles = _roles(user, owner_id=job.owner_id, worker_id=user.id if is_selected else None)
    numbers = ("applications", "selected", "undecided", "contested", "reviewable")
    return JobFacts(
        roles=roles if Who.OWNER in roles else roles | {Who.OTHER},
        status=job.status,
        now=now,
        recruit_until=job.recruit_until,
        expires_at=job.expires_at,
        application=application,
        submit_until=_own_deadline(job, counted) if is_selected else None,
        money_moving=job.money_moving,
        **{name: int(str(counted.get(f"{name}_count", 0))) for name in numbers},
    )


def _own_deadline(job: Job, counted: Mapping[str, object]) -> datetime | None:
    if counted["has_own_work"]:
        revise_until = counted["revise_until"]
        assert revise_until is None or isinstance(revise_until, datetime)
        return revise_until
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
