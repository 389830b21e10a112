"""What a funding promises to whom, and what is owed out of it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from backend.accounts.models import WalletAddress
from backend.funding.models.funding import Funding
from backend.funding.status import UNPAID, AllocationStatus, PayableStatus
from backend.ids import new_id
from backend.jobs.models import Application, Submission
from backend.open_payments.types import Amount
from backend.payments.status import PaymentPurpose


class Allocation(models.Model):
    """The part of a funding that is promised to one selected applicant, in the job's asset.

    `released_value` has arrived at the worker, `returned_value` will never be asked for: what is
    between the two and `amount_value` is still promised.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    funding = models.ForeignKey(Funding, on_delete=models.PROTECT, related_name="allocations")
    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="allocations"
    )
    amount_value = models.BigIntegerField()
    released_value = models.BigIntegerField(default=0)
    returned_value = models.BigIntegerField(default=0)
    status = models.CharField(
        max_length=20, choices=AllocationStatus, default=AllocationStatus.RESERVED
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="allocation_amounts_add_up",
                condition=Q(amount_value__gt=0)
                & Q(released_value__gte=0)
                & Q(returned_value__gte=0)
                & Q(amount_value__gte=F("released_value") + F("returned_value")),
            ),
        ]

    def __str__(self) -> str:
        return f"allocation {self.id} {self.status}"

    @property
    def amount(self) -> Amount:
        return self._amount(self.amount_value)

    @property
    def released(self) -> Amount:
        return self._amount(self.released_value)

    @property
    def kept_value(self) -> int:
        """What was released or is still promised, in the smallest unit."""
        return self.amount_value - self.returned_value

    def _amount(self, value: int) -> Amount:
        return Amount(
            value=value,
            asset_code=self.funding.asset_code,
            asset_scale=self.funding.asset_scale,
        )


class Payable(models.Model):
    """An amount owed out of a funding: to a worker, back to its payer, or to the platform.

    It is owed until the receiver's wallet shows it, however many payments that takes; they come
    one after the other, each after the certain end of the last. `value` is in the job's asset. The
    platform's fee grows while it waits to be begun, and can be waived.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    funding = models.ForeignKey(Funding, on_delete=models.PROTECT, related_name="payables")
    purpose = models.CharField(max_length=16, choices=PaymentPurpose)
    allocation = models.ForeignKey(
        Allocation, on_delete=models.PROTECT, null=True, related_name="payables"
    )
    submission = models.ForeignKey(
        Submission, on_delete=models.PROTECT, null=True, related_name="payables"
    )
    receiver = models.ForeignKey(WalletAddress, on_delete=models.PROTECT, related_name="+")
    value = models.BigIntegerField()
    status = models.CharField(max_length=16, choices=PayableStatus, default=PayableStatus.OWED)
    # Payments for it that have failed since somebody last acted.
    failures = models.PositiveSmallIntegerField(default=0)
    # When time alone starts the next payment; None: something else has to happen first.
    due_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="payable_is_positive", condition=Q(value__gt=0)),
            models.CheckConstraint(
                name="payable_only_owed_is_due",
                condition=Q(due_at=None) | Q(status=PayableStatus.OWED),
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="payable_due", fields=["due_at"], condition=Q(due_at__isnull=False)),
            models.Index(
                name="payable_unpaid",
                fields=["funding"],
                condition=Q(status__in=sorted(UNPAID)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.id} {self.status}"

    @property
    def amount(self) -> Amount:
        return Amount(
            value=self.value,
            asset_code=self.funding.asset_code,
            asset_scale=self.funding.asset_scale,
        )
