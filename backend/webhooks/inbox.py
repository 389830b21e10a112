"""Hints that come in: "look at this payment now". What they claim about it is not read.

The truth is at the wallets, and the workflow asks them; a hint only moves the moment at which it
does. One that never comes costs nothing but time.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from backend import rows
from backend.payments import hints
from backend.payments.models import Payment
from backend.webhooks import signatures
from backend.webhooks.models import InboundEvent

LARGEST_BYTES = 64 * 1024
SOURCE = "payments"
_DEEPEST = 6
_MOST_VALUES = 64
_LONGEST_VALUE = 2048


class Malformed(Exception):
    """It was signed with a secret of ours, and is not a JSON object all the same."""


def receive(*, headers: Mapping[str, str], body: bytes, now: datetime) -> int:
    """Take a signed hint, once; return how many payments are looked at because of it.

    A hint that came before, and one about nothing of ours, are taken and have no effect.

    Raises:
        signatures.NotGenuine: nobody with a secret of ours has sent this just now.
        Malformed: somebody with one has, and it cannot be read.
    """
    keys = [signatures.key_of(secret) for secret in settings.WEBHOOK_SECRETS]
    event_id = signatures.verify(headers=headers, body=body, keys=keys, now=now)
    said = _read(body)
    named = set(_texts(said, depth=_DEEPEST))
    type = said.get("type")
    if not (isinstance(type, str) and _is_plain(type)):
        type = ""
    with transaction.atomic():
        payment_ids = _payments(named)
        kept = rows.insert(
            InboundEvent(
                source=SOURCE,
                event_id=event_id,
                type=type[:80],
                payments=len(payment_ids),
                received_at=now,
            )
        )
        if not kept:
            return 0
        for id in payment_ids:
            Payment.objects.filter(id=id, due_at__gt=now).update(due_at=now)
            hints.advance(id)
    return len(payment_ids)


def _read(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed("not JSON") from error
    if not isinstance(said, dict):
        raise Malformed("not an object")
    return said


def _texts(value: object, *, depth: int) -> Iterator[str]:
    """Every text in it, whatever it is called: each service has other names for the same."""
    if isinstance(value, str):
        if len(value) <= _LONGEST_VALUE and _is_plain(value):
            yield value
    elif depth > 0 and isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each, depth=depth - 1)


def _is_plain(text: str) -> bool:
    # Ids and URLs are. What a database cannot keep, such as NUL or half a character, is not.
    return text.isascii() and text.isprintable()


def _payments(named: set[str]) -> list[UUID]:
    """The payments that are not over and have one of these as their id or at a wallet."""
    texts = sorted(named)[:_MOST_VALUES]
    ids = [key for key in map(_as_uuid, texts) if key is not None]
    urls = [text for text in texts if text.startswith(("https://", "http://"))]
    found = (
        Payment.objects.filter(
            Q(id__in=ids)
            | Q(attempts__incoming_payment_url__in=urls)
            | Q(attempts__outgoing_payment_url__in=urls)
        )
        .exclude(due_at=None)
        .order_by("id")
        .values_list("id", flat=True)
        .distinct()
    )
    return list(found)


def _as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None
