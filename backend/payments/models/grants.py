"""Consents: GNAP grants with their secrets, and those that are held for many payments."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext

from backend import encryption
from backend.accounts.models import WalletAddress
from backend.ids import new_id
from backend.open_payments.types import Amount
from backend.payments.models.journal import append_only
from backend.payments.models.queue import QueueRow
from backend.payments.status import (
    HELD_GRANT_OVER,
    GrantKind,
    GrantScope,
    GrantStatus,
    HeldGrantStatus,
)

if TYPE_CHECKING:
    from backend.payments.models.payment import Payment


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantSecrets:
    """What only the workflow may see of a grant; stored encrypted, bound to its row."""

    client_nonce: str = ""
    interact_nonce: str = ""
    redirect: str = ""
    continue_uri: str = ""
    continue_token: str = ""
    access_token: str = ""
    manage_url: str = ""


class Grant(models.Model):
    """One GNAP grant, for a payment or held for many.

    `expires_at` is the end of the payer's time to decide.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    payment = models.ForeignKey(
        "payments.Payment", on_delete=models.PROTECT, null=True, related_name="grants"
    )
    held_grant = models.ForeignKey(
        "payments.HeldGrant", on_delete=models.PROTECT, null=True, related_name="grants"
    )
    kind = models.CharField(max_length=20, choices=GrantKind)
    status = models.CharField(max_length=20, choices=GrantStatus)
    # The exact URL the request went to: the last line of the interaction hash.
    auth_server = models.CharField(max_length=2048)
    secrets = models.TextField(blank=True)
    interact_ref = models.TextField(blank=True)
    # The approval came back to the browser that started it, or the payer confirmed it.
    confirmed = models.BooleanField(default=False)
    max_debit_value = models.BigIntegerField(null=True)
    # Answers of one-shot calls (continue, rotate) that never arrived.
    lost_answers = models.PositiveSmallIntegerField(default=0)
    continue_after = models.DateTimeField(null=True)
    token_expires_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="grant_for_a_payment_or_held",
                condition=Q(payment=None) ^ Q(held_grant=None),
            )
        ]
        indexes: ClassVar = [models.Index(name="grant_payment_kind", fields=["payment", "kind"])]

    def __str__(self) -> str:
        return f"{self.kind} grant {self.id} {self.status}"

    @property
    def asked_by(self) -> Payment | HeldGrant:
        """For which of the two the payer was asked."""
        asked_by = self.payment or self.held_grant
        assert asked_by is not None
        return asked_by

    def open_secrets(self) -> GrantSecrets:
        """Decrypt; empty when the grant has ended."""
        if not self.secrets:
            return GrantSecrets()
        text = encryption.decrypt(self.secrets, column="payments_grant.secrets", row=self.id)
        return GrantSecrets(**json.loads(text))

    def seal_secrets(self, secrets: GrantSecrets) -> str:
        """Encrypt for this row; the caller stores the result in `secrets`."""
        return encryption.encrypt(
            json.dumps(asdict(secrets)), column="payments_grant.secrets", row=self.id
        )

    def open_interact_ref(self) -> str:
        return encryption.decrypt(
            self.interact_ref, column="payments_grant.interact_ref", row=self.id
        )

    def seal_interact_ref(self, interact_ref: str) -> str:
        return encryption.encrypt(interact_ref, column="payments_grant.interact_ref", row=self.id)


class HeldGrant(QueueRow):
    """A payer's consent to several payments, kept until they are made: a promise, not a hold.

    It allows payments of together at most `limit_value`, in the sender's asset, fees included,
    from `starts_at` until `ends_at`; where `period_days` is given, so much in every such period.
    `reserved_value` is what its payments have taken or may still take (in the present period).
    Only its own run continues and rotates it, so nobody else can lose its token; payments only
    read the token.
    """

    QUEUE_JOINS = ("sender",)
    STATUSES = HeldGrantStatus.values

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    scope = models.CharField(max_length=16, choices=GrantScope)
    status = models.CharField(
        max_length=20, choices=HeldGrantStatus, default=HeldGrantStatus.CREATED
    )
    payer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="held_grants"
    )
    # What it is for, in the words of the domain that asked; payments only hands it back.
    reference = models.UUIDField()
    sender = models.ForeignKey(WalletAddress, on_delete=models.PROTECT, related_name="+")
    limit_value = models.BigIntegerField(null=True)
    reserved_value = models.BigIntegerField(default=0)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    period_days = models.PositiveSmallIntegerField(null=True)
    # The end of the period that `reserved_value` counts; None without periods.
    period_until = models.DateTimeField(null=True)
    rotated_at = models.DateTimeField(null=True)
    # Nobody may be left out of it because their wallet cannot be asked what they cost.
    all_or_nothing = models.BooleanField(default=False, db_default=False)
    return_url = models.CharField(max_length=2048)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="held_grant_never_beyond_its_limit",
                condition=Q(reserved_value__gte=0)
                & (Q(limit_value=None) | Q(limit_value__gte=F("reserved_value"))),
            ),
            models.CheckConstraint(
                name="held_grant_over_means_not_due",
                condition=~Q(status__in=sorted(HELD_GRANT_OVER)) | Q(due_at=None),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                name="held_grant_due", fields=["due_at"], condition=Q(due_at__isnull=False)
            ),
            models.Index(name="held_grant_reference", fields=["reference"]),
        ]

    def __str__(self) -> str:
        return f"{self.scope} grant {self.id} {self.status}"

    @property
    def limit(self) -> Amount | None:
        """The most that may be taken (in a period); None until it is worked out."""
        return None if self.limit_value is None else self._in_sender_asset(self.limit_value)

    def taken(self, *, at: datetime) -> Amount:
        """What is taken or on its way at this time (in the period that is then)."""
        # What an ended period took is forgotten by the first payment of the next one.
        is_of_the_past = self.period_until is not None and self.period_until <= at
        return self._in_sender_asset(0 if is_of_the_past else self.reserved_value)

    def room(self, *, at: datetime) -> int:
        """What may be taken at this time (in the period that is then), in smallest units."""
        return (self.limit_value or 0) - self.taken(at=at).value

    def failure_sentence(self) -> str:
        """Why nobody consents, in the active language; empty unless that is so.

        With the worker's wallet that was to be quoted for, where it did not come further.
        """
        sentence = gettext(self.failure_message) if self.failure_message else ""
        # In this order they are quoted. A wallet without an owner is the platform's own.
        unquoted = self.lines.filter(debit_value=None).exclude(receiver__owner=None).order_by("id")
        line = unquoted.select_related("receiver").first()
        if not sentence or self.limit_value is not None or line is None:
            return sentence
        return gettext(
            "{failure} This came of asking what it takes to pay {wallet}: if that wallet cannot be "
            "paid, deselect its owner, then fund again."
        ).format(failure=sentence, wallet=line.receiver.url)

    def next_period(self, *, at: datetime) -> datetime | None:
        """When its wallet begins to count afresh, after this time; None without periods.

        The row's period is moved on only by the next payment under it.
        """
        if self.period_until is None or self.period_days is None:
            return None
        period = timedelta(days=self.period_days)
        passed = max(0, (at - self.period_until) // period + 1)
        return self.period_until + passed * period

    def counts_from(self, *, at: datetime) -> datetime:
        """Since when what was taken counts at this time."""
        until = self.next_period(at=at)
        if until is None or self.period_days is None:
            return self.starts_at
        return until - timedelta(days=self.period_days)

    def _in_sender_asset(self, value: int) -> Amount:
        return Amount(
            value=value, asset_code=self.sender.asset_code, asset_scale=self.sender.asset_scale
        )


class HeldGrantLine(models.Model):
    """One of the payments that a held grant is asked for: who is to receive what.

    `debit_value` is what the sender's wallet quoted for it, or what was asked for without a quote
    (0: it was left out); None until that is known.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    held_grant = models.ForeignKey(HeldGrant, on_delete=models.PROTECT, related_name="lines")
    receiver = models.ForeignKey(WalletAddress, on_delete=models.PROTECT, related_name="+")
    # Exactly one of the two is what the payer decided on.
    receive_value = models.BigIntegerField(null=True)
    send_value = models.BigIntegerField(null=True)
    debit_value = models.BigIntegerField(null=True)
    # What arrives, by the same quote; None without one.
    quoted_receive_value = models.BigIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="held_grant_line_fixes_one_side",
                condition=Q(receive_value__gt=0, send_value=None)
                | Q(receive_value=None, send_value__gt=0),
            )
        ]

    def __str__(self) -> str:
        return f"line of {self.held_grant_id}"


class HeldGrantTransition(models.Model):
    """Every change of a held grant's status. Append-only."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    held_grant = models.ForeignKey(HeldGrant, on_delete=models.PROTECT, related_name="transitions")
    old = models.CharField(max_length=20)
    new = models.CharField(max_length=20)
    reason = models.CharField(max_length=200, blank=True)
    fence = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = append_only("held_grant_transition_append_only")

    def __str__(self) -> str:
        return f"{self.held_grant_id}: {self.old} → {self.new}"
