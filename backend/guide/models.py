"""What marketplaces outside offer, and the jobs that stand for it here."""

from typing import ClassVar

from django.db import models

from backend.accounts.models import User
from backend.ids import new_id
from backend.jobs.models import Job


class OfferKind(models.TextChoices):
    """What is paid for under a name, and what the name is."""

    OFFER = "OFFER"  # an offer, by its id
    ESCROW = "ESCROW"  # money set aside for an offer, by its id
    DESCRIBED = "DESCRIBED"  # money set aside, by a description that may not be the only one


class Offer(models.Model):
    """Something a marketplace with jobs of its own wants paid, under the name that it uses."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reference = models.CharField(max_length=255)
    kind = models.CharField(max_length=10, choices=OfferKind)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="offer_once", fields=["owner", "kind", "reference"])
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
