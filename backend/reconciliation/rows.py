"""Our rows among themselves, and beside what is booked of them. Read in one snapshot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Min, Sum

from backend.events.models import Event
from backend.events.retention import EVENT_RETENTION_DAYS
from backend.funding.booking import ESCROW_SHORT, ROUNDING
from backend.ledger.kinds import AccountKind
from backend.ledger.models import Entry
from backend.payments.models import Attempt, Payment, PaymentTransition
from backend.payments.status import IN_FLIGHT, TERMINAL, PaymentStatus
from backend.reconciliation.findings import Finding, Kind, of_payment

KINDS = (
    Kind.TWO_LIVE_ATTEMPTS,
    Kind.STATUS_NOT_LOGGED,
    Kind.TRANSITION_WITHOUT_EVENT,
    Kind.PAST_DEADLINE,
    Kind.NOT_BOOKED,
)
# Whoever drives payments may be away for a moment; money that moves is told of at once.
LATE_BY = timedelta(minutes=10)
# Where money that arrived is booked: a payer's own account when it came back to them.
ARRIVED_IN = (
    AccountKind.SELLER,
    AccountKind.PAYEE,
    AccountKind.ESCROW,
    AccountKind.PAYER,
    AccountKind.PLATFORM_FEE,
)


def check(payments: Sequence[Payment], *, now: datetime) -> Iterator[Finding]:
    """All that our own rows say of `payments`."""
    log = _log_of(payments)
    yield from two_live_attempts(payments)
    yield from status_not_logged(payments, log)
    yield from transitions_without_event(log, now=now)
    yield from past_deadline(payments, now=now)
    yield from not_booked(payments)


def two_live_attempts(payments: Sequence[Payment]) -> Iterator[Finding]:
    """An attempt begins only after the proof that the one before it is dead."""
    alive = Attempt.objects.filter(payment__in=payments, dead_at=None)
    counted = alive.order_by().values_list("payment").annotate(number=Count("id"))
    for payment_id, number in counted.filter(number__gt=1):
        yield of_payment(
            Kind.TWO_LIVE_ATTEMPTS, payment_id, "1 live attempt", f"{number} live attempts"
        )


def _log_of(payments: Sequence[Payment]) -> list[PaymentTransition]:
    return list(PaymentTransition.objects.filter(payment__in=payments).order_by("at", "id"))


def status_not_logged(
    payments: Sequence[Payment], log: Sequence[PaymentTransition]
) -> Iterator[Finding]:
    """The log leads to the status, and to no other end. Clocks of workers may differ a little."""
    passed: dict[object, list[str]] = {}
    for row in log:
        passed.setdefault(row.payment_id, [PaymentStatus.CREATED]).append(row.new)
    for payment in payments:
        reached = passed.get(payment.id, [PaymentStatus.CREATED])
        other_ends = TERMINAL.intersection(reached) - {payment.status}
        if payment.status not in reached or other_ends:
            last = next(iter(other_ends), reached[-1])
            yield of_payment(Kind.STATUS_NOT_LOGGED, payment.id, str(last), str(payment.status))


def transitions_without_event(
    log: Sequence[PaymentTransition], *, now: datetime
) -> Iterator[Finding]:
    """Each change was told; events older than their retention are gone, and not asked for."""
    oldest = Event.objects.aggregate(at=Min("at"))["at"]
    kept_since = oldest or now - timedelta(days=EVENT_RETENTION_DAYS)
    rows = [row for row in log if row.at >= kept_since]
    ids = {row.payment_id for row in rows}
    events = Event.objects.filter(
        topic__in=[f"payment:{id}" for id in ids], type="payment.status", at__gte=kept_since
    )
    told = {
        (subject, payload.get("status"), at)
        for subject, payload, at in events.values_list("subject_id", "payload", "at")
    }
    for row in rows:
        if (row.payment_id, row.new, row.at) not in told:
            yield of_payment(
                Kind.TRANSITION_WITHOUT_EVENT,
                row.payment_id,
                f"an event of {row.old} → {row.new}",
                "none",
                transition=str(row.id),
            )


def past_deadline(payments: Iterable[Payment], *, now: datetime) -> Iterator[Finding]:
    """Every status that is not an end has a time by which it is over."""
    for payment in payments:
        late_after = timedelta() if payment.status in IN_FLIGHT else LATE_BY
        if payment.status not in TERMINAL and payment.deadline_at + late_after < now:
            yield of_payment(
                Kind.PAST_DEADLINE,
                payment.id,
                f"over by {payment.deadline_at.isoformat()}",
                str(payment.status),
            )


def not_booked(payments: Sequence[Payment]) -> Iterator[Finding]:
    """What a payment that is over has delivered stands in the books, to the unit."""
    booked = _booked_of(payments)
    for payment in payments:
        there = booked[payment.id]
        # What is booked where nothing arrived is found in the books.
        if (
            payment.delivered_value
            and payment.status in TERMINAL
            and payment.delivered_value != there
        ):
            amount = payment.delivered_amount
            yield of_payment(
                Kind.NOT_BOOKED,
                payment.id,
                f"{amount.value} {amount.asset_code}/{amount.asset_scale} booked",
                f"{there} booked",
            )


def _booked_of(payments: Sequence[Payment]) -> Counter[UUID | None]:
    """What arrived by the books: what one transfer booked wrongly, another one puts right."""
    entries = Entry.objects.filter(
        transfer__payment__in=payments, account__kind__in=ARRIVED_IN
    ).exclude(transfer__reason__in=[ESCROW_SHORT, ROUNDING])
    by_account = entries.order_by().values_list("transfer__payment", "account")
    booked: Counter[UUID | None] = Counter()
    for payment_id, _, total in by_account.annotate(total=Sum("amount")):
        booked[payment_id] += max(int(total), 0)
    return booked
