"""Who works on a payment or a held grant: the lease, the fence, and what is due.

Any number of hints, ticks and pumps may call these at once. A claim raises the row's fence;
every later write of the claimant carries it, so a worker that was paused past its lease writes
nothing (`LostRace`).
"""

from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from backend.known import is_known
from backend.payments.models import HeldGrant, Payment
from backend.telemetry import metrics

Row = TypeVar("Row", Payment, HeldGrant)


def claim_due(
    model: type[Row], *, now: datetime, limit: int, only: UUID | None = None
) -> list[Row]:
    """Take at most `limit` due rows, oldest first, for LEASE_S seconds.

    `only` narrows it to one row. Rows that another worker is taking, or whose lock is held
    around a call that must not be repeated, are passed over, never waited for.
    """
    lease_until = now + timedelta(seconds=settings.LEASE_S)
    with transaction.atomic():
        due = model._default_manager.filter(is_known(model.STATUSES), due_at__lte=now).filter(
            Q(lease_until=None) | Q(lease_until__lt=now)
        )
        if only:
            due = due.filter(id=only)
        # SQLite ignores the lock; its IMMEDIATE transactions already let one writer in at a time.
        claimed = list(
            due.select_related(*model.QUEUE_JOINS)
            .order_by("due_at")
            .select_for_update(skip_locked=True, no_key=True, of=("self",))[:limit]
        )
        if claimed:
            model._default_manager.filter(id__in=[row.id for row in claimed]).update(
                fence=F("fence") + 1, lease_until=lease_until
            )
    if left_behind := sum(row.lease_until is not None for row in claimed):
        metrics.LEASES_EXPIRED.labels(model.__name__).inc(left_behind)
    for row in claimed:
        row.fence, row.lease_until = row.fence + 1, lease_until
    return claimed


def claim_idle(payment: Payment, *, now: datetime) -> bool:
    """Take a payment that waits, though it is not due; False: somebody works on it, or is to.

    The caller holds the row's lock, and ends or releases the claim in the same transaction.
    Refreshes the fence of `payment`.
    """
    idle = Payment.objects.filter(
        is_known(Payment.STATUSES), id=payment.id, fence=payment.fence, due_at__gt=now
    )
    lease_until = now + timedelta(seconds=settings.LEASE_S)
    if not idle.filter(Q(lease_until=None) | Q(lease_until__lt=now)).update(
        fence=F("fence") + 1, lease_until=lease_until
    ):
        return False
    payment.fence, payment.lease_until = payment.fence + 1, lease_until
    return True


def put_back(row: Payment | HeldGrant, *, now: datetime) -> None:
    """Release a claim after an unforeseen error; the row is due again after a pause."""
    pause = timedelta(seconds=min(2.0 * 1.6 ** min(row.tries, 12), 600))
    type(row)._default_manager.filter(id=row.id, fence=row.fence).update(
        lease_until=None, due_at=now + pause, tries=F("tries") + 1
    )
