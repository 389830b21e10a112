"""One decision to put money behind a job, and the registry of payees."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from backend.accounts.models import User, WalletAddress
from backend.errors import InvalidTransition
from backend.events import emit
from backend.funding.status import (
    TRANSITIONS,
    FundingMode,
    FundingStatus,
    assured_by,
    relied_on,
)
from backend.ids import new_id
from backend.jobs.models import Job
from backend.open_payments.types import Amount


class Seller(models.Model):
    """A registered payee. Its key material is nowhere: receiving money needs none.

    The one that is the treasury holds money for others, in its wallet's asset; one that is a fee
    wallet receives the platform's fees in its asset, and cannot be chosen as a payee.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    wallet = models.ForeignKey(WalletAddress, on_delete=models.PROTECT, related_name="+")
    active = models.BooleanField(default=True)
    is_treasury = models.BooleanField(default=False)
    is_fee_wallet = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.slug


class Funding(models.Model):
    """One decision by one payer to put money behind one job.

    `total_value` is what the payer decided on: what workers can get, and `fee_value`, the most that
    the platform can. `released_value` is what has been paid out of it, `fee_paid_value` the
    platform's part of that. The rate and the wallet of the fee are those of the day it was asked
    for: a changed setting changes no funding.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="fundings")
    payer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="fundings"
    )
    mode = models.CharField(max_length=16, choices=FundingMode)
    status = models.CharField(
        max_length=20, choices=FundingStatus, default=FundingStatus.AWAITING_APPROVAL
    )
    # None only of those older than the column.
    payer_wallet = models.ForeignKey(
        WalletAddress, on_delete=models.PROTECT, null=True, related_name="+"
    )
    # Who receives the money at once: a seller in mode DIRECT, the treasury in mode ESCROW.
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, null=True, related_name="+")
    total_value = models.BigIntegerField()
    released_value = models.BigIntegerField(default=0)
    refunded_value = models.BigIntegerField(default=0)
    # Of what arrives at workers, in hundredths of a percent.
    fee_bps = models.PositiveIntegerField(default=0, db_default=0)
    fee_value = models.BigIntegerField(default=0, db_default=0)
    fee_paid_value = models.BigIntegerField(default=0, db_default=0)
    fee_wallet = models.ForeignKey(
        WalletAddress, on_delete=models.PROTECT, null=True, related_name="+"
    )
    asset_code = models.CharField(max_length=32)
    asset_scale = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    # When its payer was last told that the consent behind it is about to end.
    consent_reminded_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="funding_amounts_add_up",
                condition=Q(total_value__gt=0)
                & Q(released_value__gte=0)
                & Q(refunded_value__gte=0)
                & Q(total_value__gte=F("released_value") + F("refunded_value")),
            ),
            models.CheckConstraint(
                name="funding_fee_within_total",
                condition=Q(fee_value__gte=0)
                & Q(total_value__gt=F("fee_value"))
                & Q(fee_paid_value__gte=0)
                & Q(fee_value__gte=F("fee_paid_value"))
                & Q(released_value__gte=F("fee_paid_value")),
            ),
            models.CheckConstraint(
                name="funding_fee_has_a_wallet",
                condition=Q(fee_bps=0, fee_value=0) | Q(fee_bps__gt=0, fee_wallet__isnull=False),
            ),
            models.UniqueConstraint(
                name="funding_one_awaited_per_job",
                fields=["job"],
                condition=Q(status=FundingStatus.AWAITING_APPROVAL),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mode} funding {self.id} {self.status}"

    @property
    def total(self) -> Amount:
        return self._amount(self.total_value)

    @property
    def released(self) -> Amount:
        return self._amount(self.released_value)

    @property
    def refunded(self) -> Amount:
        return self._amount(self.refunded_value)

    @property
    def fee(self) -> Amount:
        """The most that the platform can get; a part of the total."""
        return self._amount(self.fee_value)

    @property
    def fee_paid(self) -> Amount:
        """What the platform has got; a part of what is released."""
        return self._amount(self.fee_paid_value)

    @property
    def paid_to_workers_value(self) -> int:
        """What has arrived at workers, or in mode DIRECT at the seller, in the smallest unit."""
        return self.released_value - self.fee_paid_value

    @property
    def remaining(self) -> Amount:
        """What is neither released nor refunded."""
        return self._amount(self.remaining_value)

    @property
    def remaining_value(self) -> int:
        """What is neither released nor refunded, in the smallest unit."""
        return self.total_value - self.released_value - self.refunded_value

    def _amount(self, value: int) -> Amount:
        return Amount(value=value, asset_code=self.asset_code, asset_scale=self.asset_scale)

    def move_to(self, new: FundingStatus, *, at: datetime, **fields: object) -> None:
        """Change the status and `fields`, with its event; call inside a transaction.

        The job's topic is told where that changes what its workers may rely on.

        Raises:
            InvalidTransition: TRANSITIONS has no such move, or somebody moved it first.
        """
        old = FundingStatus(self.status)
        changes = {"status": new, "updated_at": at, **fields}
        allowed = TRANSITIONS[old]
        moved = new in allowed and Funding.objects.filter(id=self.id, status=old).update(**changes)
        if not moved:
            raise InvalidTransition(
                subject=_("This funding"), old=old, new=new, allowed=tuple(sorted(allowed))
            )
        for name, value in changes.items():
            setattr(self, name, value)
        self.announce(at=at, previous=old)
        if assured_by(self.mode, old) != assured_by(self.mode, new):
            self._tell_the_job(previous=old, at=at)

    def announce(
        self,
        *,
        at: datetime,
        previous: FundingStatus | None,
        actor: User | None = None,
    ) -> None:
        """Tell the funding's topic where it stands, also when only its amounts have changed."""
        emit(
            topic=f"funding:{self.id}",
            type="funding.status",
            payload={"status": str(self.status), "previous": previous and str(previous)},
            at=at,
            actor=actor,
            subject_id=self.id,
        )

    def _tell_the_job(self, *, previous: FundingStatus, at: datetime) -> None:
        others = Funding.objects.filter(job=self.job_id).exclude(id=self.id)
        by_others = [assured_by(*each) for each in others.values_list("mode", "status")]
        before, after = (
            relied_on([*by_others, assured_by(self.mode, status)])
            for status in (previous, self.status)
        )
        if before == after:
            return
        # Whoever writes to a job's topic has the job's lock, so that this may come before others.
        emit(
            topic=f"job:{self.job_id}",
            type="job.assurance",
            payload={"assurance": str(after), "previous": str(before)},
            at=at,
            subject_id=self.job_id,
        )
