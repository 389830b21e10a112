"""What senders' wallets list of our orders: only where a consent that is held lets us ask.

The token is read and never renewed: renewing it here could lose it for those who pay with it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from backend.accounts.models import WalletAddress
from backend.encryption import CannotDecrypt
from backend.open_payments import Client, OpenPaymentsError, operations
from backend.open_payments.types import OutgoingPayment
from backend.payments.models import Attempt, Grant, HeldGrant, Payment
from backend.payments.status import (
    TERMINAL,
    GrantKind,
    GrantStatus,
    HeldGrantStatus,
    PaymentStatus,
)
from backend.reconciliation.findings import Finding, Kind, of_payment

log = logging.getLogger(__name__)

LIST_KINDS = (
    Kind.UNKNOWN_OUTGOING,
    Kind.TWO_OUTGOING_PAYMENTS,
    Kind.ORDER_MISSING,
    Kind.OTHER_RECEIVER,
    Kind.DEBIT_ABOVE_QUOTE,
    Kind.FAILED_AFTER_COMPLETED,
    Kind.PAYER_DEBITED,
)
TOKEN_OUTLIVES = timedelta(minutes=1)
MOST_NAMED = 20
AT_ONCE = 100


@dataclass(slots=True)
class Orders:
    """What the wallets that could be asked were to deliver, by attempt, when this run began."""

    as_of: datetime
    asked: set[UUID] = field(default_factory=set)
    to_deliver: dict[UUID, int] = field(default_factory=dict)

    def delivered_to(self, payment: Payment, attempts: Sequence[Attempt]) -> int | None:
        """What the sender's wallet was to deliver, in the receiver's asset; None: not known."""
        known = [self.to_deliver[each.id] for each in attempts if each.id in self.to_deliver]
        lost = any(each.outgoing_payment_url for each in attempts) and not known
        moved = payment.updated_at > self.as_of
        if payment.sender_id not in self.asked or lost or moved:
            return None
        return sum(known)


def live_grants(*, now: datetime) -> Iterator[Grant]:
    """The consents whose tokens can be used as they are, one after the other."""
    grants = Grant.objects.filter(
        held_grant__status=HeldGrantStatus.HELD,
        kind=GrantKind.OUTGOING_PAYMENT,
        status=GrantStatus.APPROVED,
        confirmed=True,
        interact_ref="",
    ).exclude(secrets="")
    alive = Q(token_expires_at=None) | Q(token_expires_at__gt=now + TOKEN_OUTLIVES)
    for grant in list(grants.filter(alive).select_related("held_grant__sender").order_by("id")):
        try:
            usable = bool(grant.open_secrets().access_token)
        except CannotDecrypt as error:
            # Whoever lost a key needs everything else compared all the more.
            log.error("%s is not looked at: %s", grant, error)
            continue
        if usable:
            yield grant


def check_list(
    grant: Grant, *, client: Client, now: datetime, orders: Orders
) -> list[Finding] | None:
    """Compare what the grant's wallet lists with our attempts; None: the wallet did not say."""
    assert grant.held_grant is not None
    sender = grant.held_grant.sender
    # Read before the list: what a wallet has told us of, it has to list afterwards.
    ordered = _ordered_from(sender, now=now)
    first_page = operations.list_outgoing_payments(
        resource_server=sender.resource_server,
        token=grant.open_secrets().access_token,
        wallet_address=sender.url,
        first=AT_ONCE,
    )
    try:
        listed = list(client.pages(first_page))
    except OpenPaymentsError:
        return None
    matched, unknown = _match(listed)
    orders.asked.add(sender.id)
    findings = list(_unknown(sender, unknown)) + list(_missing(ordered, listed))
    for attempt, items in matched.values():
        orders.to_deliver[attempt.id] = sum(item.receive_amount.value for item in items)
        findings += _of_attempt(attempt, items)
    return findings


def _ordered_from(sender: WalletAddress, *, now: datetime) -> list[tuple[str, UUID]]:
    """The outgoing payments that this wallet has told us of, each with its payment."""
    over = Q(payment__status__in=sorted(TERMINAL)) | Q(payment__deadline_at__lt=now)
    attempts = Attempt.objects.filter(over, payment__sender=sender)
    ordered = attempts.exclude(outgoing_payment_url="")
    return list(ordered.values_list("outgoing_payment_url", "payment_id"))


def _match(
    listed: Sequence[OutgoingPayment],
) -> tuple[dict[UUID, tuple[Attempt, list[OutgoingPayment]]], list[OutgoingPayment]]:
    """Find the attempt of each item: by its URL, its quote, or where it pays to.

    Or by the attempt that it names, where operators have ended it and know nothing of URLs.
    """
    matched: dict[UUID, tuple[Attempt, list[OutgoingPayment]]] = {}
    unknown = []
    for start in range(0, len(listed), AT_ONCE):
        items = listed[start : start + AT_ONCE]
        attempts = Attempt.objects.select_related("payment").filter(
            Q(outgoing_payment_url__in=[item.id for item in items])
            | Q(quote_url__in=[item.quote_id for item in items if item.quote_id])
            | Q(incoming_payment_url__in=[item.receiver for item in items])
        )
        by_order, by_quote, by_receiver = {}, {}, {}
        for attempt in attempts.order_by("number"):
            by_order[attempt.outgoing_payment_url] = attempt
            by_quote[attempt.quote_url] = attempt
            by_receiver[attempt.incoming_payment_url] = attempt
        said = _ended_by_operators(items)
        for item in items:
            found = by_order.get(item.id) or by_quote.get(item.quote_id or "-")
            found = found or by_receiver.get(item.receiver)
            found = found or said.get(str((item.metadata or {}).get("attempt")))
            if found is None:
                unknown.append(item)
            else:
                matched.setdefault(found.id, (found, []))[1].append(item)
    return matched, unknown


def _ended_by_operators(items: Sequence[OutgoingPayment]) -> dict[str, Attempt]:
    named = []
    for item in items:
        with suppress(ValueError):
            named.append(UUID(str((item.metadata or {}).get("attempt"))))
    attempts = Attempt.objects.filter(
        id__in=named, payment__resolutions__confirms__isnull=False, outgoing_payment_url=""
    )
    return {str(attempt.id): attempt for attempt in attempts.select_related("payment")}


def _unknown(sender: WalletAddress, items: Sequence[OutgoingPayment]) -> Iterator[Finding]:
    if items:
        total = sum(item.debit_amount.value for item in items)
        yield Finding(
            kind=Kind.UNKNOWN_OUTGOING,
            subject=sender.id,
            expected="0 outgoing payments that we do not know",
            actual=f"{len(items)}, of {total} {sender.asset_code}/{sender.asset_scale}",
            evidence={
                "wallet": sender.url,
                "outgoingPayments": [item.id for item in items[:MOST_NAMED]],
            },
        )


def _missing(
    ordered: Sequence[tuple[str, UUID]], listed: Sequence[OutgoingPayment]
) -> Iterator[Finding]:
    there = {item.id for item in listed}
    for url, payment_id in ordered:
        if url not in there:
            yield of_payment(
                Kind.ORDER_MISSING, payment_id, "1 outgoing payment", "none", outgoingPayment=url
            )


def _of_attempt(attempt: Attempt, items: Sequence[OutgoingPayment]) -> Iterator[Finding]:
    if len(items) > 1:
        yield of_payment(
            Kind.TWO_OUTGOING_PAYMENTS,
            attempt.payment_id,
            "1 outgoing payment",
            f"{len(items)} outgoing payments",
            outgoingPayments=[item.id for item in items[:MOST_NAMED]],
        )
    for item in items:
        yield from _of_item(attempt, item)


def _of_item(attempt: Attempt, item: OutgoingPayment) -> Iterator[Finding]:
    def found(kind: Kind, expected: str, actual: str) -> Finding:
        return of_payment(kind, payment.id, expected, actual, outgoingPayment=item.id)

    payment, quoted = attempt.payment, attempt.quote_debit_value
    asset = f"{item.debit_amount.asset_code}/{item.debit_amount.asset_scale}"
    if attempt.incoming_payment_url and item.receiver != attempt.incoming_payment_url:
        yield found(Kind.OTHER_RECEIVER, attempt.incoming_payment_url, item.receiver)
    taken = max(item.debit_amount.value, item.sent_amount.value)
    same_quote = item.quote_id in {None, attempt.quote_url}
    if quoted is not None and same_quote and taken > quoted:
        yield found(Kind.DEBIT_ABOVE_QUOTE, f"{quoted} {asset}", str(taken))
    if item.failed and payment.status == PaymentStatus.COMPLETED and attempt.dead_at is None:
        yield found(Kind.FAILED_AFTER_COMPLETED, "not failed", "failed")
    # A part that arrived and was booked is what was sent, not lost.
    if attempt.dead_at and item.sent_amount.value > 0 and not _delivered_a_part(attempt):
        yield found(Kind.PAYER_DEBITED, f"0 {asset} sent", f"{item.sent_amount.value} sent")


def _delivered_a_part(attempt: Attempt) -> bool:
    payment = attempt.payment
    return payment.status != PaymentStatus.COMPLETED and payment.delivered_value > 0


def check_spent(grant: Grant, *, client: Client, now: datetime) -> list[Finding] | None:
    """Compare what the wallet counts for a consent with what we do; None: it cannot be said."""
    counted = _counted(grant, now=now)
    if counted is None:
        return None
    held = grant.held_grant
    assert held is not None
    try:
        spent = client.send(
            operations.get_spent_amounts(
                resource_server=held.sender.resource_server,
                token=grant.open_secrets().access_token,
            )
        )
    except OpenPaymentsError:
        return None
    if spent.debit_amount is None or _counted(grant, now=now) != counted:
        return None
    if spent.debit_amount.value == counted:
        return []
    return [
        Finding(
            kind=Kind.GRANT_SPENT_DIFFERS,
            subject=held.id,
            expected=f"{counted} {held.sender.asset_code}/{held.sender.asset_scale} spent",
            actual=str(spent.debit_amount.value),
            evidence={"heldGrant": str(held.id), "wallet": held.sender.url},
        )
    ]


def _counted(grant: Grant, *, now: datetime) -> int | None:
    """What we count as spent; None while a payment moves, or where a part of one arrived.

    Wallets disagree on what a payment that sent a part has spent of its consent.
    """
    assert grant.held_grant is not None
    payments = Payment.objects.filter(under=grant.held_grant)
    part = Q(delivered_value__gt=0) & ~Q(status=PaymentStatus.COMPLETED)
    if payments.filter(part | ~Q(status__in=sorted(TERMINAL))).exists():
        return None
    held = HeldGrant.objects.get(id=grant.held_grant.id)
    if held.period_until is not None and held.period_until <= now:
        return 0
    return held.reserved_value
