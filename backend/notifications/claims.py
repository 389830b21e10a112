"""Who sends what now.

A claim raises the mail's fence, lends it until `lease_until`, and is committed before anything is
sent. A mail server cannot be asked what it has taken: a mail whose sender died in between is sent
once more, and if that ends in the same way it is given up. So a mail that was sent and not marked
is sent twice at most, and none is lost without a row that says so.
"""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from backend.notifications.models import Mail
from backend.notifications.status import MailStatus

log = logging.getLogger(__name__)

# Well above what a mail server takes that answers every command at the last moment.
LEASE = timedelta(minutes=5)
MOST_BROKEN_OFF = 2


def claim_due(*, now: datetime) -> Mail | None:
    """Take the mail that is due the longest; None: there is none."""
    while _due(now).exists():
        with transaction.atomic():
            mail = (
                _due(now)
                .order_by("due_at", "id")
                .select_for_update(skip_locked=True, no_key=True)
                .first()
            )
            if mail is None:
                return None
            if _lend(mail, now):
                return mail
    return None


def _due(now: datetime) -> QuerySet[Mail]:
    return Mail.objects.filter(
        Q(lease_until=None) | Q(lease_until__lt=now),
        status=MailStatus.PENDING,
        due_at__lte=now,
    )


def _lend(mail: Mail, now: datetime) -> bool:
    """Lend it; False: it was broken off too often, and is given up."""
    if mail.lease_until is not None:
        mail.broken_off += 1
    mail.fence += 1
    gives_up = mail.broken_off >= MOST_BROKEN_OFF
    if gives_up:
        log.error("%s is given up: its sending was broken off again", mail)
        mail.status, mail.due_at, mail.lease_until = MailStatus.FAILED, None, None
        mail.ended_at = now
    else:
        mail.lease_until = now + LEASE
    mail.save(update_fields=["broken_off", "fence", "status", "due_at", "lease_until", "ended_at"])
    return not gives_up


def mine(mail: Mail) -> QuerySet[Mail]:
    """The row of a claimed mail, unless somebody else has it by now."""
    return Mail.objects.filter(id=mail.id, fence=mail.fence, status=MailStatus.PENDING)


def put_back(mail: Mail, *, due_at: datetime, **changes: int) -> None:
    """Release a claim, to be taken again from `due_at` on."""
    mine(mail).update(lease_until=None, due_at=due_at, **changes)


def end(mail: Mail, status: MailStatus, *, at: datetime, because: str = "") -> None:
    """Close a claimed mail, unless somebody else has it by now."""
    mine(mail).update(
        status=status, skipped_because=because, due_at=None, lease_until=None, ended_at=at
    )
