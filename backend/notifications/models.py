"""Mails: one for each event that somebody is to hear of by mail."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from backend.ids import new_id
from backend.notifications.status import MailStatus, SkippedBecause


class Mail(models.Model):
    """One event that one person is mailed about, and how that goes.

    What it says is made when it is sent, from the event and what that is about.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mails"
    )
    # Not a foreign key: events are forgotten by their own rule. An event of a person's feed
    # concerns one person, so it makes one mail.
    event_id = models.UUIDField(unique=True)
    event_at = models.DateTimeField()
    subject_id = models.UUIDField()
    # The name of an entry of `kinds.KINDS`.
    kind = models.CharField(max_length=40)
    status = models.CharField(max_length=16, choices=MailStatus, default=MailStatus.PENDING)
    skipped_because = models.CharField(max_length=16, choices=SkippedBecause, blank=True)
    # How often the mail server did not take it, and how often we were broken off over it.
    refusals = models.PositiveSmallIntegerField(default=0)
    broken_off = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    fence = models.BigIntegerField(default=0)
    ended_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="mail_is_due_until_it_ends",
                condition=Q(status=MailStatus.PENDING, due_at__isnull=False, ended_at=None)
                | (~Q(status=MailStatus.PENDING) & Q(due_at=None, ended_at__isnull=False)),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                name="mail_due", fields=["due_at"], condition=Q(status=MailStatus.PENDING)
            ),
            models.Index(name="mail_event_at", fields=["event_at"]),
            # Whoever makes many that are skipped does not make looking for the others slow.
            models.Index(
                name="mail_of_recipient",
                fields=["recipient", "kind", "subject_id"],
                condition=Q(status__in=[MailStatus.PENDING, MailStatus.SENT]),
            ),
        ]

    def __str__(self) -> str:
        return f"mail {self.id} {self.kind} {self.status}"
