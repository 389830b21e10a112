"""One sender pays one receiver: the payment, its grants, its attempts and its logs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext

from backend import encryption
from backend.accounts.models import WalletAddress
from backend.ids import new_id
from backend.open_payments.types import Amount
from backend.payments.status import (
    TERMINAL,
    GrantKind,
    GrantStatus,
    PaymentPurpose,
    PaymentStatus,
)


def append_only(name: str) -> list[pgtrigger.Trigger]:
    """The PostgreSQL trigger that refuses to change or delete a row of a log."""
    return [pgtrigger.Protect(name=name, operation=pgtrigger.Update | pgtrigger.Delete)]


class Payment(models.Model):
    """One transfer of exactly `receive_amount` to the receiver's wallet.

    The row is also the queue: `due_at` says when the workflow looks at it next (None: it is
    over), `lease_until` who works on it now, and `fence` grows with every claim, so that a worker
    that lost its claim cannot write.
    """

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
    receive_value = models.BigIntegerField()
    receive_asset_code = models.CharField(max_length=32)
    receive_asset_scale = models.PositiveSmallIntegerField()
    debit_value = models.BigIntegerField(null=True)
    max_debit_value = models.BigIntegerField(null=True)
    delivered_value = models.BigIntegerField(default=0)
    return_url = models.CharField(max_length=2048)
    failure_code = models.CharField(max_length=32, blank=True)
    failure_message = models.CharField(max_length=500, blank=True)
    failure_retryable = models.BooleanField(default=False)

    fence = models.BigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    deadline_at = models.DateTimeField()
    # Failures in a row, for the pauses between tries; progress sets it back to 0.
    tries = models.PositiveIntegerField(default=0)
    # The intent of a call that must not be repeated and whose answer was not applied yet.
    pending_call = models.ForeignKey(
        "WalletCall", on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="payment_amounts_are_positive",
                condition=Q(receive_value__gt=0) & Q(delivered_value__gte=0),
            ),
            models.CheckConstraint(
                name="payment_completed_means_delivered",
                condition=~Q(status=PaymentStatus.COMPLETED)
                | Q(delivered_value__gte=F("receive_value")),
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
            models.Index(name="payment_due", fields=["due_at"], condition=~Q(due_at=None)),
            models.Index(name="payment_reference", fields=["reference"]),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.id} {self.status}"

    @property
    def receive_amount(self) -> Amount:
        return Amount(
            value=self.receive_value,
            asset_code=self.receive_asset_code,
            asset_scale=self.receive_asset_scale,
        )

    @property
    def delivered_amount(self) -> Amount:
        """What the receiver's wallet showed last."""
        return Amount(
            value=self.delivered_value,
            asset_code=self.receive_asset_code,
            asset_scale=self.receive_asset_scale,
        )

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

    def in_sender_asset(self, value: int) -> Amount:
        return Amount(
            value=value, asset_code=self.sender.asset_code, asset_scale=self.sender.asset_scale
        )


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
    """A GNAP grant for one payment. `expires_at` is the end of the payer's time to decide."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="grants")
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
        indexes: ClassVar = [models.Index(name="grant_payment_kind", fields=["payment", "kind"])]

    def __str__(self) -> str:
        return f"{self.kind} grant {self.id} {self.status}"

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


class WalletCall(models.Model):
    """The journal of external calls. Append-only.

    A repeatable call is one row, written with its answer. A call that must not be repeated is
    two: the intent, committed before anything leaves us, and the answer, committed raw before it
    is parsed; `intent` ties them together.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="calls")
    attempt_number = models.PositiveSmallIntegerField()
    grant = models.ForeignKey(Grant, on_delete=models.PROTECT, null=True, related_name="+")
    operation = models.CharField(max_length=60)
    request_digest = models.CharField(max_length=64)
    fence = models.BigIntegerField()
    at = models.DateTimeField()
    intent = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="answer"
    )
    is_answer = models.BooleanField()
    status = models.PositiveSmallIntegerField(null=True)
    # Why there is no status: the class of the transport error.
    error = models.CharField(max_length=80, blank=True)
    request_sent = models.BooleanField(default=True)
    # Only the headers that decide how an answer is read.
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(name="call_payment_operation", fields=["payment", "operation"])
        ]
        triggers: ClassVar = append_only("wallet_call_append_only")

    def __str__(self) -> str:
        return f"{self.operation} for {self.payment_id}"

    def seal_body(self, body: bytes) -> str:
        return encryption.encrypt(
            body.decode("latin-1"), column="payments_walletcall.body", row=self.id
        )

    def open_body(self) -> bytes:
        text = encryption.decrypt(self.body, column="payments_walletcall.body", row=self.id)
        return text.encode("latin-1")


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


class Discrepancy(models.Model):
    """Something that does not add up and that a person should see; one row per payment and kind."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="discrepancies")
    kind = models.CharField(max_length=40)
    expected = models.CharField(max_length=200)
    actual = models.CharField(max_length=200)
    evidence = models.JSONField(default=dict)
    first_seen_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "discrepancies"
        constraints: ClassVar = [
            models.UniqueConstraint(name="discrepancy_once", fields=["payment", "kind"])
        ]

    def __str__(self) -> str:
        return f"{self.kind} on {self.payment_id}"

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
        """Record it once; repeating is harmless."""
        row = Discrepancy(
            payment=payment,
            kind=kind,
            expected=expected,
            actual=actual,
            evidence=evidence or {},
            first_seen_at=at,
        )
        Discrepancy.objects.bulk_create([row], ignore_conflicts=True)
