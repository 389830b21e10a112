"""People, wallets and jobs for the tests of this folder."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from backend.accounts.models import User, WalletAddress
from backend.ids import new_id
from backend.jobs import disputes, posting, recruiting, review, work
from backend.jobs.models import Application, Dispute, Job, Submission
from backend.jobs.status import DeliverableType, JobStatus, ReviewDecision
from backend.jobs.validation import JobData
from backend.open_payments.types import Amount

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
USD_25 = Amount(value=2500, asset_code="USD", asset_scale=2)
GOOD_JOB = JobData(
    title="Record ten sentences",
    description="Read ten sentences in Otomi, in a quiet room.",
    language_tag="oto",
    deliverables=(DeliverableType.AUDIO,),
    reward=USD_25,
    workers_needed=2,
)


def a_person(
    name: str = "somebody", *, wallet: bool = True, asset_code: str = "USD", **fields: Any
) -> User:
    person = User.objects.create(
        email=f"{name}-{new_id().hex}@example.com", display_name=name, created_at=NOON, **fields
    )
    if wallet:
        a_wallet(person, asset_code=asset_code)
    return person


def a_wallet(
    owner: User, *, asset_code: str = "USD", asset_scale: int = 2, is_default: bool = True
) -> WalletAddress:
    return WalletAddress.objects.create(
        owner=owner,
        url=f"https://wallet.example/{new_id().hex}",
        public_name=owner.display_name,
        asset_code=asset_code,
        asset_scale=asset_scale,
        auth_server="https://auth.wallet.example",
        resource_server="https://wallet.example",
        checked_at=NOON,
        is_default=is_default,
    )


def a_draft(owner: User | None = None, **changes: Any) -> Job:
    return posting.create_job(
        owner=owner or a_person("owner"), data=replace(GOOD_JOB, **changes), now=NOON
    )


def a_job(owner: User | None = None, **changes: Any) -> Job:
    """A job that recruits."""
    draft = a_draft(owner, **changes)
    return posting.publish_job(user=draft.owner, job_id=draft.id, now=NOON)


def a_job_in(status: JobStatus, owner: User | None = None) -> Job:
    """A job in any status, however it came there."""
    job = a_job(owner)
    Job.objects.filter(id=job.id).update(status=status)
    job.refresh_from_db()
    return job


def a_job_with_work(
    workers: int = 1, *, now: datetime = NOON, **changes: Any
) -> tuple[Job, list[User]]:
    """A job in SUBMITTING, as if its pay had been secured, and the workers selected for it."""
    changes = {"workers_needed": workers, "deliverables": (DeliverableType.TEXT,), **changes}
    job = a_job(**changes)
    applications = [an_application(job) for _ in range(workers)]
    recruiting.decide_applications(
        user=job.owner, job_id=job.id, select=[each.id for each in applications], now=now
    )
    work.begin_work(job=job, at=now)
    return job, [each.applicant for each in applications]


def a_draft_of_work(job: Job, worker: User, *, now: datetime = NOON, **content: Any) -> Submission:
    content = {"note": None, "text": "Ten sentences.", **content}
    return work.save_submission(user=worker, job_id=job.id, now=now, **content)


def submitted_work(job: Job, worker: User, *, now: datetime = NOON, **content: Any) -> Submission:
    draft = a_draft_of_work(job, worker, now=now, **content)
    return work.submit_work(user=worker, submission_id=draft.id, now=now)


def reviewed(
    submission: Submission,
    decision: ReviewDecision,
    *,
    value: int | None = None,
    comment: str | None = "Thank you.",
    now: datetime = NOON,
) -> Submission:
    """What the owner of the job decides; `value` is in the job's asset."""
    job = Job.objects.get(id=submission.job_id)
    return review.review_submission(
        user=job.owner,
        submission_id=submission.id,
        decision=decision,
        amount=None if value is None else job.amount(value),
        comment=comment,
        idempotency_key=new_id(),
        now=now,
    )


def a_dispute(submission: Submission, *, now: datetime = NOON) -> Dispute:
    return disputes.open_dispute(
        user=submission.worker,
        submission_id=submission.id,
        reason="I did what was asked.",
        now=now,
    )


def an_application(
    job: Job,
    user: User | None = None,
    *,
    note: str | None = None,
    payout_wallet_id: UUID | None = None,
    now: datetime = NOON,
) -> Application:
    return recruiting.apply_to_job(
        user=user or a_person("worker"),
        job_id=job.id,
        note=note,
        payout_wallet_id=payout_wallet_id,
        now=now,
    )
