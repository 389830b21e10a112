"""What operators say became of a payment that no wallet answers for."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from backend.ids import new_id
from backend.open_payments.types import Amount
from backend.payments.models.journal import append_only
from backend.payments.models.payment import Payment
from backend.payments.status import PaymentStatus

OUTCOMES = (PaymentStatus.COMPLETED, PaymentStatus.FAILED)


class PaymentResolution(models.Model):
    """One operator's word on how a payment ended, with their evidence. Append-only.

    The first is a proposal; the one that `confirms` it, by another operator, ended the payment.
    `status` and `attempt_number` say where the payment stood: a proposal is about nothing else.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="resolutions")
    operator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    outcome = models.CharField(
        max_length=20, choices=[(outcome.value, outcome.label) for outcome in OUTCOMES]
    )
    # A part that arrived, and what left the sender's wallet; null: as outcome and rows say.
    arrived_value = models.BigIntegerField(null=True)
    debited_value = models.BigIntegerField(null=True)
    evidence_url = models.CharField(max_length=2048)
    note = models.CharField(max_length=2000)
    status = models.CharField(max_length=20)
    attempt_number = models.PositiveSmallIntegerField()
    confirms = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="confirmation"
    )
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="resolution_outcome_is_an_end",
                condition=Q(outcome__in=[str(outcome) for outcome in OUTCOMES]),
            ),
            models.CheckConstraint(
                name="resolution_has_evidence", condition=~Q(evidence_url="") & ~Q(note="")
            ),
            models.CheckConstraint(
                name="resolution_sums_are_positive",
                condition=(Q(arrived_value=None) | Q(arrived_value__gt=0))
                & (Q(debited_value=None) | Q(debited_value__gt=0)),
            ),
            models.UniqueConstraint(
                name="resolution_carried_out_once",
                fields=["payment"],
                condition=~Q(confirms=None),
            ),
        ]
        triggers: ClassVar = append_only("payment_resolution_append_only")

    def __str__(self) -> str:
        return f"{self.payment_id}: {self.outcome}, says {self.operator_id}"

    @property
    def arrived(self) -> Amount | None:
        """The part that arrived, or all of what was not fixed; None: as the outcome says."""
        if self.arrived_value is None:
            return None
        code, scale = self.payment.receive_asset_code, self.payment.receive_asset_scale
        return Amount(value=self.arrived_value, asset_code=code, asset_scale=scale)

    @property
    def debited(self) -> Amount | None:
        """What left the sender's wallet; None: as our rows say."""
        value = self.debited_value
        return None if value is None else self.payment.in_sender_asset(value)
