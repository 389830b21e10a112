"""Jobs, the applications to them, and the log of every status a job has had."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

import pgtrigger
from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import NullIf

from backend.errors import InvalidTransition
from backend.events import emit
from backend.ids import new_id
from backend.jobs.errors import LostRace
from backend.jobs.expressions import PrimaryLanguage
from backend.jobs.status import TRANSITIONS, ApplicationStatus, JobStatus
from backend.open_payments.types import Amount

if TYPE_CHECKING:
    from backend.accounts.models import User

# The largest integer that both databases keep exactly.
LARGEST_VALUE = 2**63 - 1
MOST_WORKERS = 1000
LARGEST_SCALE = 18


def _one_of(statuses: type[JobStatus] | type[ApplicationStatus]) -> Q:
    return Q(status__in=sorted(each.value for each in statuses))


class Job(models.Model):
    """Work that its owner offers, and what each worker gets for it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="jobs", db_index=False
    )
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    language_tag = models.CharField(max_length=35, blank=True)
    dialect = models.CharField(max_length=100, blank=True)
    deliverables = models.JSONField(default=list)
    reward_value = models.BigIntegerField()
    asset_code = models.CharField(max_length=16)
    asset_scale = models.PositiveSmallIntegerField()
    workers_needed = models.PositiveIntegerField(default=1)
    status = models.CharField(max_length=16, default=JobStatus.DRAFT.value)
    # Counts the changes of the row: of two writers with one copy, the second one loses.
    version = models.PositiveIntegerField(default=1)
    recruit_limit = models.PositiveIntegerField(default=10)
    recruit_until = models.DateTimeField(null=True, blank=True)
    submit_days = models.PositiveSmallIntegerField(default=7)
    review_days = models.PositiveSmallIntegerField(default=14)
    expires_at = models.DateTimeField(null=True, blank=True)
    close_recruiting_when_funded = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=_one_of(JobStatus), name="job_status_known"),
            models.CheckConstraint(condition=Q(reward_value__gt=0), name="job_reward_positive"),
            models.CheckConstraint(
                condition=Q(workers_needed__gte=1, workers_needed__lte=MOST_WORKERS),
                name="job_workers_needed_range",
            ),
            # Integer division: the product itself could not be computed in 64 bits. PostgreSQL
            # judges in any order it likes, so the divisor must not be 0 even where it may not.
            models.CheckConstraint(
                condition=Q(
                    reward_value__lte=models.ExpressionWrapper(
                        models.Value(LARGEST_VALUE, output_field=models.BigIntegerField())
                        / NullIf("workers_needed", 0),
                        output_field=models.BigIntegerField(),
                    )
                ),
                name="job_total_budget_range",
            ),
            models.CheckConstraint(
                condition=Q(asset_scale__lte=LARGEST_SCALE) & ~Q(asset_code=""),
                name="job_asset_known",
            ),
            models.CheckConstraint(
                condition=Q(recruit_limit__gte=F("workers_needed")),
                name="job_recruit_limit_covers_workers",
            ),
            models.CheckConstraint(
                condition=Q(submit_days__gte=1, review_days__gte=1), name="job_days_positive"
            ),
            models.CheckConstraint(
                # NULL > x is neither true nor false, and a check passes unless it is false.
                condition=Q(status__in=[JobStatus.DRAFT.value, JobStatus.CANCELED.value])
                | Q(
                    recruit_until__isnull=False,
                    expires_at__isnull=False,
                    expires_at__gt=F("recruit_until"),
                ),
                name="job_published_has_deadlines",
            ),
        ]
        # The public list reads newest first, over all statuses (the primary key serves that),
        # by status, or by language; by deadline; or by reward in one asset. An owner reads their
        # own. PostgreSQL has one more column and index, for texts: see `words`.
        indexes: ClassVar = [
            models.Index(fields=["status", "-id"], name="job_by_status"),
            models.Index(PrimaryLanguage("language_tag"), F("id").desc(), name="job_by_language"),
            models.Index(
                fields=["language_tag"],
                name="job_by_language_tag",
                opclasses=["varchar_pattern_ops"],
            ),
            models.Index(fields=["recruit_until", "id"], name="job_by_deadline"),
            models.Index(
                fields=["asset_code", "asset_scale", "-reward_value", "-id"],
                name="job_by_reward",
            ),
            models.Index(fields=["owner", "-id"], name="job_by_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.status})"

    @property
    def reward(self) -> Amount:
        """What one worker gets for accepted work."""
        return Amount(
            value=self.reward_value, asset_code=self.asset_code, asset_scale=self.asset_scale
        )

    @property
    def total_budget(self) -> Amount:
        """What the job costs when every place is filled: reward × workers needed."""
        return Amount(
            value=self.reward_value * self.workers_needed,
            asset_code=self.asset_code,
            asset_scale=self.asset_scale,
        )

    def move_to(
        self, new: JobStatus, *, at: datetime, actor: User | None = None, **fields: object
    ) -> None:
        """Change the status, saving `fields`, a log row and an event in the same transaction.

        `actor` is who wanted it; `None` means a deadline, or money that has arrived.

        Raises:
            InvalidTransition: TRANSITIONS has no such move.
            LostRace: somebody changed this job first; nothing was saved.
        """
        old = JobStatus(self.status)
        if new not in TRANSITIONS[old]:
            raise InvalidTransition(
                subject="The job", old=old, new=new, allowed=tuple(sorted(TRANSITIONS[old]))
            )
        changes = {"status": new, "updated_at": at, "version": self.version + 1, **fields}
        with transaction.atomic():
            # Old status and version in the WHERE make this a compare-and-set: of two people
            # with the same copy in hand, one updates a row and the other updates none.
            mine = Job.objects.filter(id=self.id, status=old, version=self.version)
            if not mine.update(**changes):
                raise LostRace("Somebody has just changed this job. Read it again, then retry.")
            self.transitions.create(old=old, new=new, at=at, actor=actor)
            emit(
                topic=f"job:{self.id}",
                type="job.status",
                payload={"status": new.value, "previous": old.value},
                at=at,
                actor=actor,
                subject_id=self.id,
            )
        for name, value in changes.items():
            setattr(self, name, value)


class Application(models.Model):
    """One person's wish to do a job, with the wallet their pay would go to.

    The wallet is also kept as it was on the day of applying: what a worker was promised does
    not change when they edit their wallets.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    job = models.ForeignKey(
        Job, on_delete=models.PROTECT, related_name="applications", db_index=False
    )
    applicant = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="applications"
    )
    note = models.TextField(blank=True)
    payout_wallet = models.ForeignKey(
        "accounts.WalletAddress", on_delete=models.PROTECT, related_name="+"
    )
    payout_url = models.CharField(max_length=2048)
    payout_asset_code = models.CharField(max_length=16)
    payout_asset_scale = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=16, default=ApplicationStatus.PENDING.value)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["job", "applicant"], name="application_one_per_person_and_job"
            ),
            models.CheckConstraint(
                condition=_one_of(ApplicationStatus), name="application_status_known"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["job", "status"], name="application_by_job_and_status"),
        ]

    def __str__(self) -> str:
        return f"{self.applicant_id} for {self.job_id} ({self.status})"


class JobTransition(models.Model):
    """One change of a job's status: who, when, from where to where. Written once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="transitions")
    old = models.CharField(max_length=16)
    new = models.CharField(max_length=16)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["id"]
        triggers: ClassVar = [
            pgtrigger.Protect(
                name="job_transition_append_only", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"{self.old} → {self.new} at {self.at:%Y-%m-%d %H:%M}"
