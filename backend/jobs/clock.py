"""What time does to jobs: deadlines, reminders, and what silence means.

The rows are the queue: `due_at` says when time alone moves something. A beat task comes by every
minute; late, repeated and concurrent runs change nothing twice, because each row is looked at
again under the lock of its job.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeGuard
from uuid import UUID

from django.db import connection

from backend.jobs.changes import Change, changing
from backend.jobs.decisions import accept, reject, settle
from backend.jobs.disputes import end_without_pay, resolve
from backend.jobs.endings import complete_after_silence, complete_if_done, expire
from backend.jobs.models import Dispute, Job, Submission
from backend.jobs.models.deadlines import reminders_of
from backend.jobs.status import ApplicationStatus, DisputeStatus, JobStatus, SubmissionStatus
from backend.jobs.work import review_begins
from backend.known import is_known

log = logging.getLogger(__name__)

BATCH = 500
# A job does not end while a payment for it is on its way; so often its end is asked for.
WHILE_MONEY_MOVES = timedelta(minutes=1)


def pass_time(*, now: datetime, limit: int = BATCH) -> int:
    """Do what is due at `now`, at most `limit` rows of each kind; return how many were moved.

    Safe to repeat and to run at the same time. What fails is logged, and is due again.
    """
    kinds: tuple[tuple[type[Job | Submission | Dispute], Callable[[UUID, datetime], bool]], ...] = (
        # Decisions first: the last one can complete a job that would otherwise wait.
        (Dispute, _pass_dispute),
        (Submission, _pass_submission),
        (Job, _pass_job),
    )
    moved = 0
    for model, move in kinds:
        known = is_known(model.TRANSITIONS)
        due = model._default_manager.filter(known, due_at__lte=now).order_by("due_at")
        for id_ in list(due.values_list("id", flat=True)[:limit]):
            try:
                moved += move(id_, now)
            except Exception:
                log.exception("%s %s could not be moved by time", model.__name__, id_)
    return moved


def _pass_job(job_id: UUID, now: datetime) -> bool:
    with changing(at=now) as change:
        job = _lock(job_id)
        if job is None or job.due_at is None or job.due_at > now:
            return False
        _move_job(change, job)
    return True


def _move_job(change: Change, job: Job) -> None:
    now = change.at
    status = JobStatus(job.status)
    has_expired = job.expires_at is not None and job.expires_at <= now
    work_is_over = has_expired or not _is_ahead(job.submit_until, now)
    if status is JobStatus.REVIEWING:
        complete_after_silence(change, job)
    elif status is JobStatus.SUBMITTING and work_is_over and _has_work(job):
        review_begins(change, job)
    elif has_expired or (status is JobStatus.RECRUITING and not _has_applications(job)):
        _expire_unless_money_moves(change, job)
    elif status is JobStatus.RECRUITING:
        due_at = job.due(now=now, status=JobStatus.SELECTING)
        change.move(job, JobStatus.SELECTING, due_at=due_at)
    else:
        _remind_of_deadlines(change, job)
        job.change(at=now, due_at=job.due(now=now))


def _remind_of_deadlines(change: Change, job: Job) -> None:
    """Tell whoever has to do something in time, if a time for that has come since the last look."""
    payload = {"job": str(job.id), "status": str(job.status)}
    if _is_near(job.submit_until, job, change.at):
        until = {"submit_until": job.submit_until.isoformat()}
        for worker_id in _without_work(job):
            change.tell(f"user:{worker_id}", "job.work_reminder", job, {**payload, **until})
    if _is_near(job.expires_at, job, change.at) and not _has_work(job):
        until = {"expires_at": job.expires_at.isoformat()}
        change.tell(f"user:{job.owner_id}", "job.expiry_reminder", job, {**payload, **until})


def _is_near(deadline: datetime | None, job: Job, now: datetime) -> TypeGuard[datetime]:
    # However many reminders a late clock has missed, one is enough.
    assert job.due_at is not None
    passed = [at for at in reminders_of(deadline) if job.due_at <= at <= now]
    return bool(passed) and _is_ahead(deadline, now)


def _is_ahead(deadline: datetime | None, now: datetime) -> TypeGuard[datetime]:
    return deadline is not None and deadline > now


def _expire_unless_money_moves(change: Change, job: Job) -> None:
    if job.money_moving:
        job.change(at=change.at, due_at=change.at + WHILE_MONEY_MOVES)
    else:
        expire(change, job)


def _pass_submission(submission_id: UUID, now: datetime) -> bool:
    with changing(at=now) as change:
        submission = _locked_work(submission_id)
        if submission is None or submission.due_at is None or submission.due_at > now:
            return False
        _move_submission(change, submission)
        complete_if_done(change, submission.job)
    return True


def _move_submission(change: Change, submission: Submission) -> None:
    now = change.at
    status = SubmissionStatus(submission.status)
    if status is SubmissionStatus.CHANGES_REQUESTED and _is_ahead(submission.revise_until, now):
        _remind_of_revision(change, submission)
    elif status is SubmissionStatus.CHANGES_REQUESTED:
        reject(change, submission, comment="")
    elif status is not SubmissionStatus.SUBMITTED:
        settle(change, submission)
    elif submission.review_by is not None and submission.review_by <= now:
        accept(change, submission, value=submission.rest, by_silence=True)
    else:
        _remind_of_review(change, submission)


def _remind_of_revision(change: Change, submission: Submission) -> None:
    submission.change(at=change.at, due_at=submission.next_revision_step(now=change.at))
    assert submission.revise_until is not None
    until = {"job": str(submission.job_id), "revise_until": submission.revise_until.isoformat()}
    change.tell(f"user:{submission.worker_id}", "submission.revision_reminder", submission, until)


def _remind_of_review(change: Change, submission: Submission) -> None:
    # However many reminders a late clock has missed, one is enough.
    passed = sum(at <= change.at for at in submission.reminder_times())
    submission.reminders = passed
    submission.change(at=change.at, reminders=passed, due_at=submission.next_review_step())
    assert submission.review_by is not None
    until = {"job": str(submission.job_id), "review_by": submission.review_by.isoformat()}
    change.tell(f"user:{submission.job.owner_id}", "submission.review_reminder", submission, until)


def _pass_dispute(dispute_id: UUID, now: datetime) -> bool:
    with changing(at=now) as change:
        dispute = Dispute.objects.filter(id=dispute_id).first()
        if dispute is None or (submission := _locked_work(dispute.submission_id)) is None:
            return False
        dispute.refresh_from_db()
        dispute.submission = submission
        if dispute.due_at is None or dispute.due_at > now:
            return False
        if dispute.status == DisputeStatus.OPEN:
            resolve(change, dispute, worker_value=dispute.amount_value)
        else:
            end_without_pay(change, dispute)
    return True


def _has_work(job: Job) -> bool:
    return job.submissions.exclude(status=SubmissionStatus.DRAFT).exists()


def _without_work(job: Job) -> list[UUID]:
    begun = job.submissions.exclude(status=SubmissionStatus.DRAFT)
    selected = job.applications.filter(status=ApplicationStatus.SELECTED)
    waited_for = selected.exclude(id__in=begun.values("application_id")).order_by("id")
    return list(waited_for.values_list("applicant_id", flat=True))


def _has_applications(job: Job) -> bool:
    return job.applications.exclude(status=ApplicationStatus.WITHDRAWN).exists()


def _locked_work(submission_id: UUID) -> Submission | None:
    known = Submission.objects.filter(id=submission_id).values_list("job_id", flat=True).first()
    job = known and _lock(known)
    if not job:
        return None
    submission = Submission.objects.get(id=submission_id)
    submission.job = job
    return submission


def _lock(job_id: UUID) -> Job | None:
    # Somebody who has the job in hand moves it, or the next run does: no waiting in line here.
    skips = connection.features.has_select_for_update_skip_locked
    return Job.objects.select_for_update(skip_locked=skips).filter(id=job_id).first()
