"""The same request twice has one effect and one answer."""

import hashlib
import json
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from backend import rows
from backend.accounts.models import IdempotencyKey, User
from backend.errors import ErrorCode, FaenaError

KEPT_FOR = timedelta(days=30)


class IdempotencyConflict(FaenaError):
    """This key was used before with another input."""

    code = ErrorCode.IDEMPOTENCY_CONFLICT

    def __init__(self) -> None:
        super().__init__(
            _(
                "This idempotencyKey was used before with other input. Use a new UUID for a new "
                "request."
            ),
            path=("idempotencyKey",),
        )


def claim(
    *,
    caller: User,
    operation: str,
    key: UUID,
    inputs: dict[str, object],
    result_id: UUID,
    now: datetime,
) -> UUID | None:
    """Keep `result_id` as the answer to (caller, operation, key), and return None: go on.

    A key that has its answer already returns that one, and nothing is to be done.

    Call it first in the transaction that makes the result: a rollback frees the key. Fifty
    parallel callers wait here for the first and get its answer.

    Raises:
        IdempotencyConflict: the key was used with other `inputs`.
    """
    fingerprint = hashlib.sha256(
        json.dumps(inputs, sort_keys=True, default=str).encode()
    ).hexdigest()
    mine = IdempotencyKey(
        caller=caller,
        operation=operation,
        key=key,
        fingerprint=fingerprint,
        result_id=result_id,
        created_at=now,
    )
    if rows.insert(mine):
        return None
    kept = IdempotencyKey.objects.get(caller=caller, operation=operation, key=key)
    if kept.fingerprint != fingerprint:
        raise IdempotencyConflict
    return kept.result_id


def forget_old_keys(*, now: datetime) -> int:
    """Delete the keys older than KEPT_FOR; return how many there were. Safe to repeat."""
    deleted, _ = IdempotencyKey.objects.filter(created_at__lt=now - KEPT_FOR).delete()
    return deleted
