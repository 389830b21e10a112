"""Doing the work: it begins when its pay is secured, is drafted, and handed in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from backend.accounts.models import User
from backend.errors import NotFound, ValidationFailed
from backend.files.attaching import attach, let_go
from backend.files.models import File
from backend.jobs import validation
from backend.jobs.changes import Change, changing, lock_job
from backend.jobs.endings import complete_if_done
from backend.jobs.errors import NoSelectedWorkers
from backend.jobs.facts import draft_deadlines, facts_of_job, submission_facts
from backend.jobs.lifecycle.job import RULES, JobAction
from backend.jobs.lifecycle.rules import require
from backend.jobs.lifecycle.submission import RULES as SUBMISSION_RULES
from backend.jobs.lifecycle.submission import SubmissionAction, SubmissionFacts
from backend.jobs.models import Job, Submission
from backend.jobs.models.deadlines import next_step
from backend.jobs.queries import submissions_visible_to
from backend.jobs.status import ApplicationStatus, DeliverableType, JobStatus, SubmissionStatus
from backend.texts import tidy_text

MOST_FILES = 20
# What kind of file fulfils which wish; FILE is any of them.
MEDIA = {
    DeliverableType.IMAGE: "image/",
    DeliverableType.AUDIO: "audio/",
    DeliverableType.VIDEO: "video/",
    DeliverableType.FILE: "",
}


def begin_work(*, job: Job, at: datetime, actor: User | None = None) -> None:
    """Open a job for work, because the pay of everybody selected is secured.

    The days for the work start now, and the job does not expire within them. Applications that
    were not decided are rejected. Refreshes `job`, and joins the caller's transaction.

    Raises:
        NoSelectedWorkers: there is nobody to work.
        InvalidTransition: the job neither recruits nor selects.
    """
    with changing(at=at, actor=actor) as change:
        job.refresh_from_db(from_queryset=Job.objects.select_for_update())
        applications = list(job.applications.all())
        if not any(each.status == ApplicationStatus.SELECTED for each in applications):
            raise NoSelectedWorkers
        if job.status == JobStatus.RECRUITING:
            change.move(job, JobStatus.SELECTING)
        for application in applications:
            if application.status == ApplicationStatus.PENDING:
                application.job = job
                change.move(application, ApplicationStatus.REJECTED)
        submit_until = at + timedelta(days=job.submit_days)
        # The owner promised that many days of work; the job must not end before they are over.
        expires_at = max(submit_until, job.expires_at or submit_until)
        change.move(
            job,
            JobStatus.SUBMITTING,
            submit_until=submit_until,
            expires_at=expires_at,
            due_at=next_step([submit_until, expires_at], reminded=True, now=at),
        )


def save_submission(
    *,
    user: User,
    job_id: UUID,
    note: str | None,
    text: str | None,
    links: Sequence[str] = (),
    file_ids: Sequence[UUID] = (),
    now: datetime,
) -> Submission:
    """Keep the draft of one's work as it is now, replacing what was kept before.

    Safe to repeat. After a request for changes this is the draft of the next revision.

    Raises:
        NotFound: no such job, or a file is not the worker's.
        Forbidden, WrongStatus: see `lifecycle.job`.
        ValidationFailed: a value is unusable; `path` says which one.
    """
    columns = {
        "note": tidy_text(note, most=validation.LONGEST_NOTE, path="note"),
        "text": tidy_text(text, most=validation.LONGEST_WORK, path="text"),
        "links": validation.links(links, path="links"),
    }
    with changing(at=now, actor=user):
        job = lock_job(user=user, job_id=job_id)
        require(RULES, JobAction.SUBMIT, facts_of_job(user=user, job=job, now=now))
        files = attach(user=user, file_ids=file_ids, path="fileIds", most=MOST_FILES, now=now)
        draft = job.submissions.filter(worker=user, status=SubmissionStatus.DRAFT).first()
        if draft is None:
            draft = _new_draft(job, user, now=now, **columns)
        else:
            draft.change(at=now, **columns)
        draft.job = job
        before = set(draft.files.values_list("id", flat=True))
        draft.files.set(files)
        let_go(before - {file.id for file in files}, now=now)
    return draft


def submit_work(*, user: User, submission_id: UUID, now: datetime) -> Submission:
    """Hand in one's draft. The owner has the job's review days from now on.

    A repeat is refused as WrongStatus.

    Raises:
        NotFound: there is no such submission for `user`.
        Forbidden, WrongStatus: see `lifecycle.submission`.
        ValidationFailed: something that the job asks for is missing.
    """
    with changing(at=now, actor=user) as change:
        submission = lock_work(user=user, submission_id=submission_id)
        job = submission.job
        facts = facts_of_work(user=user, submission=submission, now=now)
        require(SUBMISSION_RULES, SubmissionAction.SUBMIT, facts)
        check_deliverables(job, submission, list(submission.files.all()))
        # Before the move: there is one live revision at a time.
        job.submissions.filter(
            application_id=submission.application_id, superseded_at__isnull=True
        ).exclude(id=submission.id).update(superseded_at=now, revise_until=None, due_at=None)
        submission.submitted_at = now
        submission.review_by = now + timedelta(days=job.review_days)
        change.move(
            submission,
            SubmissionStatus.SUBMITTED,
            submitted_at=submission.submitted_at,
            review_by=submission.review_by,
            due_at=submission.next_review_step(),
        )
        _review_if_all_submitted(change, job)
    return submission


def lock_work(*, user: User, submission_id: UUID) -> Submission:
    """A submission for writing, with its job, which is locked until the transaction ends.

    Raises:
        NotFound: there is no such submission for `user`.
    """
    submission = submissions_visible_to(user).filter(id=submission_id).first()
    if submission is None:
        raise NotFound(_("There is no such submission."), path=("submissionId",))
    job = lock_job(user=user, job_id=submission.job_id, path=("submissionId",))
    # Whoever held the lock before us may have changed it.
    submission.refresh_from_db()
    submission.job = job
    return submission


def facts_of_work(*, user: User, submission: Submission, now: datetime) -> SubmissionFacts:
    """The facts of one submission, whose job is loaded."""
    submit_until = None
    if submission.status == SubmissionStatus.DRAFT:
        deadlines = draft_deadlines([submission.application_id])
        submit_until = deadlines.get(submission.application_id)
    return submission_facts(
        user=user,
        submission=submission,
        job=submission.job,
        submit_until=submit_until,
        disputed_before=hasattr(submission, "dispute"),
        now=now,
    )


def check_deliverables(job: Job, submission: Submission, files: Sequence[File]) -> None:
    """Pass silently when `submission` has one of everything that `job` asks for.

    Raises:
        ValidationFailed: something is missing.
    """
    for kind in map(DeliverableType, job.deliverables):
        if kind is DeliverableType.TEXT:
            there, path = bool(submission.text), "text"
        elif kind is DeliverableType.LINK:
            there, path = bool(submission.links), "links"
        else:
            there = any(file.media_type.startswith(MEDIA[kind]) for file in files)
            path = "fileIds"
        if not there:
            raise ValidationFailed(
                _("The job asks for {kind}, and this work has none."), path=(path,), kind=kind
            )


def review_begins(change: Change, job: Job) -> None:
    """Close a job for first submissions; what is accepted already may even complete it."""
    change.move(job, JobStatus.REVIEWING, due_at=None)
    complete_if_done(change, job)


def _review_if_all_submitted(change: Change, job: Job) -> None:
    if job.status != JobStatus.SUBMITTING:
        return
    selected = job.applications.filter(status=ApplicationStatus.SELECTED)
    live = job.submissions.filter(superseded_at__isnull=True).exclude(status=SubmissionStatus.DRAFT)
    if live.count() == selected.count():
        review_begins(change, job)


def _new_draft(job: Job, user: User, *, now: datetime, **columns: object) -> Submission:
    application = job.applications.get(applicant=user)
    last = application.submissions.aggregate(last=Max("revision"))["last"] or 0
    return Submission.objects.create(
        job=job,
        application=application,
        worker=user,
        revision=last + 1,
        reward_value=job.reward_value,
        created_at=now,
        updated_at=now,
        **columns,
    )
