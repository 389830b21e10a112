"""The journal of external calls."""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q

from backend import encryption
from backend.ids import new_id


def append_only(name: str) -> list[pgtrigger.Trigger]:
    """The PostgreSQL trigger that refuses to change or delete a row of a log."""
    return [pgtrigger.Protect(name=name, operation=pgtrigger.Update | pgtrigger.Delete)]


class WalletCall(models.Model):
    """The journal of external calls. Append-only.

    A repeatable call is one row, written with its answer. A call that must not be repeated is
    two: the intent, committed before anything leaves us, and the answer, committed raw before it
    is parsed; `intent` ties them together.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # For which of the two it was made.
    payment = models.ForeignKey(
        "payments.Payment", on_delete=models.PROTECT, null=True, related_name="calls"
    )
    held_grant = models.ForeignKey(
        "payments.HeldGrant", on_delete=models.PROTECT, null=True, related_name="calls"
    )
    # 0 for a held grant, which has no attempts.
    attempt_number = models.PositiveSmallIntegerField()
    grant = models.ForeignKey(
        "payments.Grant", on_delete=models.PROTECT, null=True, related_name="+"
    )
    operation = models.CharField(max_length=60)
    # The server that was asked; empty only in rows older than the column.
    host = models.CharField(max_length=255, blank=True, db_default="")
    request_digest = models.CharField(max_length=64)
    fence = models.BigIntegerField()
    at = models.DateTimeField()
    intent = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="answer"
    )
    is_answer = models.BooleanField()
    status = models.PositiveSmallIntegerField(null=True)
    # Why there is no status: the class of the transport error.
    error = models.CharField(max_length=80, blank=True)
    request_sent = models.BooleanField(default=True)
    # From asking to the answer, or to giving up on it; None for an intent, and as with `host`.
    duration_ms = models.PositiveIntegerField(null=True)
    # Only the headers that decide how an answer is read.
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="call_for_a_payment_or_a_held_grant",
                condition=Q(payment=None) ^ Q(held_grant=None),
            )
        ]
        indexes: ClassVar = [
            models.Index(name="call_payment_operation", fields=["payment", "operation"])
        ]
        triggers: ClassVar = append_only("wallet_call_append_only")

    def __str__(self) -> str:
        return f"{self.operation} for {self.payment_id or self.held_grant_id}"

    def seal_body(self, body: bytes) -> str:
        return encryption.encrypt(
            body.decode("latin-1"), column="payments_walletcall.body", row=self.id
        )

    def open_body(self) -> bytes:
        text = encryption.decrypt(self.body, column="payments_walletcall.body", row=self.id)
        return text.encode("latin-1")
