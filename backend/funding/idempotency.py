"""The same request twice has one effect and one answer."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from backend.accounts.models import User
from backend.errors import ErrorCode, FaenaError
from backend.funding.models import IdempotencyKey

KEPT_FOR = timedelta(days=30)


class IdempotencyConflict(FaenaError):
    """This key was used before with another input."""

    code = ErrorCode.IDEMPOTENCY_CONFLICT

    def __init__(self) -> None:
        super().__init__(
            "This idempotencyKey was used before with other input. Use a new UUID for a new "
            "request.",
            path=("idempotencyKey",),
        )


def once(
    *,
    caller: User,
    operation: str,
    key: UUID,
    inputs: dict[str, object],
    now: datetime,
    execute: Callable[[], UUID],
) -> UUID:
    """Run `execute` once per (caller, operation, key) and return the id it returned, every time.

    `execute` runs in the transaction that stores the key: if it raises, the key is free again.
    Fifty parallel callers wait for the first and get its result. No network call in there.

    Raises:
        IdempotencyConflict: the key was used with other `inputs`.
    """
    fingerprint = hashlib.sha256(
        json.dumps(inputs, sort_keys=True, default=str).encode()
    ).hexdigest()
    with transaction.atomic():
        row = IdempotencyKey(
            caller=caller, operation=operation, key=key, fingerprint=fingerprint, created_at=now
        )
        # A twin's insert waits here on the unique index until the first commits or rolls back.
        IdempotencyKey.objects.bulk_create([row], ignore_conflicts=True)
        stored = IdempotencyKey.objects.select_for_update().get(
            caller=caller, operation=operation, key=key
        )
        if stored.fingerprint != fingerprint:
            raise IdempotencyConflict
        if stored.result_id is None:
            stored.result_id = execute()
            stored.save(update_fields=["result_id"])
        return stored.result_id


def forget_old_keys(*, now: datetime) -> int:
    """Delete the keys older than KEPT_FOR; return how many there were. Safe to repeat."""
    deleted, _ = IdempotencyKey.objects.filter(created_at__lt=now - KEPT_FOR).delete()
    return deleted
