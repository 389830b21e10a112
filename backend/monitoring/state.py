"""The state of the whole installation, read from the database whenever somebody scrapes.

Every process would answer the same, so one that is scraped is enough; and nothing is lost when
all of them start again. Each question follows an index that holds only rows that are not over.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import Count, Min, Q, Sum
from django.db.models.query import QuerySet
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from backend.clock import Clock
from backend.events.models import Event, Topic
from backend.heartbeat.beating import RECONCILIATION, TICK
from backend.heartbeat.models import Heartbeat
from backend.ledger.models import Account
from backend.notifications.models import Mail
from backend.notifications.status import MailStatus
from backend.payments.models import Discrepancy, HeldGrant, Payment
from backend.payments.status import TERMINAL, HeldGrantStatus, PaymentStatus
from backend.reconciliation.findings import Kind
from backend.webhooks.models import WebhookDelivery
from backend.webhooks.status import DeliveryStatus

Reading = Callable[[datetime], Iterable[Metric]]
READINGS: list[Reading] = []


def reading(read: Reading) -> Reading:
    READINGS.append(read)
    return read


class StateCollector(Collector):
    """Asks the database all READINGS; `faena_state_readable` is 0 where it does not answer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        now = self._clock.now()
        families: list[Metric] = []
        readable = True
        try:
            for read in READINGS:
                families.extend(read(now))
        except DatabaseError:
            # What could not be read is absent, not zero: alerts tell the one from the other.
            readable = False
        yield from families
        yield _gauge("faena_state_readable", "1 if the database answered.", {(): int(readable)})


def _gauge(
    name: str, text: str, values: dict[tuple[str, ...], float], labels: tuple[str, ...] = ()
) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for label, value in values.items():
        family.add_metric(label, value)
    return family


def _age(since: datetime | None, now: datetime) -> float:
    """Seconds, never below 0; 0 for what is not there."""
    return max(0.0, (now - since).total_seconds()) if since else 0.0


# --- payments -------------------------------------------------------------------------------------


@reading
def payments(now: datetime) -> Iterator[Metric]:
    """Those that are not over: how many, for how long, how late."""
    # payment_due holds exactly these: a payment that is over is not due.
    rows = (
        Payment.objects.filter(due_at__isnull=False)
        .values_list("status")
        .annotate(
            number=Count("id"),
            since=Min("updated_at"),
            late=Count("id", filter=Q(deadline_at__lt=now)),
        )
        .order_by()
    )
    found = {status: (number, since, late) for status, number, since, late in rows}
    nothing = (0, None, 0)
    open_now = [status for status in PaymentStatus if status not in TERMINAL]
    yield _gauge(
        "faena_payments_open",
        "Payments that are not over.",
        {(status,): found.get(status, nothing)[0] for status in open_now},
        ("status",),
    )
    yield _gauge(
        "faena_payments_past_deadline",
        "Payments that are not over though their deadline has passed.",
        {(status,): found.get(status, nothing)[2] for status in open_now},
        ("status",),
    )
    yield _gauge(
        "unknown_age_max",
        "Seconds for which the oldest payment has been UNKNOWN: its order's answer was lost.",
        {(): _age(found.get(PaymentStatus.UNKNOWN, nothing)[1], now)},
    )


@reading
def due_lag(now: datetime) -> Iterator[Metric]:
    """What is due and nobody has claimed."""
    yield _gauge(
        "due_lag_max",
        "Seconds for which the oldest row that is due has waited for a worker.",
        {
            ("Payment",): _waited(Payment.objects.all(), now),
            ("HeldGrant",): _waited(HeldGrant.objects.all(), now),
        },
        ("queue",),
    )


def _waited(rows: QuerySet[Any], now: datetime) -> float:
    unclaimed = rows.filter(Q(lease_until=None) | Q(lease_until__lt=now), due_at__lte=now)
    return _age(unclaimed.order_by("due_at").values_list("due_at", flat=True).first(), now)


@reading
def grants(now: datetime) -> Iterator[Metric]:
    """Consents that are held, and how long they last."""
    rows = (
        HeldGrant.objects.filter(status=HeldGrantStatus.HELD)
        .values_list("scope")
        .annotate(Count("id"), Min("ends_at"))
        .order_by()
    )
    found = list(rows)
    yield _gauge(
        "faena_held_grants",
        "Consents that payments can be made under.",
        {(scope,): number for scope, number, _ in found},
        ("scope",),
    )
    yield _gauge(
        "faena_held_grant_days_left_min",
        "Days until the first of them ends.",
        {(scope,): (end - now) / timedelta(days=1) for scope, _, end in found if end is not None},
        ("scope",),
    )


# --- what does not add up -------------------------------------------------------------------------


@reading
def discrepancies(now: datetime) -> Iterator[Metric]:
    """What reconciliation and the workflow found, and is not resolved."""
    rows = (
        Discrepancy.objects.filter(resolved_at=None)
        .values_list("kind")
        .annotate(Count("id"), Min("first_seen_at"))
        .order_by()
    )
    found = {kind: (number, since) for kind, number, since in rows}
    # Zero is said of every kind: an alert on what is absent would never fire.
    kinds = sorted({*map(str, Kind), *found})
    yield _gauge(
        "discrepancy_open",
        "Discrepancies that nobody has resolved.",
        {(kind,): found.get(kind, (0, None))[0] for kind in kinds},
        ("kind",),
    )
    yield _gauge(
        "discrepancy_open_age_max",
        "Seconds since the oldest of them was first seen.",
        {(kind,): _age(found.get(kind, (0, None))[1], now) for kind in kinds},
        ("kind",),
    )


@reading
def reconciliation(now: datetime) -> Iterator[Metric]:
    """Whether what does not add up is still looked for."""
    ends = Heartbeat.objects.filter(name=RECONCILIATION).values_list("at", flat=True)
    # Until it has come to an end once, there is nothing to compare before the first payment.
    payments = Payment.objects.order_by("id").values_list("created_at", flat=True)
    yield _gauge(
        "faena_reconciliation_age",
        "Seconds since reconciliation last came to its end, or since the first payment.",
        {(): _age(ends.first() or payments.first(), now)},
    )


@reading
def ledger(now: datetime) -> Iterator[Metric]:
    """The balances of all accounts of an asset, which add up to nothing."""
    rows = Account.objects.values_list("asset_code", "asset_scale").annotate(Sum("balance"))
    yield _gauge(
        "ledger_imbalance",
        "The sum of all balances of an asset, in its smallest unit; anything but 0 is an error.",
        {(f"{code}/{scale}",): total for code, scale, total in rows.order_by()},
        ("asset",),
    )


# --- what waits to be told ------------------------------------------------------------------------

_OLDEST_NOT_RELAYED = f"""
    SELECT MIN(event.at) FROM {Topic._meta.db_table} topic
    JOIN {Event._meta.db_table} event
      ON event.topic = topic.name AND event.seq = topic.relayed_seq + 1
    WHERE topic.last_seq > topic.relayed_seq
"""  # noqa: S608 - our own tables' names


@reading
def outbox(now: datetime) -> Iterator[Metric]:
    """Events that no reader has been given yet."""
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST_NOT_RELAYED)
        (since,) = cursor.fetchone()
    if since is not None and connection.vendor == "sqlite":
        since = datetime.fromisoformat(since).replace(tzinfo=now.tzinfo)
    yield _gauge(
        "outbox_lag", "Seconds since the oldest event that is not relayed.", {(): _age(since, now)}
    )


@reading
def deliveries(now: datetime) -> Iterator[Metric]:
    """Webhooks and mails that are on their way."""
    webhooks = WebhookDelivery.objects.filter(status=DeliveryStatus.PENDING)
    mails = Mail.objects.filter(status=MailStatus.PENDING)
    yield _gauge(
        "faena_deliveries_waiting",
        "Webhooks and mails that were not taken yet.",
        {("webhook",): webhooks.count(), ("mail",): mails.count()},
        ("by",),
    )
    yield _gauge(
        "faena_delivery_lag_max",
        "Seconds for which the oldest that is due has waited to be sent.",
        {("webhook",): _waited(webhooks, now), ("mail",): _waited(mails, now)},
        ("by",),
    )


@reading
def heartbeat(now: datetime) -> Iterator[Metric]:
    """Whether the clock, the broker and a worker work together."""
    ages: dict[tuple[str, ...], float] = {
        (name,): _age(at, now)
        for name, at in Heartbeat.objects.filter(name=TICK).values_list("name", "at")
    }
    yield _gauge("tick_heartbeat_age", "Seconds since the last tick.", ages, ("name",))
