"""Finding workers: applications, the decisions about them, and when recruiting ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from backend.accounts.models import User, WalletAddress
from backend.accounts.suspending import refuse_suspended
from backend.accounts.wallets import own_wallet
from backend.errors import AssetMismatch, NotFound, ValidationFailed
from backend.files.attaching import attach, let_go
from backend.jobs import validation
from backend.jobs.changes import Change, changing, lock_job
from backend.jobs.facts import application_facts, facts_of_job
from backend.jobs.lifecycle import application as application_rules
from backend.jobs.lifecycle.application import ApplicationAction
from backend.jobs.lifecycle.job import RULES, JobAction
from backend.jobs.lifecycle.rules import require
from backend.jobs.models import Application, Job
from backend.jobs.queries import applications_visible_to
from backend.jobs.status import ApplicationStatus, JobStatus, Pricing
from backend.texts import tidy_text

MOST_ATTACHMENTS = 10
# How many more applications a job takes when it recruits again and its limit was reached.
ONE_MORE_ROUND = 10


def apply_to_job(
    *,
    user: User,
    job_id: UUID,
    note: str | None,
    attachment_ids: Sequence[UUID] = (),
    payout_wallet_id: UUID | None,
    now: datetime,
) -> Application:
    """Keep the wish of `user` to do a job, with the wallet their pay would go to.

    `payout_wallet_id` `None` takes the applicant's default wallet. The application that fills
    the job's limit closes recruiting with it. A repeat is refused, but who has withdrawn can
    apply again; it stays one application.

    Raises:
        NotFound: no such job, or the wallet or a file is not the applicant's.
        Forbidden: the job is their own.
        WrongStatus: the job does not recruit, or no longer.
        ValidationFailed: the note is unusable, or they have applied before.
        WalletRequired: they have no wallet address.
        AssetMismatch: the wallet holds another asset than the job pays.
        WalletHostSuspended: an operator has suspended the wallet's provider.
    """
    note = tidy_text(note, most=validation.LONGEST_NOTE, path="note")
    with changing(at=now, actor=user) as change:
        job = lock_job(user=user, job_id=job_id)
        facts = facts_of_job(user=user, job=job, now=now)
        require(RULES, JobAction.APPLY, facts)
        wallet = own_wallet(
            user=user,
            wallet_id=payout_wallet_id,
            path="payoutWalletId",
            to_do=_("Add a wallet address to be paid to before applying."),
        )
        _check_asset(job, wallet)
        refuse_suspended([wallet], path=("payoutWalletId",))
        files = attach(
            user=user,
            file_ids=attachment_ids,
            path="attachmentFileIds",
            most=MOST_ATTACHMENTS,
            now=now,
        )
        application = _keep(
            change,
            job,
            user,
            note=note,
            payout_wallet=wallet,
            payout_url=wallet.url,
            payout_asset_code=wallet.asset_code,
            payout_asset_scale=wallet.asset_scale,
        )
        before = set(application.attachments.values_list("id", flat=True))
        application.attachments.set(files)
        let_go(before - {file.id for file in files}, now=now)
        if facts.applications + 1 >= job.recruit_limit:
            _close(change, job)
    return application


def withdraw_application(*, user: User, application_id: UUID, now: datetime) -> Application:
    """Take back one's own application, before the work has begun. A repeat is refused.

    Raises:
        NotFound: there is no such application for `user`.
        Forbidden, WrongStatus: see `lifecycle.application`.
    """
    with changing(at=now, actor=user) as change:
        application = applications_visible_to(user).filter(id=application_id).first()
        if application is None:
            raise NotFound(_("There is no such application."), path=("applicationId",))
        job = lock_job(user=user, job_id=application.job_id, path=("applicationId",))
        application.refresh_from_db()
        application.job = job
        facts = application_facts(user=user, application=application, job=job, selected=0)
        require(application_rules.RULES, ApplicationAction.WITHDRAW, facts)
        change.move(application, ApplicationStatus.WITHDRAWN)
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
        Forbidden, WrongStatus: see `lifecycle.job` and `lifecycle.application`.
        ValidationFailed: nothing is named, an application is named twice, or more would be
            selected than the job needs workers.
    """
    validation.check_decisions(select=select, reject=reject, reset=reset)
    # Selecting comes last: it may take the places that the others have freed.
    decisions = {
        **dict.fromkeys(reject, (ApplicationAction.REJECT, ApplicationStatus.REJECTED)),
        **dict.fromkeys(reset, (ApplicationAction.RESET, ApplicationStatus.PENDING)),
        **dict.fromkeys(select, (ApplicationAction.SELECT, ApplicationStatus.SELECTED)),
    }
    with changing(at=now, actor=user) as change:
        job = lock_job(user=user, job_id=job_id)
        job_facts = facts_of_job(user=user, job=job, now=now)
        require(RULES, JobAction.SELECT, job_facts)
        named = {row.id: row for row in job.applications.filter(id__in=decisions)}
        for field, ids in {"select": select, "reject": reject, "reset": reset}.items():
            if not named.keys() >= set(ids):
                raise NotFound(_("One of these is not an application to this job."), path=(field,))
        selected = job_facts.selected
        for id_, (action, status) in decisions.items():
            application = named[id_]
            if application.status == status:
                continue
            application.job = job
            facts = application_facts(
                user=user, application=application, job=job, selected=selected
            )
            require(application_rules.RULES, action, facts)
            selected += (status == ApplicationStatus.SELECTED) - (
                application.status == ApplicationStatus.SELECTED
            )
            change.move(application, status)
    return job, sorted(named.values(), key=lambda application: application.id)


def close_recruiting(*, user: User, job_id: UUID, now: datetime) -> Job:
    """Stop taking applications. A repeat is refused as WrongStatus.

    Raises:
        NotFound, Forbidden, WrongStatus: see `lifecycle.job`.
    """
    with changing(at=now, actor=user) as change:
        job = lock_job(user=user, job_id=job_id)
        facts = facts_of_job(user=user, job=job, now=now)
        require(RULES, JobAction.CLOSE_RECRUITING, facts)
        _close(change, job)
    return job


def close_paid_recruiting(*, job: Job, at: datetime) -> bool:
    """Move a job whose money is in from RECRUITING to SELECTING, where its owner wants that.

    Does nothing, and returns False, when the job is elsewhere in its life, has no application
    to select from (it would be stuck), or keeps recruiting by `close_recruiting_when_funded`.
    Safe to repeat. Refreshes `job`, and joins the caller's transaction when there is one.
    """
    with changing(at=at) as change:
        job.refresh_from_db(from_queryset=Job.objects.select_for_update())
        closes = (
            job.status == JobStatus.RECRUITING
            and job.close_recruiting_when_funded
            and job.applications.exclude(status=ApplicationStatus.WITHDRAWN).exists()
        )
        if closes:
            _close(change, job)
    return closes


def close_recruiting_to_fund(*, job: Job, at: datetime, actor: User | None = None) -> None:
    """Move a job whose owner secures the pay of those selected from RECRUITING to SELECTING.

    Does nothing elsewhere in its life. The caller holds the job's lock.
    """
    if job.status == JobStatus.RECRUITING:
        with changing(at=at, actor=actor) as change:
            _close(change, job)


def reopen_recruiting(
    *,
    user: User,
    job_id: UUID,
    recruit_until: datetime,
    recruit_limit: int | None,
    now: datetime,
) -> Job:
    """Take applications again, until `recruit_until`. A repeat is refused as WrongStatus.

    `recruit_limit` `None` keeps the limit, or makes room for 10 more when it was reached. What
    was decided about the applications stays.

    Raises:
        NotFound, Forbidden, WrongStatus: see `lifecycle.job`.
        ValidationFailed: the deadline is not ahead or not before the job's end, or the limit is
            reached already.
    """
    with changing(at=now, actor=user) as change:
        job = lock_job(user=user, job_id=job_id)
        facts = facts_of_job(user=user, job=job, now=now)
        require(RULES, JobAction.REOPEN, facts)
        validation.check_deadlines(recruit_until=recruit_until, expires_at=job.expires_at, now=now)
        limit = recruit_limit
        if limit is None:
            limit = max(job.recruit_limit, facts.applications + ONE_MORE_ROUND)
        if not facts.applications < limit <= validation.MOST_APPLICATIONS:
            raise ValidationFailed(
                _("There are {count} applications already; the limit can be {most} at most."),
                path=("recruitLimit",),
                count=facts.applications,
                most=validation.MOST_APPLICATIONS,
            )
        change.move(
            job,
            JobStatus.RECRUITING,
            recruit_until=recruit_until,
            recruit_limit=max(limit, job.workers_needed),
            due_at=recruit_until,
        )
    return job


def _close(change: Change, job: Job) -> None:
    due_at = job.due(now=change.at, status=JobStatus.SELECTING)
    change.move(job, JobStatus.SELECTING, due_at=due_at)


def _check_asset(job: Job, wallet: WalletAddress) -> None:
    if job.pricing == Pricing.FIXED_SEND:
        return  # the payer's side is exact; the worker's wallet receives what that becomes
    if (wallet.asset_code, wallet.asset_scale) != (job.asset_code, job.asset_scale):
        raise AssetMismatch(
            _(
                "The job pays {job_asset} with scale {job_scale}, and this wallet holds "
                "{wallet_asset} with scale {wallet_scale}."
            ),
            path=("payoutWalletId",),
            job_asset=job.asset_code,
            job_scale=job.asset_scale,
            wallet_asset=wallet.asset_code,
            wallet_scale=wallet.asset_scale,
        )


def _keep(change: Change, job: Job, user: User, **columns: Any) -> Application:
    withdrawn = job.applications.filter(applicant=user).first()
    if withdrawn is not None:
        withdrawn.job = job
        change.move(withdrawn, ApplicationStatus.PENDING, **columns)
        return withdrawn
    application = Application.objects.create(
        job=job, applicant=user, created_at=change.at, updated_at=change.at, **columns
    )
    change.tell_people(
        application,
        "application.status",
        {"status": ApplicationStatus.PENDING.value, "previous": None, "job": str(job.id)},
    )
    return application
