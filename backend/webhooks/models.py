"""Endpoints, what each was told, and what others told us."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from backend import encryption
from backend.ids import new_id
from backend.webhooks.names import PayloadFormat
from backend.webhooks.status import DeliveryStatus, DisabledBecause, Flaw


class WebhookEndpoint(models.Model):
    """A URL of somebody's own that is told what happens to them.

    `everything` is for operators and auditors: all events, whomever they concern.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="webhook_endpoints"
    )
    url = models.CharField(max_length=2048)
    # Names of events, or beginnings of names that end in *.
    events = models.JSONField()
    payload_format = models.CharField(
        max_length=16, choices=PayloadFormat, default=PayloadFormat.STANDARD
    )
    everything = models.BooleanField(default=False)
    secret = models.TextField()
    # Signs beside `secret` until then.
    previous_secret = models.TextField(blank=True)
    previous_secret_until = models.DateTimeField(null=True)
    disabled_at = models.DateTimeField(null=True)
    disabled_because = models.CharField(max_length=16, choices=DisabledBecause, blank=True)
    # Since when nothing has been taken; None while deliveries succeed.
    failing_since = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="webhook_disabled_has_a_reason",
                condition=Q(disabled_at=None, disabled_because="")
                | (Q(disabled_at__isnull=False) & ~Q(disabled_because="")),
            ),
        ]

    def __str__(self) -> str:
        return f"webhook endpoint {self.id}"

    def seal(self, secret: str) -> str:
        """A secret of this endpoint as its row may keep it."""
        return encryption.encrypt(secret, column="webhooks.secret", row=self.id)

    def unseal(self, sealed: str) -> str:
        """What was sealed."""
        return encryption.decrypt(sealed, column="webhooks.secret", row=self.id)


class WebhookDelivery(models.Model):
    """One event for one endpoint, and how bringing it goes.

    The events of a topic are brought one after the other, in their order: while one is pending,
    those behind it wait.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries"
    )
    # Not a foreign key: events are forgotten by their own rule.
    event_id = models.UUIDField()
    topic = models.CharField(max_length=100)
    seq = models.BigIntegerField()
    name = models.CharField(max_length=80)
    event_at = models.DateTimeField()
    status = models.CharField(max_length=16, choices=DeliveryStatus, default=DeliveryStatus.PENDING)
    attempts_made = models.PositiveIntegerField(default=0)
    # Failures since it was last put in line: the place in the schedule.
    tries = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    fence = models.BigIntegerField(default=0)
    ended_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "webhook deliveries"
        constraints: ClassVar = [
            models.UniqueConstraint(name="webhook_delivery_once", fields=["endpoint", "event_id"]),
            models.CheckConstraint(
                name="webhook_pending_means_due",
                condition=Q(status=DeliveryStatus.PENDING, due_at__isnull=False, ended_at=None)
                | (
                    ~Q(status=DeliveryStatus.PENDING)
                    & Q(due_at=None, lease_until=None, ended_at__isnull=False)
                ),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                name="webhook_due",
                fields=["due_at"],
                condition=Q(status=DeliveryStatus.PENDING),
            ),
            models.Index(
                name="webhook_due_here",
                fields=["endpoint", "due_at", "id"],
                condition=Q(status=DeliveryStatus.PENDING),
            ),
            # As many rows as there are requests under way.
            models.Index(
                name="webhook_lent",
                fields=["endpoint", "lease_until"],
                condition=Q(lease_until__isnull=False),
            ),
            models.Index(
                name="webhook_line",
                fields=["endpoint", "topic", "seq"],
                condition=Q(status=DeliveryStatus.PENDING),
            ),
            models.Index(name="webhook_replay", fields=["endpoint", "event_at"]),
            models.Index(name="webhook_log", fields=["endpoint", "-id"]),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.event_id} {self.status}"


class WebhookAttempt(models.Model):
    """One request to an endpoint, and what came of it. Its answer's body is not kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    # None: no answer came.
    status_code = models.PositiveSmallIntegerField(null=True)
    # Empty: it was taken.
    flaw = models.CharField(max_length=16, choices=Flaw, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="webhook_attempt_number", fields=["delivery", "number"])
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.delivery_id}"


class InboundEvent(models.Model):
    """A signed hint that came in, kept so that it has its effect once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    source = models.CharField(max_length=32)
    # The sender's own id of it.
    event_id = models.CharField(max_length=200)
    type = models.CharField(max_length=80, blank=True)
    # How many payments it made us look at; 0: it was about nothing of ours.
    payments = models.PositiveIntegerField()
    received_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="webhook_inbound_once", fields=["source", "event_id"])
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.event_id}"
