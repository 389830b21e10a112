"""What a webhook says: ids and statuses, never what is private about people."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from backend.events import cursors
from backend.events.models import Event
from backend.events.shown import data_of, subject_id_of
from backend.funding.models import Funding
from backend.payments.models import Payment
from backend.payments.status import PaymentStatus
from backend.webhooks.names import COMPLETED, PayloadFormat, kind_of

MOST_BYTES = 32 * 1024


def compose(event: Event, *, name: str, payload_format: PayloadFormat) -> bytes:
    """The body: the same bytes however often it is made.

    Raises:
        ObjectDoesNotExist: what it is about is not there.
    """
    say = _for_the_guide if payload_format is PayloadFormat.GUIDE else _standard
    return _written(say(event, name))


def _written(said: dict[str, Any]) -> bytes:
    body = json.dumps(said, separators=(",", ":")).encode()
    assert len(body) <= MOST_BYTES
    return body


# --- our own -----------------------------------------------------------------------------------


def _standard(event: Event, name: str) -> dict[str, Any]:
    data: dict[str, Any] = {
        "topic": event.topic,
        "seq": event.seq,
        "cursor": cursors.encode(topic=event.topic, seq=event.seq),
    }
    if (subject_id := subject_id_of(event)) is not None:
        data["subjectId"] = subject_id
    data |= data_of(event)
    if kind_of(event.topic) == "payment" and event.subject_id is not None:
        data |= _failure(event.subject_id, str(event.payload.get("status")))
    return {"type": name, "timestamp": _instant(event.at), "data": data}


def _failure(payment_id: UUID, status: str) -> dict[str, Any]:
    if status not in (PaymentStatus.FAILED, PaymentStatus.REJECTED, PaymentStatus.EXPIRED):
        return {}
    failed = Payment.objects.filter(id=payment_id).first()
    if failed is None or not failed.failure_code:
        return {}
    return {
        "failure": {
            "code": failed.failure_code,
            "message": failed.failure_message,
            "retryable": failed.failure_retryable,
        }
    }


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


# --- the guide's -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GuideNames:
    """What a client of the guide's contract knows a job and a payment by."""

    offer_id: str
    pending_id: str


NamesIt = Callable[[Payment, UUID], GuideNames | None]
_names_it: list[NamesIt] = []


def name_by(find: NamesIt) -> NamesIt:
    """Ask `find(payment, job id)` first what the guide's clients call a job and a payment.

    For the adapter of the guide's own contract, which knows what its clients sent. Where it
    answers None they are called by their own keys.
    """
    _names_it.append(find)
    return find


def _for_the_guide(event: Event, name: str) -> dict[str, Any]:
    payment = Payment.objects.get(id=event.topic.partition(":")[2])
    funding = Funding.objects.get(id=payment.reference)
    known = next((found for find in _names_it if (found := find(payment, funding.job_id))), None)
    names = known or GuideNames(offer_id=str(funding.job_id), pending_id=str(payment.id))
    attempt = payment.attempts.exclude(outgoing_payment_url="").order_by("-number").first()
    return {
        "type": name,
        "offerId": names.offer_id,
        "pendingId": names.pending_id,
        "outgoingPaymentId": attempt and attempt.outgoing_payment_url,
        "status": "paid" if name == COMPLETED else "failed",
        "timestamp": _instant(event.at),
    }
