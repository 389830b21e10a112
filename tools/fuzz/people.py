"""Somebody in every role, and something in every state, straight into the database."""

import hashlib
import random
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Model

from backend.accounts import tokens
from backend.accounts.models import User, WalletAddress
from backend.clock import SYSTEM_CLOCK
from backend.files.models import File
from backend.files.status import FileStatus
from backend.funding.models import Funding
from backend.funding.status import FundingMode, FundingStatus
from backend.ids import new_id
from backend.jobs import disputes, posting, recruiting, review, work
from backend.jobs.models import Application, Dispute, Job, Submission
from backend.jobs.status import DeliverableType, ReviewDecision
from backend.jobs.validation import JobData
from backend.open_payments.types import Amount
from backend.schema.nodes import encode_id
from tools.fuzz.documents import PASSWORD

REWARD = Amount(value=2500, asset_code="USD", asset_scale=2)
WORKERS = 3
FUNDED = 8
JOB = JobData(
    title="Record ten sentences",
    description="Read ten sentences in Otomi, in a quiet room.",
    deliverables=(DeliverableType.TEXT,),
    reward=REWARD,
    workers_needed=WORKERS,
)
# A session is used this often: something a document did may have ended it.
SESSION_USES = 20
VISITS = 0.1


class People:
    """An owner, workers, an operator and an auditor, who take turns in asking.

    `wallet` is the document that stands at a wallet address; everybody holds that wallet.
    """

    def __init__(self, *, wallet: Mapping[str, Any], seed: int) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - a test's dice
        self.owner = _person("owner", wallet)
        self.owner.set_password(PASSWORD)
        self.owner.save()
        self.workers = [_person(f"worker-{n}", wallet) for n in range(WORKERS)]
        operator = _person("operator", wallet, is_staff=True)
        auditor = _person("auditor", wallet, is_auditor=True)
        self._everybody = [self.owner, self.owner, *self.workers, operator, auditor]
        self._sessions: list[str] = []
        self._uses = 0

    def authorization(self) -> str | None:
        """The next one's Authorization value; None for a visitor."""
        if self._rng.random() < VISITS:
            return None
        self._uses += 1
        if self._uses > SESSION_USES or not self._sessions:
            self.everybody()
        return self._rng.choice(self._sessions)

    def everybody(self) -> list[str]:
        """The Authorization values of all, of sessions that nothing has ended yet."""
        now = SYSTEM_CLOCK.now()
        self._sessions = [
            f"Bearer {tokens.issue(user=each, label='fuzz', now=now)}" for each in self._everybody
        ]
        self._uses = 0
        # schemathesis asks from threads of its own, which end without a word to Django.
        connection.close()
        return self._sessions

    def begin(self) -> list[str]:
        """Make jobs, applications, work and disputes in many states; their global ids."""
        self._fill()
        rows: list[Model] = [self.owner, *self.workers]
        for model in (Job, Application, Submission, Dispute, File):
            rows += model.objects.all()
        wallets = WalletAddress.objects.exclude(owner=None)
        return [
            *(encode_id(type(row).__name__, row.pk) for row in rows),
            *(encode_id("Wallet", wallet.id) for wallet in wallets),
        ]

    def _fill(self) -> None:
        now = SYSTEM_CLOCK.now()
        self._draft()
        self._published()
        selecting = self._published()
        recruiting.close_recruiting(user=self.owner, job_id=selecting.id, now=now)
        for _ in range(FUNDED):
            self._funded()
        working, waiting, decided = (self._begun() for _ in range(3))
        self._draft_of_work(working, self.workers[0])
        for worker in self.workers:
            self._submit(waiting, worker)
        accepted, changed, rejected = (self._submit(decided, worker) for worker in self.workers)
        self._review(accepted, ReviewDecision.ACCEPT)
        self._review(changed, ReviewDecision.REQUEST_CHANGES)
        self._review(rejected, ReviewDecision.REJECT)
        disputes.open_dispute(
            user=rejected.worker, submission_id=rejected.id, reason="I did what was asked.", now=now
        )

    def _draft(self) -> Job:
        return posting.create_job(owner=self.owner, data=JOB, now=SYSTEM_CLOCK.now())

    def _published(self) -> Job:
        now = SYSTEM_CLOCK.now()
        job = posting.publish_job(user=self.owner, job_id=self._draft().id, now=now)
        for worker in self.workers:
            recruiting.apply_to_job(
                user=worker, job_id=job.id, note=None, payout_wallet_id=None, now=now
            )
        return job

    def _selected(self) -> Job:
        job = self._published()
        chosen = [each.id for each in Application.objects.filter(job=job)]
        recruiting.decide_applications(
            user=self.owner, job_id=job.id, select=chosen, now=SYSTEM_CLOCK.now()
        )
        return job

    def _funded(self) -> None:
        """A job whose money has arrived, as nobody consents at a wallet here."""
        job, now = self._selected(), SYSTEM_CLOCK.now()
        total = job.total_budget
        Funding.objects.create(
            job=job,
            payer=self.owner,
            mode=FundingMode.DIRECT,
            status=FundingStatus.SETTLED,
            total_value=total.value,
            released_value=total.value,
            asset_code=total.asset_code,
            asset_scale=total.asset_scale,
            created_at=now,
            updated_at=now,
        )

    def _begun(self) -> Job:
        job, now = self._selected(), SYSTEM_CLOCK.now()
        with transaction.atomic():
            work.begin_work(job=job, at=now)
        return job

    def _draft_of_work(self, job: Job, worker: User) -> Submission:
        now = SYSTEM_CLOCK.now()
        return work.save_submission(
            user=worker, job_id=job.id, note=None, text="Ten sentences.", now=now
        )

    def _submit(self, job: Job, worker: User) -> Submission:
        draft = self._draft_of_work(job, worker)
        return work.submit_work(user=worker, submission_id=draft.id, now=SYSTEM_CLOCK.now())

    def _review(self, submission: Submission, decision: ReviewDecision) -> None:
        review.review_submission(
            user=self.owner,
            submission_id=submission.id,
            decision=decision,
            amount=None,
            comment="Thank you.",
            idempotency_key=new_id(),
            now=SYSTEM_CLOCK.now(),
        )


def _person(name: str, wallet: Mapping[str, Any], **fields: Any) -> User:
    now = SYSTEM_CLOCK.now()
    person = User.objects.create(
        email=f"{name}@fuzz.example", display_name=name, created_at=now, **fields
    )
    WalletAddress.objects.create(
        owner=person,
        url=wallet["id"],
        asset_code=wallet["assetCode"],
        asset_scale=wallet["assetScale"],
        auth_server=wallet["authServer"],
        resource_server=wallet["resourceServer"],
        checked_at=now,
        is_default=True,
    )
    File.objects.create(
        owner=person,
        name="notes.txt",
        media_type="text/plain",
        sniffed_type="text/plain",
        size=5,
        sha256=hashlib.sha256(b"hello").hexdigest(),
        part_size=5,
        storage_key=secrets.token_hex(16),
        status=FileStatus.READY,
        created_at=now,
        expires_at=now + timedelta(days=1),
    )
    return person
