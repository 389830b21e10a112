"""One sender pays one receiver: the payment, its attempts and its log."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext

from backend.accounts.models import WalletAddress
from backend.ids import new_id
from backend.open_payments.types import Amount
from backend.payments.models.grants import HeldGrant
from backend.payments.models.journal import append_only
from backend.payments.models.queue import QueueRow
from backend.payments.status import TERMINAL, PaymentPurpose, PaymentStatus


class Payment(QueueRow):
    """One transfer of exactly `receive_amount` to the receiver's wallet.

    Made `under` a held grant it needs no consent of its own. Where the payer fixed what leaves
    their wallet, `send_value`, what arrives is known only once it is quoted.
    """

    QUEUE_JOINS = ("sender", "receiver", "under")
    STATUSES = PaymentStatus.values

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    purpose = models.CharField(max_length=16, choices=PaymentPurpose)
    status = models.CharField(max_length=20, choices=PaymentStatus, default=PaymentStatus.CREATED)
    payer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payments"
    )
    # What this pays for, in the words of the domain that asked; payments only hands it back.
    reference = models.UUIDField()
    sender = models.ForeignKey(WalletAddress, on_delete=models.PROTECT, related_name="+")
    receiver = models.ForeignKey(WalletAddress, on_delete=models.PROTECT, related_name="+")
    under = models.ForeignKey(
        HeldGrant, on_delete=models.PROTECT, null=True, related_name="payments"
    )
    send_value = models.BigIntegerField(null=True)
    # Less than this is not sent, where the payer fixed what they send; None: whatever arrives.
    least_receive_value = models.BigIntegerField(null=True)
    # What would have arrived when it failed because that was less.
    refused_receive_value = models.BigIntegerField(null=True)
    receive_value = models.BigIntegerField(null=True)
    receive_asset_code = models.CharField(max_length=32)
    receive_asset_scale = models.PositiveSmallIntegerField()
    debit_value = models.BigIntegerField(null=True)
    max_debit_value = models.BigIntegerField(null=True)
    # How much of `under` this payment takes or may still take.
    reserved_value = models.BigIntegerField(default=0)
    delivered_value = models.BigIntegerField(default=0)
    return_url = models.CharField(max_length=2048)
    # What wallets were told since then may be missing here, so that they are asked before anything
    # is ordered (lookup.py); None: nothing is missing, as far as anybody knows.
    look_up_since = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="payment_amounts_are_positive",
                condition=(Q(receive_value__gt=0) | Q(receive_value=None, send_value__gt=0))
                & Q(delivered_value__gte=0),
            ),
            models.CheckConstraint(
                name="payment_completed_means_delivered",
                condition=~Q(status=PaymentStatus.COMPLETED)
                | Q(receive_value__isnull=False, delivered_value__gte=F("receive_value")),
            ),
            models.CheckConstraint(
                name="payment_over_means_not_due",
                condition=~Q(status__in=sorted(TERMINAL)) | Q(due_at=None),
            ),
            models.UniqueConstraint(
                name="payment_one_open_per_reference",
                fields=["reference", "purpose"],
                condition=~Q(status__in=sorted(TERMINAL)),
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="payment_due", fields=["due_at"], condition=Q(due_at__isnull=False)),
            models.Index(name="payment_reference", fields=["reference"]),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.id} {self.status}"

    @property
    def receive_amount(self) -> Amount | None:
        """What is to arrive; None until it is quoted, where the payer fixed what they send."""
        return None if self.receive_value is None else self._in_receiver_asset(self.receive_value)

    @property
    def send_amount(self) -> Amount | None:
        """What is to leave the sender's wallet, where the payer fixed that; fees included."""
        return None if self.send_value is None else self.in_sender_asset(self.send_value)

    @property
    def delivered_amount(self) -> Amount:
        """What the receiver's wallet showed last."""
        return self._in_receiver_asset(self.delivered_value)

    @property
    def refused_receive_amount(self) -> Amount | None:
        """What would have arrived, where it failed because that was too little."""
        value = self.refused_receive_value
        return None if value is None else self._in_receiver_asset(value)

    @property
    def debit_amount(self) -> Amount | None:
        """What the latest quote takes from the sender, fees included; None before a quote."""
        return None if self.debit_value is None else self.in_sender_asset(self.debit_value)

    @property
    def max_debit_amount(self) -> Amount | None:
        """The most that the payer was asked to consent to; None before that."""
        value = self.max_debit_value
        return None if value is None else self.in_sender_asset(value)

    def failure_sentence(self) -> str:
        """Why it failed, in the active language; empty unless it did.

        The row keeps the sentence's English form, which is its name in the catalogues. One that
        has been reworded since is shown as it was.
        """
        return gettext(self.failure_message) if self.failure_message else ""

    def _in_receiver_asset(self, value: int) -> Amount:
        code, scale = self.receive_asset_code, self.receive_asset_scale
        return Amount(value=value, asset_code=code, asset_scale=scale)

    def in_sender_asset(self, value: int) -> Amount:
        return Amount(
            value=value, asset_code=self.sender.asset_code, asset_scale=self.sender.asset_scale
        )


class Attempt(models.Model):
    """One try to move the money: its own receiver, the quote paid, the order given.

    A second attempt exists only after `dead_at`: proof, kept in `proof`, that this one can never
    deliver.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    incoming_payment_url = models.CharField(max_length=2048, blank=True)
    incoming_payment_expires_at = models.DateTimeField(null=True)
    quote_url = models.CharField(max_length=2048, blank=True)
    quote_expires_at = models.DateTimeField(null=True)
    quote_debit_value = models.BigIntegerField(null=True)
    outgoing_payment_url = models.CharField(max_length=2048, blank=True)
    started_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    # Look-ups at the sender's wallet that found nothing, since `sent_at`.
    absent_first_at = models.DateTimeField(null=True)
    absent_last_at = models.DateTimeField(null=True)
    # We completed the receiver ourselves: nothing can be delivered after this.
    fenced_at = models.DateTimeField(null=True)
    dead_at = models.DateTimeField(null=True)
    proof = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="attempt_number", fields=["payment", "number"]),
            models.UniqueConstraint(
                name="attempt_one_alive", fields=["payment"], condition=Q(dead_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.payment_id}"


class PaymentTransition(models.Model):
    """Every change of a payment's status. Append-only."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="transitions")
    old = models.CharField(max_length=20)
    new = models.CharField(max_length=20)
    reason = models.CharField(max_length=200, blank=True)
    fence = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = append_only("payment_transition_append_only")

    def __str__(self) -> str:
        return f"{self.payment_id}: {self.old} → {self.new}"
