"""What marketplaces outside offer, and the jobs that stand for it here."""

from typing import ClassVar

from django.db import models

from backend.accounts.models import User
from backend.ids import new_id
from backend.jobs.models import Job


class Offer(models.Model):
    """Something a marketplace with jobs of its own wants paid, under the name that it uses.

    `reference` is its offer's id, or with `is_escrow` what it keeps money aside for.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reference = models.CharField(max_length=255)
    is_escrow = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="offer_once", fields=["owner", "is_escrow", "reference"])
        ]

    def __str__(self) -> str:
        return self.reference


class OfferJob(models.Model):
    """One job that stands for an offer: the newest is the one to be funded.

    The terms of a job stand still, so an offer whose price changes gets another one.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="jobs")
    job = models.OneToOneField(Job, on_delete=models.PROTECT, related_name="+")
    # When it was said, once, that the money set aside without an offer's id is there.
    claimed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.offer_id}: {self.job_id}"
