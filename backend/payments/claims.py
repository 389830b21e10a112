"""Who works on a payment: the lease, the fence, and what is due.

Any number of hints, ticks and pumps may call these at once. A claim raises the payment's fence;
every later write of the claimant carries it, so a worker that was paused past its lease writes
nothing (`LostRace`).
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from backend.payments.models import Payment


def claim_due(*, now: datetime, limit: int, only: UUID | None = None) -> list[Payment]:
    """Take at most `limit` due payments, oldest first, for LEASE_S seconds.

    `only` narrows it to one payment. Rows that another worker is taking, or whose lock is held
    around a call that must not be repeated, are passed over, never waited for.
    """
    lease_until = now + timedelta(seconds=settings.LEASE_S)
    with transaction.atomic():
        due = Payment.objects.filter(due_at__lte=now).filter(
            Q(lease_until=None) | Q(lease_until__lt=now)
        )
        if only:
            due = due.filter(id=only)
        # SQLite ignores the lock; its IMMEDIATE transactions already let one writer in at a time.
        claimed = list(
            due.select_related("sender", "receiver")
            .order_by("due_at")
            .select_for_update(skip_locked=True, no_key=True, of=("self",))[:limit]
        )
        if claimed:
            Payment.objects.filter(id__in=[payment.id for payment in claimed]).update(
                fence=F("fence") + 1, lease_until=lease_until
            )
    for payment in claimed:
        payment.fence, payment.lease_until = payment.fence + 1, lease_until
    return claimed


def put_back(payment: Payment, *, now: datetime) -> None:
    """Release a claim after an unforeseen error; the payment is due again after a pause."""
    pause = timedelta(seconds=min(2.0 * 1.6 ** min(payment.tries, 12), 600))
    Payment.objects.filter(id=payment.id, fence=payment.fence).update(
        lease_until=None, due_at=now + pause, tries=F("tries") + 1
    )
