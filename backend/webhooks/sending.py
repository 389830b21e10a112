"""Bringing one event to one endpoint, and what follows from the answer.

Whatever is killed here has either recorded the answer or not. If not, the lease runs out and the
event is brought again, under the same `webhook-id`.
"""

import logging
import os
import random
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from http import HTTPStatus
from uuid import UUID

import httpx
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from backend import outbound
from backend.clock import Clock
from backend.events import emit
from backend.events.models import Event
from backend.webhooks import bodies, claims, schedule, signatures
from backend.webhooks.audience import may_hear
from backend.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from backend.webhooks.names import PayloadFormat
from backend.webhooks.status import DeliveryStatus, DisabledBecause, Flaw

log = logging.getLogger(__name__)

TOTAL_SECONDS = 15.0
# As much of an answer is read, and nobody is shown it: a URL that we open is no window.
MOST_READ_BYTES = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of one request."""

    status_code: int | None = None
    flaw: Flaw | None = None
    asked_seconds: float = 0.0

    @property
    def is_taken(self) -> bool:
        return self.flaw is None


def webhook_client() -> httpx.Client:
    """The client that goes to strangers' URLs; threads share it, forks do not."""
    return _client_of(os.getpid())


@cache
def _client_of(pid: int) -> httpx.Client:
    del pid  # only the cache's key
    return outbound.client(
        outbound.Policy(
            allowed_origins=settings.OP_DEV_ORIGINS,
            ca_file=settings.OP_CA_FILE or None,
            total_timeout_seconds=TOTAL_SECONDS,
            # A status is an answer, however much follows: see MOST_READ_BYTES.
            max_body_bytes=2**31,
        )
    )


def deliver(
    delivery: WebhookDelivery, *, client: httpx.Client, clock: Clock, rng: random.Random
) -> None:
    """Bring a claimed delivery, once, and record what came of it."""
    event = Event.objects.filter(id=delivery.event_id).first()
    if event is None or not may_hear(delivery.endpoint):
        with transaction.atomic():
            if _locked(delivery.endpoint_id) is not None:
                _end(delivery, DeliveryStatus.MISSED, at=clock.now())
        return
    body = bodies.compose(
        event,
        name=delivery.name,
        payload_format=PayloadFormat(delivery.endpoint.payload_format),
    )
    began_at, began = clock.now(), time.monotonic()
    answer = _post(client, delivery, body, at=began_at)
    if answer is None:
        pause = timedelta(seconds=schedule.NOT_TRIED_SECONDS)
        claims.put_back(delivery, due_at=clock.now() + pause)
        return
    took_ms = int((time.monotonic() - began) * 1000)
    _record(delivery, answer, at=clock.now(), began_at=began_at, took_ms=took_ms, rng=rng)


def post(
    client: httpx.Client, *, url: str, id: str, body: bytes, keys: list[bytes], at: datetime
) -> Answer | None:
    """Send one signed request; None when it did not leave us for a reason of our own."""
    headers = {
        **signatures.headers_for(id=id, body=body, keys=keys, at=at),
        "content-type": "application/json",
        "accept": "*/*",
        "user-agent": "faena-webhooks",
    }
    try:
        with client.stream("POST", url, content=body, headers=headers) as response:
            _read_a_little(response)
            return _judged(response, at)
    except (outbound.HostBusy, outbound.HostResting):
        return None
    except outbound.DestinationRefused:
        return Answer(flaw=Flaw.FORBIDDEN)
    except outbound.AnswerRefused:
        return Answer(flaw=Flaw.BAD_ANSWER)
    except httpx.ConnectError:
        return Answer(flaw=Flaw.UNREACHABLE)
    except httpx.TimeoutException:
        return Answer(flaw=Flaw.TIMEOUT)
    except httpx.HTTPError:
        return Answer(flaw=Flaw.UNREACHABLE)


def _post(
    client: httpx.Client, delivery: WebhookDelivery, body: bytes, *, at: datetime
) -> Answer | None:
    endpoint = delivery.endpoint
    return post(
        client,
        url=endpoint.url,
        id=str(delivery.event_id),
        body=body,
        keys=keys_of(endpoint, now=at),
        at=at,
    )


def keys_of(endpoint: WebhookEndpoint, *, now: datetime) -> list[bytes]:
    """The keys that sign for an endpoint: the one in use, and the one before for a while."""
    sealed = [endpoint.secret]
    until = endpoint.previous_secret_until
    if until is not None and now < until:
        sealed.append(endpoint.previous_secret)
    return [signatures.key_of(endpoint.unseal(each)) for each in sealed]


def _read_a_little(response: httpx.Response) -> None:
    # So that a short answer ends properly and its connection is used again.
    read = 0
    try:
        for part in response.iter_raw(MOST_READ_BYTES):
            read += len(part)
            if read >= MOST_READ_BYTES:
                return
    except httpx.HTTPError:
        return  # the status has arrived, and that is the answer


def _judged(response: httpx.Response, at: datetime) -> Answer:
    code = response.status_code
    if HTTPStatus.OK <= code < HTTPStatus.MULTIPLE_CHOICES:
        return Answer(status_code=code)
    asked = code in schedule.ASKS_FOR_TIME
    return Answer(
        status_code=code,
        flaw=Flaw.REFUSED,
        asked_seconds=schedule.retry_after_seconds(response.headers, now=at) if asked else 0.0,
    )


# --- what follows --------------------------------------------------------------------------------


def _record(
    delivery: WebhookDelivery,
    answer: Answer,
    *,
    at: datetime,
    began_at: datetime,
    took_ms: int,
    rng: random.Random,
) -> None:
    with transaction.atomic():
        # The endpoint's row before its deliveries', as everywhere.
        endpoint = _locked(delivery.endpoint_id)
        if endpoint is None or not _is_mine(delivery):
            log.info("%s was brought by somebody else meanwhile", delivery)
            return
        delivery.attempts_made += 1
        WebhookDelivery.objects.filter(id=delivery.id).update(attempts_made=delivery.attempts_made)
        WebhookAttempt.objects.create(
            delivery=delivery,
            number=delivery.attempts_made,
            at=began_at,
            duration_ms=took_ms,
            status_code=answer.status_code,
            flaw=answer.flaw or "",
        )
        if answer.is_taken:
            WebhookEndpoint.objects.filter(id=endpoint.id).exclude(failing_since=None).update(
                failing_since=None
            )
            _end(delivery, DeliveryStatus.DELIVERED, at=at)
        else:
            _after_failure(delivery, endpoint, answer, at=at, rng=rng)


def _locked(endpoint_id: UUID) -> WebhookEndpoint | None:
    return WebhookEndpoint.objects.select_for_update(no_key=True).filter(id=endpoint_id).first()


def _is_mine(delivery: WebhookDelivery) -> bool:
    return WebhookDelivery.objects.filter(
        id=delivery.id, fence=delivery.fence, status=DeliveryStatus.PENDING
    ).exists()


def _after_failure(
    delivery: WebhookDelivery,
    endpoint: WebhookEndpoint,
    answer: Answer,
    *,
    at: datetime,
    rng: random.Random,
) -> None:
    failing_since = endpoint.failing_since or at
    WebhookEndpoint.objects.filter(id=endpoint.id).update(failing_since=failing_since)
    if answer.status_code == HTTPStatus.GONE:
        switch_off(endpoint, because=DisabledBecause.GONE, at=at)
        return
    if at - failing_since >= schedule.DISABLED_AFTER:
        switch_off(endpoint, because=DisabledBecause.FAILING, at=at)
        return
    pause = schedule.next_pause(
        failures=delivery.tries + 1, asked_seconds=answer.asked_seconds, rng=rng
    )
    if pause is None:
        _end(delivery, DeliveryStatus.MISSED, at=at)
        return
    claims.put_back(delivery, due_at=at + pause)
    WebhookDelivery.objects.filter(id=delivery.id).update(tries=F("tries") + 1)
    # Those behind it wait for it in any case: nobody need look at them before.
    _behind(delivery).filter(due_at__lt=at + pause).update(due_at=at + pause)


def _end(delivery: WebhookDelivery, status: DeliveryStatus, *, at: datetime) -> None:
    mine = WebhookDelivery.objects.filter(
        id=delivery.id, fence=delivery.fence, status=DeliveryStatus.PENDING
    )
    mine.update(status=status, due_at=None, lease_until=None, ended_at=at)
    _behind(delivery).filter(due_at__gt=at).update(due_at=at)


def _behind(delivery: WebhookDelivery) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(
        endpoint_id=delivery.endpoint_id,
        topic=delivery.topic,
        seq__gt=delivery.seq,
        status=DeliveryStatus.PENDING,
    )


def switch_off(endpoint: WebhookEndpoint, *, because: DisabledBecause, at: datetime) -> None:
    """Send it nothing more; what it misses is kept for a replay. Its owner is told.

    The endpoint is locked, and this is the last of its transaction.
    """
    WebhookEndpoint.objects.filter(id=endpoint.id).update(
        disabled_at=at, disabled_because=because, updated_at=at
    )
    endpoint.deliveries.filter(status=DeliveryStatus.PENDING).update(
        status=DeliveryStatus.MISSED, due_at=None, lease_until=None, ended_at=at
    )
    if because is not DisabledBecause.OWNER:
        emit(
            topic=f"user:{endpoint.owner_id}",
            type="webhook.disabled",
            payload={"because": str(because)},
            at=at,
            subject_id=endpoint.id,
        )
