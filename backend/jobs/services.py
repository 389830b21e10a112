"""Everything a person can do with jobs and applications.

Each function is one transaction. Those that change an existing job take its row lock first, so
that limits are counted by one writer at a time: on PostgreSQL by SELECT … FOR UPDATE, on SQLite
because BEGIN IMMEDIATE lets only one writer in.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from backend.accounts.models import User, WalletAddress
from backend.accounts.wallets import own_wallet
from backend.errors import AssetMismatch, NotFound, ValidationFailed, WalletRequired
from backend.jobs import validation
from backend.jobs.models import Application, Job
from backend.jobs.queries import jobs_visible_to
from backend.jobs.status import ApplicationStatus, JobAction, JobStatus, require
from backend.jobs.validation import JobData

RECRUITING_LASTS = timedelta(days=7)


def create_job(*, owner: User, data: JobData, now: datetime) -> Job:
    """Keep a new job as a draft that only its owner sees.

    Not safe to repeat: each call makes a job.

    Raises:
        ValidationFailed: a value is unusable; `path` says which one.
        AmountOutOfRange: reward × workers needed is above 2^63−1.
    """
    columns = validation.job_columns(data, now=now)
    return Job.objects.create(owner=owner, created_at=now, updated_at=now, **columns)


def publish_job(*, user: User, job_id: UUID, now: datetime) -> Job:
    """Open a draft for applications, setting the deadlines its owner left open.

    Recruiting lasts 7 days, and the job expires when the work of somebody selected on the last
    of them would have been submitted and reviewed in time. A repeat is refused as WrongStatus.

    Raises:
        NotFound, Forbidden, WrongStatus: see `require`; a foreign draft does not exist.
        WalletRequired: the owner has no wallet to pay from.
        ValidationFailed: description or deliverables are missing, or a deadline has passed.
    """
    with transaction.atomic():
        job = _locked(user=user, job_id=job_id)
        require(JobAction.PUBLISH, job=job, user=user, now=now)
        if not job.description:
            raise ValidationFailed("Describe the work before publishing.", path=("description",))
        if not job.deliverables:
            raise ValidationFailed(
                "Say what workers hand in before publishing.", path=("deliverables",)
            )
        if not WalletAddress.objects.filter(owner=user).exists():
            raise WalletRequired("Add a wallet address to pay from before publishing.")
        validation.check_deadlines(
            recruit_until=job.recruit_until, expires_at=job.expires_at, now=now
        )
        recruit_until = job.recruit_until or _end_of_recruiting(job, now=now)
        expires_at = job.expires_at or recruit_until + timedelta(
            days=job.submit_days + job.review_days
        )
        job.move_to(
            JobStatus.RECRUITING,
            at=now,
            actor=user,
            recruit_until=recruit_until,
            expires_at=expires_at,
        )
    return job


def apply_to_job(
    *,
    user: User,
    job_id: UUID,
    note: str | None,
    payout_wallet_id: UUID | None,
    now: datetime,
) -> Application:
    """Keep the wish of `user` to do a job, with the wallet their pay would go to.

    `payout_wallet_id` `None` takes the applicant's default wallet. The application that fills
    the job's limit closes recruiting with it. A repeat is refused.

    Raises:
        NotFound: no such job, or the wallet is not the applicant's.
        Forbidden: the job is their own.
        WrongStatus: the job does not recruit, or no longer.
        ValidationFailed: the note is unusable, or they have applied before.
        WalletRequired: they have no wallet address.
        AssetMismatch: the wallet holds another asset than the job pays.
    """
    note = validation.text(note, most=validation.LONGEST_NOTE, path="note")
    with transaction.atomic():
        job = _locked(user=user, job_id=job_id)
        require(JobAction.APPLY, job=job, user=user, now=now)
        if job.applications.filter(applicant=user).exists():
            raise ValidationFailed("You have applied to this job already.", path=("jobId",))
        wallet = own_wallet(
            user=user,
            wallet_id=payout_wallet_id,
            path="payoutWalletId",
            to_do="Add a wallet address to be paid to before applying.",
        )
        if (wallet.asset_code, wallet.asset_scale) != (job.asset_code, job.asset_scale):
            raise AssetMismatch(
                f"The job pays {job.asset_code} with scale {job.asset_scale}, and this wallet "
                f"holds {wallet.asset_code} with scale {wallet.asset_scale}.",
                path=("payoutWalletId",),
            )
        application = Application.objects.create(
            job=job,
            applicant=user,
            note=note,
            payout_wallet=wallet,
            payout_url=wallet.url,
            payout_asset_code=wallet.asset_code,
            payout_asset_scale=wallet.asset_scale,
            created_at=now,
            updated_at=now,
        )
        if job.applications.count() >= job.recruit_limit:
            job.move_to(JobStatus.SELECTING, at=now, actor=user)
    return application


def decide_applications(
    *,
    user: User,
    job_id: UUID,
    select: Sequence[UUID] = (),
    reject: Sequence[UUID] = (),
    reset: Sequence[UUID] = (),
    now: datetime,
) -> tuple[Job, list[Application]]:
    """Select, reject or put back to pending; all of the named applications or none of them.

    Returns the job and the named applications in the order they came in. Safe to repeat: what
    is decided that way already stays as it is.

    Raises:
        NotFound: no such job, or an id is not an application to this job.
        Forbidden, WrongStatus: see `require`.
        ValidationFailed: nothing is named, an application is named twice or was withdrawn, or
            more would be selected than the job needs workers.
    """
    validation.check_decisions(select=select, reject=reject, reset=reset)
    decided = {
        **dict.fromkeys(select, ApplicationStatus.SELECTED),
        **dict.fromkeys(reject, ApplicationStatus.REJECTED),
        **dict.fromkeys(reset, ApplicationStatus.PENDING),
    }
    with transaction.atomic():
        job = _locked(user=user, job_id=job_id)
        require(JobAction.SELECT, job=job, user=user, now=now)
        applications = list(job.applications.filter(id__in=decided).order_by("id"))
        if len(applications) < len(decided):
            raise NotFound("One of these is not an application to this job.")
        if any(each.status == ApplicationStatus.WITHDRAWN for each in applications):
            raise ValidationFailed("A withdrawn application cannot be decided.")
        changed = [each for each in applications if each.status != decided[each.id]]
        for application in changed:
            application.status, application.updated_at = decided[application.id], now
        Application.objects.bulk_update(changed, ["status", "updated_at"])
        selected = job.applications.filter(status=ApplicationStatus.SELECTED).count()
        if selected > job.workers_needed:
            raise ValidationFailed(
                f"{selected} would be selected; the job needs {job.workers_needed}.",
                path=("select",),
            )
    return job, applications


def close_recruiting(*, job: Job, at: datetime, actor: User | None = None) -> bool:
    """Move a job whose money is in from RECRUITING to SELECTING, where its owner wants that.

    Does nothing, and returns False, when the job is elsewhere in its life, has no application
    to select from (it would be stuck), or keeps recruiting by `close_recruiting_when_funded`.
    Safe to repeat. Refreshes `job`, and joins the caller's transaction when there is one.
    """
    with transaction.atomic():
        job.refresh_from_db(from_queryset=Job.objects.select_for_update())
        closes = (
            job.status == JobStatus.RECRUITING
            and job.close_recruiting_when_funded
            and job.applications.exclude(status=ApplicationStatus.WITHDRAWN).exists()
        )
        if closes:
            job.move_to(JobStatus.SELECTING, at=at, actor=actor)
    return closes


def _locked(*, user: User, job_id: UUID) -> Job:
    job = jobs_visible_to(user).select_for_update().filter(id=job_id).first()
    if job is None:
        raise NotFound("There is no such job.", path=("jobId",))
    return job


def _end_of_recruiting(job: Job, *, now: datetime) -> datetime:
    usual = now + RECRUITING_LASTS
    if job.expires_at is None:
        return usual
    # A job that expires soon leaves at least half of its time for the work itself.
    return min(usual, now + (job.expires_at - now) / 2)
