"""What does not add up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from backend.ids import new_id
from backend.payments.models.payment import Payment


class Discrepancy(models.Model):
    """Something that does not add up and that a person should see; one row per subject and kind.

    The subject is what it is about: a payment (then `payment` is the same), or a held grant, a
    funding, a wallet. `resolved_at` says when it was first gone; one that returns is opened again.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    subject = models.UUIDField()
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, null=True, related_name="discrepancies"
    )
    kind = models.CharField(max_length=40)
    expected = models.CharField(max_length=200)
    actual = models.CharField(max_length=200)
    evidence = models.JSONField(default=dict)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "discrepancies"
        constraints: ClassVar = [
            models.UniqueConstraint(name="discrepancy_once", fields=["subject", "kind"])
        ]
        indexes: ClassVar = [
            models.Index(name="discrepancy_open", fields=["kind"], condition=Q(resolved_at=None))
        ]

    def __str__(self) -> str:
        return f"{self.kind} on {self.subject}"

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
        """Record it once; repeating keeps when it was first seen, and opens it again."""
        Discrepancy.save_seen(
            [
                Discrepancy(
                    subject=payment.id,
                    payment=payment,
                    kind=kind,
                    expected=expected,
                    actual=actual,
                    evidence=evidence or {},
                    first_seen_at=at,
                    last_seen_at=at,
                )
            ]
        )

    @staticmethod
    def settle(*, payment: Payment, kind: str, at: datetime) -> None:
        """Record that it is gone; repeating keeps when that was first seen."""
        noted = Discrepancy.objects.filter(subject=payment.id, kind=kind, resolved_at=None)
        noted.update(resolved_at=at)

    @staticmethod
    def save_seen(rows: Sequence[Discrepancy]) -> None:
        """Record each of `rows`, or that it was seen again; no two have one subject and kind."""
        Discrepancy.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["subject", "kind"],
            update_fields=["expected", "actual", "evidence", "last_seen_at", "resolved_at"],
        )
