"""Who brings what now: at most two deliveries at once to an endpoint, each topic in its order.

And at most four to all endpoints of an owner, so that nobody keeps a whole crew busy.

As with payments, a claim raises the row's fence and lends it until `lease_until`; whoever was
paused past that writes nothing, and somebody else has brought the event again.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet

from backend.webhooks.models import WebhookDelivery, WebhookEndpoint
from backend.webhooks.status import DeliveryStatus

MOST_AT_ONCE = 2
MOST_AT_ONCE_PER_OWNER = 4
PAGE = 50
MOST_PAGES = 20
# Well above the total time of a request.
LEASE_SECONDS = 60.0


def claim_due(*, now: datetime, limit: int) -> list[WebhookDelivery]:
    """Take at most `limit` deliveries that are due, the first of each topic's line.

    Owners whose endpoints another worker is looking at are passed over, never waited for.
    """
    if not _due(now).exists():
        return []
    claimed: list[WebhookDelivery] = []
    with transaction.atomic():
        for endpoint in _endpoints(now, limit):
            room = min(limit - len(claimed), _room(endpoint, now))
            if room > 0:
                claimed += _take(endpoint, now, room)
    return claimed


def put_back(delivery: WebhookDelivery, *, due_at: datetime) -> bool:
    """Release a claim without an attempt; False: it is somebody else's by now."""
    mine = WebhookDelivery.objects.filter(
        id=delivery.id, fence=delivery.fence, status=DeliveryStatus.PENDING
    )
    return bool(mine.update(lease_until=None, due_at=due_at))


def _due(now: datetime) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(
        Q(lease_until=None) | Q(lease_until__lt=now),
        status=DeliveryStatus.PENDING,
        due_at__lte=now,
        endpoint__disabled_at=None,
    )


def _endpoints(now: datetime, limit: int) -> QuerySet[WebhookEndpoint]:
    """Endpoints with room and something due, locked; by lot, so that none is always last."""
    return (
        WebhookEndpoint.objects.filter(Exists(_due(now).filter(endpoint=OuterRef("pk"))))
        .exclude(id__in=_busy("endpoint", MOST_AT_ONCE, now))
        .exclude(owner__in=_busy("endpoint__owner", MOST_AT_ONCE_PER_OWNER, now))
        .select_related("owner")
        .order_by("?")
        # The owner too: else many workers, each at another endpoint of theirs, see room at once.
        .select_for_update(skip_locked=True, no_key=True, of=("self", "owner"))[:limit]
    )


def _busy(whose: str, most: int, now: datetime) -> QuerySet[WebhookDelivery, dict[str, Any]]:
    """The endpoints, or owners, to which no more is brought now."""
    by_whom = _in_flight(now).values(whose).annotate(number=Count("id"))
    busy: QuerySet[WebhookDelivery, dict[str, Any]] = by_whom.filter(number__gte=most).values(whose)
    return busy


def _room(endpoint: WebhookEndpoint, now: datetime) -> int:
    """How much more may be brought to this endpoint now."""
    to_owner = _in_flight(now).filter(endpoint__owner=endpoint.owner_id).count()
    to_endpoint = _in_flight(now).filter(endpoint=endpoint).count()
    return min(MOST_AT_ONCE - to_endpoint, MOST_AT_ONCE_PER_OWNER - to_owner)


def _in_flight(now: datetime) -> QuerySet[WebhookDelivery]:
    # Only what is pending is ever lent.
    return WebhookDelivery.objects.filter(lease_until__gte=now)


def _take(endpoint: WebhookEndpoint, now: datetime, room: int) -> list[WebhookDelivery]:
    taken = _first_in_line(endpoint, now, room)
    lease_until = now + timedelta(seconds=LEASE_SECONDS)
    WebhookDelivery.objects.filter(id__in=[each.id for each in taken]).update(
        fence=F("fence") + 1, lease_until=lease_until
    )
    for each in taken:
        each.endpoint = endpoint
        each.fence, each.lease_until = each.fence + 1, lease_until
    return taken


def _first_in_line(endpoint: WebhookEndpoint, now: datetime, room: int) -> list[WebhookDelivery]:
    """What is due and has nothing before it in its topic, the longest due first.

    In pages, by index: a planner that meets NOT EXISTS here reads all that wait.
    """
    found: list[WebhookDelivery] = []
    passed: set[str] = set()
    for _ in range(MOST_PAGES):
        due = _due(now).filter(endpoint=endpoint).exclude(topic__in=passed)
        page = list(due.order_by("due_at", "id")[:PAGE])
        topics = {each.topic for each in page}
        pending = endpoint.deliveries.filter(status=DeliveryStatus.PENDING, topic__in=topics)
        firsts = dict(pending.order_by().values_list("topic").annotate(Min("seq")))
        found += [each for each in page if firsts[each.topic] == each.seq]
        found += _due_elsewhere(endpoint, now, firsts, found)
        if len(found) >= room or len(page) < PAGE:
            break
        # What is due of these topics waits for what is under way, or is not due.
        passed |= topics
    return found[:room]


def _due_elsewhere(
    endpoint: WebhookEndpoint, now: datetime, firsts: dict[str, int], found: list[WebhookDelivery]
) -> list[WebhookDelivery]:
    """The `firsts`, a number by topic, that are due and are not `found` yet.

    One that had to wait for its turn is due later than those that came behind it meanwhile, of
    which there may be more than a page.
    """
    missing = firsts.keys() - {each.topic for each in found}
    if not missing:
        return []
    wanted = Q()
    for topic in missing:
        wanted |= Q(topic=topic, seq=firsts[topic])
    return list(_due(now).filter(wanted, endpoint=endpoint).order_by("due_at", "id"))
