"""Posting a job: drafting, editing, publishing, copying it and giving it more time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from backend.accounts.models import User
from backend.accounts.wallets import kept_wallets
from backend.errors import ValidationFailed, WalletRequired
from backend.files.attaching import attach, let_go
from backend.files.models import File
from backend.jobs import validation
from backend.jobs.changes import changing, lock_job
from backend.jobs.errors import VersionChanged
from backend.jobs.facts import facts_of_job
from backend.jobs.lifecycle.job import RULES, JobAction
from backend.jobs.lifecycle.rules import require
from backend.jobs.models import Job
from backend.jobs.status import JobStatus
from backend.jobs.validation import JobData

# More would only fill the disk. Of two made at once both may be there: nothing is lost by that.
MOST_DRAFTS = 500
RECRUITING_LASTS = timedelta(days=7)
MOST_REFERENCES = 10
# What applicants rely on stands still once there can be any; deadlines move by `extend_job`.
STILL_EDITABLE = frozenset({"title", "description", "language_tag", "dialect"})


def create_job(*, owner: User, data: JobData, now: datetime, listed: bool = True) -> Job:
    """Keep a new job as a draft that only its owner sees.

    One that is not `listed` stays seen by its owner only when it is published.

    Not safe to repeat: each call makes a job.

    Raises:
        ValidationFailed: a value is unusable; `path` says which one. Or there are too many drafts.
        AmountOutOfRange: reward × workers needed is above 2^63−1.
        NotFound: a file is not the owner's.
    """
    _check_drafts(owner)
    columns = validation.job_columns(data, now=now)
    with transaction.atomic():
        media = _media(owner, data, now=now)
        job = Job.objects.create(
            owner=owner,
            listed=listed,
            created_at=now,
            updated_at=now,
            title_audio=media.title,
            **columns,
        )
        job.references.set(media.references)
    return job


def update_job(
    *, user: User, job_id: UUID, data: JobData, expected_version: int, now: datetime
) -> Job:
    """Replace what the owner says about a job, if it is still at `expected_version`.

    In a draft everything can change. While the job recruits the terms that applicants rely on
    must stay as they are (a deadline or limit that is left out does); words and files can change.

    Raises:
        NotFound, Forbidden, WrongStatus: see `lifecycle.job`.
        VersionChanged: somebody changed the job since it was read.
        ValidationFailed, AmountOutOfRange: a value is unusable, or a term would change.
    """
    with changing(at=now, actor=user) as change:
        job = lock_job(user=user, job_id=job_id)
        require(RULES, JobAction.EDIT, facts_of_job(user=user, job=job, now=now))
        if job.version != expected_version:
            raise VersionChanged(expected=expected_version, actual=job.version)
        media = _media(user, data, now=now)
        if job.status == JobStatus.DRAFT:
            columns = validation.job_columns(data, now=now)
        else:
            columns = _editable_columns(job, data, now=now)
        before = set(job.references.values_list("id", flat=True))
        if job.title_audio_id is not None:
            before.add(job.title_audio_id)
        job.change(at=now, title_audio=media.title, **columns)
        job.references.set(media.references)
        let_go(before - {file.id for file in media.references}, now=now)
        if job.status != JobStatus.DRAFT:
            change.tell_of_terms(job, "job.edited", {})
    return job


def publish_job(*, user: User, job_id: UUID, now: datetime) -> Job:
    """Open a draft for applications, setting the deadlines its owner left open.

    Recruiting lasts 7 days, and the job expires when the work of somebody selected on the last
    of them would have been submitted and reviewed in time. A repeat is refused as WrongStatus.

    Raises:
        NotFound, Forbidden, WrongStatus: see `lifecycle.job`; a foreign draft does not exist.
        WalletRequired: the owner has no wallet to pay from.
        ValidationFailed: description or deliverables are missing, or a deadline has passed.
    """
    with changing(at=now, actor=user) as change:
        job = lock_job(user=user, job_id=job_id)
        require(RULES, JobAction.PUBLISH, facts_of_job(user=user, job=job, now=now))
        if not job.description:
            raise ValidationFailed(_("Describe the work before publishing."), path=("description",))
        if not job.deliverables:
            raise ValidationFailed(
                _("Say what workers hand in before publishing."), path=("deliverables",)
            )
        if not kept_wallets(user).exists():
            raise WalletRequired(_("Add a wallet address to pay from before publishing."))
        validation.check_deadlines(
            recruit_until=job.recruit_until, expires_at=job.expires_at, now=now
        )
        recruit_until = job.recruit_until or _end_of_recruiting(job, now=now)
        expires_at = job.expires_at or recruit_until + timedelta(
            days=job.submit_days + job.review_days
        )
        change.move(
            job,
            JobStatus.RECRUITING,
            recruit_until=recruit_until,
            expires_at=expires_at,
            due_at=recruit_until,
        )
    return job


def duplicate_job(*, user: User, job_id: UUID, now: datetime) -> Job:
    """Make a draft like a job of one's own, without its deadlines; the files are the same ones.

    Not safe to repeat: each call makes a job.

    Raises:
        NotFound, Forbidden: see `lifecycle.job`.
        ValidationFailed: there are too many drafts.
    """
    _check_drafts(user)
    with transaction.atomic():
        old = lock_job(user=user, job_id=job_id)
        require(RULES, JobAction.DUPLICATE, facts_of_job(user=user, job=old, now=now))
        job = Job.objects.create(
            owner=user,
            title=old.title,
            description=old.description,
            language_tag=old.language_tag,
            dialect=old.dialect,
            deliverables=old.deliverables,
            title_audio_id=old.title_audio_id,
            pricing=old.pricing,
            reward_value=old.reward_value,
            asset_code=old.asset_code,
            asset_scale=old.asset_scale,
            workers_needed=old.workers_needed,
            recruit_limit=old.recruit_limit,
            submit_days=old.submit_days,
            review_days=old.review_days,
            close_recruiting_when_funded=old.close_recruiting_when_funded,
            created_at=now,
            updated_at=now,
        )
        job.references.set(old.references.all())
    return job


def extend_job(
    *,
    user: User,
    job_id: UUID,
    recruit_until: datetime | None,
    submit_until: datetime | None,
    expires_at: datetime | None,
    now: datetime,
) -> Job:
    """Give a job more time; `None` leaves a deadline as it is.

    Deadlines only move away from now: nobody loses time that was promised. Safe to repeat.

    Raises:
        NotFound, Forbidden, WrongStatus: see `lifecycle.job`.
        ValidationFailed: nothing is given, a deadline is not of this status, would come nearer,
            or would lie behind the job's own end.
    """
    given = {
        "recruit_until": recruit_until,
        "submit_until": submit_until,
        "expires_at": expires_at,
    }
    changes = {name: at for name, at in given.items() if at is not None}
    if not changes:
        raise ValidationFailed(_("Give at least one deadline."))
    with changing(at=now, actor=user) as change:
        job = lock_job(user=user, job_id=job_id)
        require(RULES, JobAction.EXTEND, facts_of_job(user=user, job=job, now=now))
        validation.check_extension(job, changes, now=now)
        moved = {name: at for name, at in changes.items() if at != getattr(job, name)}
        for name, at in changes.items():
            setattr(job, name, at)
        job.change(at=now, due_at=job.due(now=now), **changes)
        if moved:
            instants = {name: at.isoformat() for name, at in moved.items()}
            change.tell_of_terms(job, "job.extended", instants)
    return job


def _check_drafts(owner: User) -> None:
    drafts = Job.objects.filter(owner=owner, status=JobStatus.DRAFT.value)
    if drafts.count() >= MOST_DRAFTS:
        raise ValidationFailed(
            _("You have {most} drafts. Publish or cancel some before you make more."),
            most=MOST_DRAFTS,
        )


@dataclass(frozen=True, slots=True)
class _Media:
    references: Sequence[File]
    title: File | None


def _media(user: User, data: JobData, *, now: datetime) -> _Media:
    references = attach(
        user=user,
        file_ids=data.reference_file_ids,
        path="referenceFileIds",
        most=MOST_REFERENCES,
        now=now,
    )
    title = None
    if data.title_audio_file_id is not None:
        (title,) = attach(
            user=user, file_ids=[data.title_audio_file_id], path="titleAudioFileId", now=now
        )
    return _Media(references, title)


def _editable_columns(job: Job, data: JobData, *, now: datetime) -> dict[str, object]:
    kept = {name: getattr(job, name) for name in ("recruit_until", "expires_at", "recruit_limit")}
    given = {name: getattr(data, name) for name in kept if getattr(data, name) is not None}
    # The deadlines are compared, not judged: they may have come near since they were set.
    judged = replace(data, recruit_until=None, expires_at=None, recruit_limit=job.recruit_limit)
    columns = {**validation.job_columns(judged, now=now), **kept, **given}
    for name, value in columns.items():
        if name not in STILL_EDITABLE and getattr(job, name) != value:
            raise ValidationFailed(
                _("This cannot change while people apply. extendJob moves deadlines."),
                path=(validation.INPUT_NAMES[name],),
            )
    if not columns["description"]:
        raise ValidationFailed(_("Describe the work."), path=("description",))
    return {name: columns[name] for name in STILL_EDITABLE}


def _end_of_recruiting(job: Job, *, now: datetime) -> datetime:
    usual = now + RECRUITING_LASTS
    if job.expires_at is None:
        return usual
    # A job that expires soon leaves at least half of its time for the work itself.
    return min(usual, now + (job.expires_at - now) / 2)
