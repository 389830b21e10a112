"""What does not add up."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.db import models

from backend.ids import new_id
from backend.payments.models.payment import Payment


class Discrepancy(models.Model):
    """Something that does not add up and that a person should see; one row per payment and kind."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="discrepancies")
    kind = models.CharField(max_length=40)
    expected = models.CharField(max_length=200)
    actual = models.CharField(max_length=200)
    evidence = models.JSONField(default=dict)
    first_seen_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "discrepancies"
        constraints: ClassVar = [
            models.UniqueConstraint(name="discrepancy_once", fields=["payment", "kind"])
        ]

    def __str__(self) -> str:
        return f"{self.kind} on {self.payment_id}"

    @staticmethod
    def note(
        *,
        payment: Payment,
        kind: str,
        expected: str,
        actual: str,
        at: datetime,
        evidence: dict[str, Any] | None = None,
    ) -> None:
        """Record it once; repeating is harmless."""
        row = Discrepancy(
            payment=payment,
            kind=kind,
            expected=expected,
            actual=actual,
            evidence=evidence or {},
            first_seen_at=at,
        )
        Discrepancy.objects.bulk_create([row], ignore_conflicts=True)
