"""The log of every status that a job and its parts have had."""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.db import models

from backend.ids import new_id


class StatusChange(models.Model):
    """One change of a status: whose, from where to where, who, when, and why. Written once.

    `kind` and `subject_id` name the row: "job", "application", "submission" or "dispute".
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    job = models.ForeignKey("jobs.Job", on_delete=models.PROTECT, related_name="status_changes")
    kind = models.CharField(max_length=16)
    subject_id = models.UUIDField()
    old = models.CharField(max_length=20)
    new = models.CharField(max_length=20)
    # None: a deadline, or money that has arrived.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    reason = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["id"]
        triggers: ClassVar = [
            pgtrigger.Protect(
                name="status_change_append_only", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.old} → {self.new} at {self.at:%Y-%m-%d %H:%M}"
