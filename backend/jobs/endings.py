"""How a job ends: completed, canceled or expired. What has ended does not move again."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F

from backend.accounts.models import User
from backend.jobs import validation
from backend.jobs.changes import Change, changing, lock_job
from backend.jobs.decisions import reject
from backend.jobs.facts import facts_of_job, is_contested, is_undecided
from backend.jobs.lifecycle.job import RULES, JobAction
from backend.jobs.lifecycle.rules import require
from backend.jobs.models import Job
from backend.jobs.status import ApplicationStatus, JobStatus, SubmissionStatus
from backend.texts import tidy_text


def cancel_job(*, user: User, job_id: UUID, reason: str, now: datetime) -> Job:
    """End a job before it is complete. A repeat is refused as WrongStatus.

    Submitted work has to be decided first; where an operator cancels, it counts as rejected, and
    finally so. What was accepted stays owed.

    Raises:
        NotFound, Forbidden, WrongStatus: see `lifecycle.job`.
        ValidationFailed: no reason is given, or it is unusable.
    """
    reason = tidy_text(reason, most=validation.LONGEST_REASON, path="reason", required=True)
    with changing(at=now, actor=user) as change:
        job = lock_job(user=user, job_id=job_id)
        require(RULES, JobAction.CANCEL, facts_of_job(user=user, job=job, now=now))
        for submission in job.submissions.filter(is_undecided()):
            submission.job = job
            reject(change, submission, comment=reason, final=True)
        _end(change, job, JobStatus.CANCELED, reason=reason)
    return job


def complete_job(*, user: User, job_id: UUID, now: datetime) -> Job:
    """End a job whose work is decided, though not all of it was accepted in full.

    Raises:
        NotFound, Forbidden, WrongStatus: see `lifecycle.job`.
    """
    with changing(at=now, actor=user) as change:
        job = lock_job(user=user, job_id=job_id)
        require(RULES, JobAction.COMPLETE, facts_of_job(user=user, job=job, now=now))
        _end(change, job, JobStatus.COMPLETE)
    return job


def complete_if_done(change: Change, job: Job) -> None:
    """Complete a reviewed job at once when every selected worker's work is accepted in full.

    When all is decided but not that, its owner has the days of a review to complete it (or to
    think again while a worker can still dispute), then time does. Safe to repeat.
    """
    if job.status != JobStatus.REVIEWING or job.money_moving:
        return
    if not _is_decided(job, at=change.at):
        if job.due_at is not None:
            job.change(at=change.at, due_at=None)
    elif _is_accepted_in_full(job):
        _end(change, job, JobStatus.COMPLETE)
    elif job.due_at is None:
        job.change(at=change.at, due_at=change.at + timedelta(days=job.review_days))


def money_is_at_rest(*, job: Job, at: datetime) -> None:
    """Go on with a job that has waited for its last payment: it may be done.

    Refreshes `job`. Joins the caller's transaction, which has locked it. Safe to repeat.
    """
    with changing(at=at) as change:
        job.refresh_from_db()
        complete_if_done(change, job)


def complete_after_silence(change: Change, job: Job) -> None:
    """Complete a job whose owner has said nothing since the last decision became final."""
    if job.money_moving or not _is_decided(job, at=change.at):
        job.change(at=change.at, due_at=None)
    else:
        _end(change, job, JobStatus.COMPLETE)


def expire(change: Change, job: Job) -> None:
    """End a job whose time has passed without work."""
    _end(change, job, JobStatus.EXPIRED)


def _end(change: Change, job: Job, status: JobStatus, *, reason: str = "") -> None:
    change.move(job, status, reason=reason, due_at=None)


def _is_decided(job: Job, *, at: datetime) -> bool:
    return not job.submissions.filter(is_undecided() | is_contested(now=at)).exists()


def _is_accepted_in_full(job: Job) -> bool:
    selected = job.applications.filter(status=ApplicationStatus.SELECTED).count()
    accepted = job.submissions.filter(
        status=SubmissionStatus.ACCEPTED,
        superseded_at__isnull=True,
        accepted_value=F("reward_value"),
    )
    return selected > 0 and accepted.count() == selected
