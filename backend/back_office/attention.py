"""What needs an operator, the most pressing first. Reads only; nothing here asks a wallet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Min, Q, QuerySet

from backend.events.models import Event, Topic
from backend.funding.models import Seller
from backend.funding.queries import waiting_for_a_person
from backend.funding.treasury import paying_grants_of
from backend.jobs.models import Dispute
from backend.jobs.status import DisputeStatus
from backend.payments.models import Discrepancy, HeldGrant, Payment
from backend.payments.status import (
    HELD_GRANT_OVER,
    TERMINAL,
    GrantScope,
    PaymentStatus,
)
from backend.webhooks.models import WebhookDelivery, WebhookEndpoint
from backend.webhooks.status import DeliveryStatus, DisabledBecause

SHOWN = 12
# Work that waits longer than this, while it may be done, says that nobody works.
WAITS_FOR_NOBODY = timedelta(minutes=1)


def unknown() -> QuerySet[Payment]:
    """Payments whose order went out and whose answer was lost, the oldest first."""
    return _payments().filter(status=PaymentStatus.UNKNOWN).order_by("updated_at", "id")


def late(*, now: datetime) -> QuerySet[Payment]:
    """Payments that are past their deadline and not over, UNKNOWN ones included."""
    open_now = _payments().exclude(status__in=sorted(TERMINAL))
    return open_now.filter(deadline_at__lt=now).order_by("deadline_at", "id")


def stuck() -> QuerySet[Payment]:
    """Failed payments of what is still owed and not tried again by itself."""
    owed = waiting_for_a_person().values("id")
    failed = _payments().filter(status=PaymentStatus.FAILED, reference__in=owed)
    return failed.order_by("updated_at", "id")


def pressing(*, now: datetime) -> list[Payment]:
    """The payments to look at first: UNKNOWN, then late, then stuck; each once, some of each."""
    found: dict[object, Payment] = {}
    for payments in (unknown(), late(now=now), stuck()):
        for payment in payments[:SHOWN]:
            found.setdefault(payment.id, payment)
    return list(found.values())[:SHOWN]


def escalated() -> QuerySet[Dispute]:
    """Disputes that wait until an operator decides, the longest first."""
    waiting = Dispute.objects.filter(status=DisputeStatus.ESCALATED.value)
    return waiting.select_related("submission__job").order_by("updated_at", "id")


def _payments() -> QuerySet[Payment]:
    return Payment.objects.select_related("payer", "sender__owner", "receiver__owner")


@dataclass(frozen=True, slots=True)
class Open:
    """The open discrepancies of one kind."""

    kind: str
    number: int
    since: datetime


def discrepancies() -> list[Open]:
    """What does not add up, by kind, the longest open first."""
    kinds = Discrepancy.objects.filter(resolved_at=None).values("kind")
    rows = kinds.annotate(number=Count("id"), since=Min("first_seen_at")).order_by("since", "kind")
    return [Open(row["kind"], row["number"], row["since"]) for row in rows]


@dataclass(frozen=True, slots=True)
class Allowance:
    """A consent to pay out of the treasury, as an operator asks about it."""

    grant: HeldGrant
    percent: int
    days_left: int | None

    @property
    def is_low(self) -> bool:
        """Whether it is time to ask for another one."""
        return self.percent >= 80 or (self.days_left is not None and self.days_left < 3)


def allowance(grant: HeldGrant, *, now: datetime) -> Allowance:
    """How much of a consent is taken, and the whole days until it ends or begins anew."""
    taken = grant.taken(at=now).value
    percent = 100 * taken // grant.limit_value if grant.limit_value else 0
    ends_at = grant.ends_at or grant.next_period(at=now)
    days_left = None if ends_at is None else max(0, (ends_at - now).days)
    return Allowance(grant, percent, days_left)


def treasury(*, now: datetime) -> list[Allowance]:
    """The consents to pay out of the treasury that are not over."""
    grants = HeldGrant.objects.filter(scope=GrantScope.TREASURY).select_related("sender")
    open_now = grants.exclude(status__in=sorted(HELD_GRANT_OVER)).order_by("id")
    return [allowance(grant, now=now) for grant in open_now]


def treasury_of_ours() -> Seller | None:
    """The treasury, where this installation has one."""
    treasuries = Seller.objects.filter(is_treasury=True, active=True)
    return treasuries.select_related("wallet").first()


def treasury_cannot_pay() -> bool:
    """Whether no consent to pay out of the treasury is held; one of a former treasury is none."""
    found = treasury_of_ours()
    return found is not None and not paying_grants_of(found).exists()


def failing_endpoints() -> QuerySet[WebhookEndpoint]:
    """Endpoints that take nothing, or were switched off because of that; the longest first."""
    given_up = Q(disabled_because__in=[DisabledBecause.FAILING, DisabledBecause.GONE])
    failing = Q(failing_since__isnull=False, disabled_at=None)
    endpoints = WebhookEndpoint.objects.filter(given_up | failing).select_related("owner")
    return endpoints.order_by(F("failing_since").asc(nulls_last=True), "id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """How far what is done in the background is behind. None: it is not."""

    payments: datetime | None
    outbox: datetime | None
    outbox_topics: int
    webhooks: datetime | None


def lag(*, now: datetime) -> Lag:
    """Since when payments, events and deliveries wait that could be worked on."""
    overdue = now - WAITS_FOR_NOBODY
    payments = Payment.objects.filter(due_at__lt=overdue).filter(
        Q(lease_until=None) | Q(lease_until__lt=now)
    )
    topics = Topic.objects.filter(last_seq__gt=F("relayed_seq"))
    # One look at the oldest of each topic with news would be a look per topic: some are enough.
    waiting = Q(pk__in=[])
    for name, seq in topics.order_by("name").values_list("name", "relayed_seq")[:50]:
        waiting |= Q(topic=name, seq=seq + 1)
    deliveries = WebhookDelivery.objects.filter(
        status=DeliveryStatus.PENDING, due_at__lt=overdue, endpoint__disabled_at=None
    )
    oldest_event = Event.objects.filter(waiting).aggregate(at=Min("at"))["at"]
    return Lag(
        payments=payments.aggregate(at=Min("due_at"))["at"],
        outbox=oldest_event if oldest_event and oldest_event < overdue else None,
        outbox_topics=topics.count(),
        webhooks=deliveries.aggregate(at=Min("due_at"))["at"],
    )
