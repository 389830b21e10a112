"""Who brings what now: at most two deliveries at once to an endpoint, each topic in its order.

As with payments, a claim raises the row's fence and lends it until `lease_until`; whoever was
paused past that writes nothing, and somebody else has brought the event again.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet

from backend.webhooks.models import WebhookDelivery, WebhookEndpoint
from backend.webhooks.status import DeliveryStatus

MOST_AT_ONCE = 2
PAGE = 50
MOST_PAGES = 20
# Well above the total time of a request.
LEASE_SECONDS = 60.0


def claim_due(*, now: datetime, limit: int) -> list[WebhookDelivery]:
    """Take at most `limit` deliveries that are due, the first of each topic's line.

    Endpoints that another worker is looking at are passed over, never waited for.
    """
    if not _due(now).exists():
        return []
    claimed: list[WebhookDelivery] = []
    with transaction.atomic():
        for endpoint in _endpoints(now, limit):
            room = min(MOST_AT_ONCE - _in_flight(endpoint, now), limit - len(claimed))
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
    busy = (
        WebhookDelivery.objects.filter(lease_until__gte=now)
        .values("endpoint")
        .annotate(number=Count("id"))
        .filter(number__gte=MOST_AT_ONCE)
        .values("endpoint")
    )
    return (
        WebhookEndpoint.objects.filter(Exists(_due(now).filter(endpoint=OuterRef("pk"))))
        .exclude(id__in=busy)
        .order_by("?")
        .select_for_update(skip_locked=True, no_key=True)[:limit]
    )


def _in_flight(endpoint: WebhookEndpoint, now: datetime) -> int:
    # Only what is pending is ever lent.
    return endpoint.deliveries.filter(lease_until__gte=now).count()


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
