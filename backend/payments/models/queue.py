"""A row that is also its own place in the queue."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from django.db import models


class QueueRow(models.Model):
    """What the workflow moves on: `due_at` says when it looks next (None: it is over).

    `lease_until` says who works on it now, and `fence` grows with every claim, so that a worker
    that lost its claim cannot write. A failure is kept in English and translated when it is read.
    """

    # What a claim reads with the row.
    QUEUE_JOINS: ClassVar[tuple[str, ...]] = ()
    # In which of them it may be claimed.
    STATUSES: ClassVar[Collection[str]]

    failure_code = models.CharField(max_length=32, blank=True)
    failure_message = models.CharField(max_length=500, blank=True)
    failure_retryable = models.BooleanField(default=False)

    fence = models.BigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    deadline_at = models.DateTimeField()
    # Failures in a row, for the pauses between tries; progress sets it back to 0.
    tries = models.PositiveIntegerField(default=0)
    # The intent of a call that must not be repeated and whose answer was not applied yet.
    pending_call = models.ForeignKey(
        "payments.WalletCall", on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        abstract = True
