"""What senders' wallets list of our orders: only where a consent that is held lets us ask.

The token is read and never renewed: renewing it here could lose it for those who pay with it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from backend.accounts.models import WalletAddress
from backend.encryption import CannotDecrypt
from backend.open_payments import OpenPaymentsError, operations
from backend.open_payments.types import OutgoingPayment
from backend.payments.lists import AT_ONCE, HasNoEnd
from backend.payments.models import Attempt, Grant, HeldGrant, Payment
from backend.payments.status import (
    TERMINAL,
    GrantKind,
    GrantScope,
    GrantStatus,
    HeldGrantStatus,
    PaymentStatus,
)
from backend.reconciliation.asking import Asking
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
    """The consents whose tokens can be used as they are, the platform's own first."""
    grants = Grant.objects.filter(
        held_grant__status=HeldGrantStatus.HELD,
        kind=GrantKind.OUTGOING_PAYMENT,
        status=GrantStatus.APPROVED,
        confirmed=True,
        interact_ref="",
    ).exclude(secrets="")
    alive = Q(token_expires_at=None) | Q(token_expires_at__gt=now + TOKEN_OUTLIVES)
    found = grants.filter(alive).select_related("held_grant__sender").order_by("id")
    # Strangers' wallets can use up the time that there is for all.
    for grant in sorted(found, key=_is_strangers):
        try:
            usable = bool(grant.open_secrets().access_token)
        except CannotDecrypt as error:
            # Whoever lost a key needs everything else compared all the more.
            log.error("%s is not looked at: %s", grant, error)
            continue
        if usable:
            yield grant


def _is_strangers(grant: Grant) -> bool:
    assert grant.held_grant is not None
    return grant.held_grant.scope != GrantScope.TREASURY


def check_list(
    grant: Grant, *, asking: Asking, now: datetime, orders: Orders
) -> list[Finding] | None:
    """Compare what the grant's wallet lists with our attempts.

    None: it did not list all of it. Of half a list nothing is found, missing or put right.
    """
    held = grant.held_grant
    assert held is not None
    sender = held.sender
    # Read before the list: what a wallet has told us of, it has to list afterwards.
    listed = _Listed(sender=sender, missing=_ordered_from(sender, now=now))
    first_page = operations.list_outgoing_payments(
        resource_server=sender.resource_server,
        token=grant.open_secrets().access_token,
        wallet_address=sender.url,
        first=AT_ONCE,
    )
    try:
        for page in asking.pages(held, first_page):
            listed.take(page.items)
    except (OpenPaymentsError, HasNoEnd):
        return None
    orders.asked.add(sender.id)
    orders.to_deliver.update(listed.to_deliver())
    return list(listed.findings())


def _ordered_from(sender: WalletAddress, *, now: datetime) -> dict[str, UUID]:
    """The outgoing payments that this wallet has told us of, each with its payment."""
    over = Q(payment__status__in=sorted(TERMINAL)) | Q(payment__deadline_at__lt=now)
    attempts = Attempt.objects.filter(over, payment__sender=sender)
    ordered = attempts.exclude(outgoing_payment_url="")
    return dict(ordered.values_list("outgoing_payment_url", "payment_id"))


@dataclass(slots=True)
class _Sum:
    """Some items of a list. Their names are kept of the first only."""

    number: int = 0
    debit: int = 0
    to_deliver: int = 0
    named: list[str] = field(default_factory=list)

    def add(self, item: OutgoingPayment) -> None:
        self.number += 1
        self.debit += item.debit_amount.value
        self.to_deliver += item.receive_amount.value
        if self.number <= MOST_NAMED:
            self.named.append(item.id)


@dataclass(slots=True, kw_only=True)
class _Listed:
    """What a sender's list has come to so far, taken a page at a time.

    It keeps as much as we have ordered, however long a list the wallet makes of it.
    """

    sender: WalletAddress
    missing: dict[str, UUID]
    unknown: _Sum = field(default_factory=_Sum)
    attempts: dict[UUID, tuple[Attempt, _Sum]] = field(default_factory=dict)
    wrong: dict[tuple[Kind, UUID], Finding] = field(default_factory=dict)

    def take(self, items: Sequence[OutgoingPayment]) -> None:
        """Count `items`, which come after those that were taken before."""
        for item, attempt in _match(items, sender=self.sender):
            self.missing.pop(item.id, None)
            if attempt is None:
                self.unknown.add(item)
            elif attempt.payment.sender_id == self.sender.id:
                self.attempts.setdefault(attempt.id, (attempt, _Sum()))[1].add(item)
                for finding in _of_item(attempt, item):
                    self.wrong.setdefault((finding.kind, finding.subject), finding)

    def to_deliver(self) -> Mapping[UUID, int]:
        """By attempt, in the smallest unit of the receiver's asset."""
        return {id: listed.to_deliver for id, (_, listed) in self.attempts.items()}

    def findings(self) -> Iterator[Finding]:
        """What does not add up, once the whole list was taken."""
        yield from _unknown(self.sender, self.unknown)
        yield from _missing(self.missing)
        for attempt, listed in self.attempts.values():
            yield from _twice(attempt, listed)
        yield from self.wrong.values()


def _match(
    items: Sequence[OutgoingPayment], *, sender: WalletAddress
) -> Iterator[tuple[OutgoingPayment, Attempt | None]]:
    """Find the attempt of each item: by its URL, its quote, or where it pays to.

    Or by the attempt that it names, where operators have ended it and know nothing of URLs.
    A wallet has no say in what others pay: only what was ordered from it is looked at. Two people
    can have the same wallet, and then it lists the orders of both.
    """
    from_it = Attempt.objects.select_related("payment").filter(payment__sender__url=sender.url)
    for start in range(0, len(items), AT_ONCE):
        some = items[start : start + AT_ONCE]
        attempts = from_it.filter(
            Q(outgoing_payment_url__in=[item.id for item in some])
            | Q(quote_url__in=[item.quote_id for item in some if item.quote_id])
            | Q(incoming_payment_url__in=[item.receiver for item in some])
        )
        by_order, by_quote, by_receiver = {}, {}, {}
        for attempt in attempts.order_by("number"):
            by_order[attempt.outgoing_payment_url] = attempt
            by_quote[attempt.quote_url] = attempt
            by_receiver[attempt.incoming_payment_url] = attempt
        said = _ended_by_operators(from_it, some)
        for item in some:
            found = by_order.get(item.id) or by_quote.get(item.quote_id or "-")
            found = found or by_receiver.get(item.receiver)
            yield item, found or said.get(str((item.metadata or {}).get("attempt")))


def _ended_by_operators(
    from_it: QuerySet[Attempt], items: Sequence[OutgoingPayment]
) -> dict[str, Attempt]:
    named = []
    for item in items:
        with suppress(ValueError):
            named.append(UUID(str((item.metadata or {}).get("attempt"))))
    attempts = from_it.filter(
        id__in=named, payment__resolutions__confirms__isnull=False, outgoing_payment_url=""
    )
    return {str(attempt.id): attempt for attempt in attempts}


def _unknown(sender: WalletAddress, unknown: _Sum) -> Iterator[Finding]:
    if unknown.number:
        asset = f"{sender.asset_code}/{sender.asset_scale}"
        yield Finding(
            kind=Kind.UNKNOWN_OUTGOING,
            subject=sender.id,
            expected="0 outgoing payments that we do not know",
            actual=f"{unknown.number}, of {unknown.debit} {asset}",
            evidence={"wallet": sender.url, "outgoingPayments": unknown.named},
        )


def _missing(missing: Mapping[str, UUID]) -> Iterator[Finding]:
    for url, payment_id in missing.items():
        yield of_payment(
            Kind.ORDER_MISSING, payment_id, "1 outgoing payment", "none", outgoingPayment=url
        )


def _twice(attempt: Attempt, listed: _Sum) -> Iterator[Finding]:
    if listed.number > 1:
        yield of_payment(
            Kind.TWO_OUTGOING_PAYMENTS,
            attempt.payment_id,
            "1 outgoing payment",
            f"{listed.number} outgoing payments",
            outgoingPayments=listed.named,
        )


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


def check_spent(grant: Grant, *, asking: Asking, now: datetime) -> list[Finding] | None:
    """Compare what the wallet counts for a consent with what we do; None: it cannot be said."""
    counted = _counted(grant, now=now)
    if counted is None:
        return None
    held = grant.held_grant
    assert held is not None
    try:
        spent = asking.ask(
            held,
            operations.get_spent_amounts(
                resource_server=held.sender.resource_server,
                token=grant.open_secrets().access_token,
            ),
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
