"""A job: work that its owner offers."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import NullIf
from django.utils.translation import gettext_lazy as _

from backend.files.models import File
from backend.jobs.expressions import PrimaryLanguage
from backend.jobs.lifecycle.job import TRANSITIONS
from backend.jobs.models.deadlines import next_step
from backend.jobs.models.door import HasStatus, ends_are_final, one_of
from backend.jobs.status import JobStatus, Pricing
from backend.open_payments.types import Amount

# The largest integer that both databases keep exactly.
LARGEST_VALUE = 2**63 - 1
MOST_WORKERS = 1000
# What the database takes; what people may name is accounts.wallets.FINEST_SCALE.
LARGEST_SCALE = 18
_DRAFT = Q(status=JobStatus.DRAFT.value)
_RECRUITING = Q(status=JobStatus.RECRUITING.value)
_UNDER_WAY = Q(status__in=["REVIEWING", "SELECTING", "SUBMITTING"])
_OVER = Q(status__in=["CANCELED", "COMPLETE", "EXPIRED"])


class Job(HasStatus):
    """Work that its owner offers, and what each worker gets for it."""

    NAME = _("The job")
    TRANSITIONS = TRANSITIONS

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="jobs", db_index=False
    )
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    language_tag = models.CharField(max_length=35, blank=True)
    dialect = models.CharField(max_length=100, blank=True)
    deliverables = models.JSONField(default=list)
    # What the owner shows, and the title read aloud.
    references = models.ManyToManyField(File, related_name="+")
    title_audio = models.ForeignKey(
        File, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    pricing = models.CharField(max_length=16, default=Pricing.FIXED_RECEIVE.value)
    reward_value = models.BigIntegerField()
    asset_code = models.CharField(max_length=16)
    asset_scale = models.PositiveSmallIntegerField()
    workers_needed = models.PositiveIntegerField(default=1)
    status = models.CharField(max_length=20, default=JobStatus.DRAFT.value)
    # Counts the changes of the row: of two writers with one copy, the second one loses.
    version = models.PositiveIntegerField(default=1)
    recruit_limit = models.PositiveIntegerField(default=10)
    recruit_until = models.DateTimeField(null=True, blank=True)
    submit_days = models.PositiveSmallIntegerField(default=7)
    submit_until = models.DateTimeField(null=True, blank=True)
    review_days = models.PositiveSmallIntegerField(default=14)
    expires_at = models.DateTimeField(null=True, blank=True)
    close_recruiting_when_funded = models.BooleanField(default=True)
    # False: it stands for work that is offered elsewhere, and only its owner finds it here.
    listed = models.BooleanField(default=True, db_default=True)
    # A payment for this job is on its way; who funds says so, and nothing may end meanwhile.
    money_moving = models.BooleanField(default=False)
    # When time alone moves it; None when only people can.
    due_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=one_of(JobStatus), name="job_status_known"),
            models.CheckConstraint(
                condition=Q(pricing__in=sorted(each.value for each in Pricing)),
                name="job_pricing_known",
            ),
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
        # The public list reads newest first (over all statuses the primary key serves that), by
        # deadline, or by reward in one asset. Whoever looks for work reads the few jobs that
        # recruit, hence their own indexes; and since status goes with age, the newest of a group
        # of statuses may stand behind many others. An owner reads their own. PostgreSQL has one
        # more column and two indexes, for texts: see `words`.
        indexes: ClassVar = [
            models.Index(fields=["-id"], name="job_recruiting", condition=_RECRUITING),
            models.Index(fields=["-id"], name="job_under_way", condition=_UNDER_WAY),
            models.Index(fields=["-id"], name="job_over", condition=_OVER),
            models.Index(PrimaryLanguage("language_tag"), F("id").desc(), name="job_by_language"),
            models.Index(
                fields=["language_tag"],
                name="job_by_language_tag",
                opclasses=["varchar_pattern_ops"],
            ),
            models.Index(fields=["recruit_until", "id"], name="job_by_deadline"),
            models.Index(
                fields=["recruit_until", "id"],
                name="job_recruiting_by_deadline",
                condition=_RECRUITING,
            ),
            models.Index(
                fields=["asset_code", "asset_scale", "-reward_value", "-id"],
                name="job_by_reward",
            ),
            models.Index(
                PrimaryLanguage("language_tag"),
                F("id").desc(),
                name="job_recruiting_by_language",
                condition=_RECRUITING,
            ),
            models.Index(
                fields=["asset_code", "asset_scale", "-reward_value", "-id"],
                name="job_recruiting_by_reward",
                condition=_RECRUITING,
            ),
            models.Index(fields=["owner", "-id"], name="job_by_owner"),
            models.Index(fields=["owner"], name="job_drafts", condition=_DRAFT),
            models.Index(
                fields=["due_at"], name="job_due", condition=models.Q(due_at__isnull=False)
            ),
        ]
        triggers: ClassVar = [ends_are_final("job_end_is_final", TRANSITIONS)]

    def __str__(self) -> str:
        return f"{self.title} ({self.status})"

    @property
    def reward(self) -> Amount:
        """What one worker gets for accepted work."""
        return self.amount(self.reward_value)

    @property
    def total_budget(self) -> Amount:
        """What the job costs when every place is filled: reward × workers needed."""
        return self.amount(self.reward_value * self.workers_needed)

    def amount(self, value: int) -> Amount:
        """`value` smallest units of the job's asset."""
        return Amount(value=value, asset_code=self.asset_code, asset_scale=self.asset_scale)

    @property
    def job_key(self) -> UUID:
        return self.id

    def due(self, *, now: datetime, status: JobStatus | None = None) -> datetime | None:
        """The next instant at which time moves this job, or reminds people of it; None for none.

        `status` is the one that it is about to have, where it moves. In REVIEWING that depends on
        decisions, and they set `due_at` themselves.
        """
        status = status or JobStatus(self.status)
        deadlines = {
            JobStatus.RECRUITING: (self.recruit_until, self.expires_at),
            JobStatus.SELECTING: (self.expires_at,),
            JobStatus.SUBMITTING: (self.submit_until, self.expires_at),
        }.get(status, ())
        # While it recruits there is nothing that somebody has to do.
        return next_step(deadlines, reminded=status is not JobStatus.RECRUITING, now=now)

    def _as_read(self) -> dict[str, object]:
        return {**super()._as_read(), "version": self.version}

    def _counted(self) -> dict[str, object]:
        return {"version": self.version + 1}
