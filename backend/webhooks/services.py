"""What owners do with their endpoints: make, change, remove, rotate, replay."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from backend import outbound, rate_limits
from backend.accounts.models import User
from backend.errors import Forbidden, NotFound, ValidationFailed
from backend.events import cursors, queries
from backend.known import is_known
from backend.webhooks import signatures
from backend.webhooks.audience import hears_of
from backend.webhooks.models import WebhookDelivery, WebhookEndpoint
from backend.webhooks.names import PayloadFormat, check_patterns
from backend.webhooks.queries import deliveries_visible_to, endpoints_visible_to
from backend.webhooks.sending import switch_off
from backend.webhooks.status import DeliveryStatus, DisabledBecause

MOST_ENDPOINTS = 10
# How long the secret before still signs, beside the new one.
SECRETS_OVERLAP = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Secretive:
    """An endpoint, and the secret that can be read this once."""

    endpoint: WebhookEndpoint
    secret: str


def create_endpoint(
    *,
    owner: User,
    url: str,
    events: Sequence[str],
    payload_format: PayloadFormat = PayloadFormat.STANDARD,
    everything: bool = False,
    now: datetime,
) -> Secretive:
    """Tell `url` from now on what happens; the secret is returned this once.

    Raises:
        ValidationFailed: we do not go to that URL, an event has no such name, or there are too
            many endpoints.
        Forbidden: `everything` is for operators and auditors.
        RateLimited: too often.
    """
    rate_limits.hit("webhooks", str(owner.id))
    if everything and not owner.sees_everything:
        raise Forbidden(_("Only operators and auditors hear everything."), path=("everything",))
    endpoint = WebhookEndpoint(
        owner=owner,
        url=_checked(url),
        events=check_patterns(events, payload_format),
        payload_format=payload_format,
        everything=everything,
        created_at=now,
        updated_at=now,
    )
    secret = signatures.new_secret()
    endpoint.secret = endpoint.seal(secret)
    with transaction.atomic():
        # One at a time per person, so that the limit is counted.
        User.objects.select_for_update(no_key=True).get(id=owner.id)
        if owner.webhook_endpoints.count() >= MOST_ENDPOINTS:
            raise ValidationFailed(
                _("You have {most} webhook endpoints; remove one first."), most=MOST_ENDPOINTS
            )
        endpoint.save(force_insert=True)
    return Secretive(endpoint, secret)


def update_endpoint(
    *,
    user: User,
    endpoint_id: UUID,
    url: str | None = None,
    events: Sequence[str] | None = None,
    active: bool | None = None,
    now: datetime,
) -> WebhookEndpoint:
    """Change what is not None. Switched on again it hears what happens from then on.

    What it missed while it was off is kept: `replay` brings it.

    Raises:
        NotFound: `user` has no such endpoint.
        ValidationFailed: as in `create_endpoint`.
    """
    with transaction.atomic():
        endpoint = _own(user, endpoint_id)
        if url is not None:
            endpoint.url = _checked(url)
        if events is not None:
            endpoint.events = check_patterns(events, PayloadFormat(endpoint.payload_format))
        endpoint.updated_at = now
        endpoint.save(update_fields=["url", "events", "updated_at"])
        if active is True and endpoint.disabled_at is not None:
            WebhookEndpoint.objects.filter(id=endpoint.id).update(
                disabled_at=None, disabled_because="", failing_since=None
            )
        elif active is False and endpoint.disabled_at is None:
            switch_off(endpoint, because=DisabledBecause.OWNER, at=now)
        endpoint.refresh_from_db()
    return endpoint


def delete_endpoint(*, user: User, endpoint_id: UUID) -> None:
    """Remove an endpoint with its log.

    Raises:
        NotFound: `user` has no such endpoint.
    """
    with transaction.atomic():
        _own(user, endpoint_id).delete()


def rotate_secret(*, user: User, endpoint_id: UUID, now: datetime) -> Secretive:
    """Sign with a new secret, returned this once, and for a day with the one before as well.

    Raises:
        NotFound: `user` has no such endpoint.
        RateLimited: too often.
    """
    rate_limits.hit("webhooks", str(user.id))
    secret = signatures.new_secret()
    with transaction.atomic():
        endpoint = _own(user, endpoint_id)
        endpoint.previous_secret = endpoint.secret
        endpoint.previous_secret_until = now + SECRETS_OVERLAP
        endpoint.secret = endpoint.seal(secret)
        endpoint.updated_at = now
        endpoint.save(
            update_fields=["secret", "previous_secret", "previous_secret_until", "updated_at"]
        )
    return Secretive(endpoint, secret)


def replay_events(
    *,
    user: User,
    endpoint_id: UUID,
    since: datetime | None = None,
    topic: str | None = None,
    after: str | None = None,
    include_delivered: bool = False,
    now: datetime,
) -> tuple[WebhookEndpoint, int]:
    """Bring again, now, what the endpoint has not taken: since an instant, or behind a cursor.

    Returns the endpoint and how many deliveries were put in line. With `include_delivered` also
    what it took before. Its owner and operators can. Safe to repeat: what was brought meanwhile is
    not brought again.

    Raises:
        NotFound: there is no such endpoint that `user` may bring anything to.
        ValidationFailed: not exactly one of `since` and (`topic`, `after`), or it is off.
        BadCursor, CursorExpired: see `events.cursors`.
        RateLimited: too often.
    """
    rate_limits.hit("webhooks", str(user.id))
    with transaction.atomic():
        endpoint = _replayable(user, endpoint_id)
        wanted = endpoint.deliveries.filter(_range(endpoint, since, topic, after))
        if not include_delivered:
            wanted = wanted.exclude(status=DeliveryStatus.DELIVERED)
        return endpoint, _put_in_line(endpoint, wanted, now)


def replay_delivery(*, user: User, delivery_id: UUID, now: datetime) -> WebhookDelivery:
    """Bring one event again, now, whatever became of it before. Safe to repeat.

    The owner of its endpoint and operators can.

    Raises:
        NotFound: there is no such delivery that `user` may bring again.
        ValidationFailed: its endpoint is off.
        RateLimited: too often.
    """
    rate_limits.hit("webhooks", str(user.id))
    with transaction.atomic():
        delivery = deliveries_visible_to(user).filter(id=delivery_id).first()
        if delivery is None or not (user.is_staff or delivery.endpoint.owner_id == user.pk):
            raise NotFound(_("There is no such delivery."), path=("deliveryId",))
        endpoint = _replayable(user, delivery.endpoint_id)
        _put_in_line(endpoint, endpoint.deliveries.filter(id=delivery_id), now)
        delivery.refresh_from_db()
    return delivery


def _own(user: User, endpoint_id: UUID) -> WebhookEndpoint:
    """The endpoint, locked. Others who see it may not touch it: for them it is not there."""
    return _locked(endpoints_visible_to(user).filter(owner=user), endpoint_id)


def _replayable(user: User, endpoint_id: UUID) -> WebhookEndpoint:
    """The same, also for an operator: it is told nothing that it was not told before."""
    seen = endpoints_visible_to(user)
    return _locked(seen if user.is_staff else seen.filter(owner=user), endpoint_id)


def _locked(endpoints: QuerySet[WebhookEndpoint], endpoint_id: UUID) -> WebhookEndpoint:
    endpoint = endpoints.filter(id=endpoint_id).select_for_update(no_key=True).first()
    if endpoint is None:
        raise NotFound(_("There is no such webhook endpoint."), path=("endpointId",))
    return endpoint


def _checked(url: str) -> str:
    policy = outbound.Policy(allowed_origins=settings.OP_DEV_ORIGINS)
    try:
        outbound.check_url(url, allowed_origins=policy.allowed_origins)
    except outbound.DestinationRefused as refusal:
        raise ValidationFailed(
            _("Webhooks go to https URLs of the public internet."), path=("url",)
        ) from refusal
    return url


def _range(
    endpoint: WebhookEndpoint, since: datetime | None, topic: str | None, after: str | None
) -> Q:
    if since is not None and topic is None and after is None:
        return Q(event_at__gte=since)
    if since is None and topic is not None and after is not None:
        seq = cursors.decode(after, topic=topic)
        if hears_of(endpoint, topic):
            queries.check_resumable(topic=topic, seq=seq)
            return Q(topic=topic, seq__gt=seq)
        # As where nothing has ever happened: how much does is nobody else's business.
        if seq > 0:
            raise queries.ahead_of_its_feed()
        return Q(pk__in=())
    raise ValidationFailed(_("Give `since`, or `topic` with `after`."), path=("since",))


def _put_in_line(
    endpoint: WebhookEndpoint, wanted: QuerySet[WebhookDelivery], now: datetime
) -> int:
    if endpoint.disabled_at is not None:
        raise ValidationFailed(_("Switch the endpoint on first."), path=("endpointId",))
    # What somebody is bringing just now is left in their hands.
    free = wanted.filter(is_known(DeliveryStatus)).exclude(
        status=DeliveryStatus.PENDING, lease_until__gte=now
    )
    return free.update(
        status=DeliveryStatus.PENDING, due_at=now, tries=0, ended_at=None, lease_until=None
    )
