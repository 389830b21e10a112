"""What proves, without us, that a payment was completed."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from backend.ids import new_id
from backend.payments.models import Payment, append_only


class Receipt(models.Model):
    """The signed receipt of one completed payment. Append-only.

    `jws` is the receipt itself; the other columns only find it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, related_name="receipt")
    number = models.CharField(max_length=32, unique=True)
    issued_at = models.DateTimeField()
    jws = models.TextField()

    class Meta:
        triggers: ClassVar = append_only("receipt_append_only")

    def __str__(self) -> str:
        return self.number
