"""A dispute: a worker does not agree with what was decided about their work."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from backend.files.models import File
from backend.jobs.lifecycle.dispute import TRANSITIONS
from backend.jobs.models.door import HasStatus, ends_are_final, one_of
from backend.jobs.models.submission import Submission
from backend.jobs.status import DisputeStatus


class Dispute(HasStatus):
    """The claim of a worker to what was not accepted of their reward.

    `amount_value` is that rest, and `worker_value` the part of it that the end gives to the
    worker; what remains is the payer's. Both in the smallest unit of the job's asset.
    """

    NAME = _("The dispute")
    TRANSITIONS = TRANSITIONS

    submission = models.OneToOneField(Submission, on_delete=models.PROTECT, related_name="dispute")
    status = models.CharField(max_length=20, default=DisputeStatus.OPEN.value)
    reason = models.TextField()
    evidence = models.ManyToManyField(File, related_name="+")
    response = models.TextField(blank=True)
    response_evidence = models.ManyToManyField(File, related_name="+")
    amount_value = models.BigIntegerField()
    worker_value = models.BigIntegerField(null=True)
    # Until when the other side has to answer; silence decides for the one who waits.
    answer_by = models.DateTimeField(null=True)
    resolution = models.TextField(blank=True)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    due_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=one_of(DisputeStatus), name="dispute_status_known"),
            models.CheckConstraint(
                condition=Q(amount_value__gt=0)
                & (
                    Q(worker_value__isnull=True)
                    | Q(worker_value__gte=0, worker_value__lte=F("amount_value"))
                ),
                name="dispute_shares_range",
            ),
            models.CheckConstraint(
                condition=Q(status=DisputeStatus.RESOLVED.value, worker_value__isnull=False)
                | (~Q(status=DisputeStatus.RESOLVED.value) & Q(worker_value__isnull=True)),
                name="dispute_resolved_has_shares",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], name="dispute_due", condition=Q(due_at__isnull=False)),
        ]
        triggers: ClassVar = [ends_are_final("dispute_end_is_final", TRANSITIONS)]

    def __str__(self) -> str:
        return f"dispute about {self.submission_id} ({self.status})"

    @property
    def job_key(self) -> UUID:
        return self.submission.job_id
