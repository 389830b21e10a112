"""A submission: one revision of one worker's work."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from backend.files.models import File
from backend.jobs.lifecycle.submission import TRANSITIONS
from backend.jobs.models.application import Application
from backend.jobs.models.deadlines import next_step
from backend.jobs.models.door import HasStatus, one_of
from backend.jobs.models.job import Job
from backend.jobs.status import SubmissionStatus

_S = SubmissionStatus
NOT_DECIDED = (_S.DRAFT.value, _S.SUBMITTED.value, _S.CHANGES_REQUESTED.value)
LAST_REMINDER = timedelta(days=2)


class Submission(HasStatus):
    """One revision of the work of one selected worker.

    Handing in a new revision supersedes the one that changes were requested of, which stays as
    it was. So there is at most one draft and one live revision of a worker's work.
    """

    NAME = _("The submission")
    TRANSITIONS = TRANSITIONS

    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="submissions")
    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="submissions", db_index=False
    )
    worker = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="submissions"
    )
    revision = models.PositiveIntegerField()
    status = models.CharField(max_length=20, default=_S.DRAFT.value)
    note = models.TextField(blank=True)
    text = models.TextField(blank=True)
    links = models.JSONField(default=list)
    files = models.ManyToManyField(File, related_name="+")
    # The job's reward when this was begun, and how much of it has been accepted.
    reward_value = models.BigIntegerField()
    accepted_value = models.BigIntegerField(default=0)
    # What the owner says to it.
    comment = models.TextField(blank=True)
    submitted_at = models.DateTimeField(null=True)
    review_by = models.DateTimeField(null=True)
    revise_until = models.DateTimeField(null=True)
    dispute_until = models.DateTimeField(null=True)
    superseded_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    auto_accepted = models.BooleanField(default=False)
    reminders = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["application", "revision"], name="submission_revision_once"
            ),
            models.UniqueConstraint(
                fields=["application"],
                condition=Q(status=_S.DRAFT.value),
                name="submission_one_draft",
            ),
            models.UniqueConstraint(
                fields=["application"],
                condition=~Q(status=_S.DRAFT.value) & Q(superseded_at__isnull=True),
                name="submission_one_live",
            ),
            models.CheckConstraint(condition=one_of(_S), name="submission_status_known"),
            models.CheckConstraint(
                condition=Q(
                    revision__gte=1,
                    reward_value__gt=0,
                    accepted_value__gte=0,
                    accepted_value__lte=F("reward_value"),
                ),
                name="submission_amounts_range",
            ),
            models.CheckConstraint(
                condition=Q(status__in=[*NOT_DECIDED, _S.REJECTED.value], accepted_value=0)
                | Q(status=_S.ACCEPTED.value, accepted_value__gt=0)
                | Q(status=_S.DISPUTED.value),
                name="submission_accepted_value_fits_status",
            ),
            models.CheckConstraint(
                condition=Q(status=_S.DRAFT.value)
                | Q(submitted_at__isnull=False, review_by__isnull=False),
                name="submission_submitted_has_deadline",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"], name="submission_due", condition=Q(due_at__isnull=False)
            ),
        ]
        triggers: ClassVar = [
            pgtrigger.Trigger(
                name="submission_by_selected_worker",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="""
                    IF NOT EXISTS (
                        SELECT 1 FROM jobs_application
                        WHERE id = NEW.application_id AND job_id = NEW.job_id
                            AND applicant_id = NEW.worker_id AND status = 'SELECTED'
                    ) THEN
                        RAISE EXCEPTION 'only a selected worker hands in work'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            )
        ]

    def __str__(self) -> str:
        return f"revision {self.revision} by {self.worker_id} ({self.status})"

    @property
    def job_key(self) -> UUID:
        return self.job_id

    @property
    def rest(self) -> int:
        """What is not accepted, in the smallest unit of the job's asset."""
        return self.reward_value - self.accepted_value

    def reminder_times(self) -> list[datetime]:
        """When a silent owner is reminded: half-way, and two days before silence accepts."""
        if self.submitted_at is None or self.review_by is None:
            return []
        half = self.submitted_at + (self.review_by - self.submitted_at) / 2
        last = self.review_by - LAST_REMINDER
        return [half, last] if last > half else [half]

    def next_revision_step(self, *, now: datetime) -> datetime | None:
        """When a worker is reminded of the changes they were asked for, or their time is over."""
        return next_step([self.revise_until], reminded=True, now=now)

    def next_review_step(self) -> datetime | None:
        """The next reminder, or the moment at which silence accepts."""
        return next(iter(self.reminder_times()[self.reminders :]), self.review_by)
