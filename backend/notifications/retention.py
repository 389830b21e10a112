"""Forgetting: the log is kept as long as the events it is about."""

from datetime import datetime, timedelta

from backend.events.retention import EVENT_RETENTION_DAYS
from backend.notifications.models import Mail

KEPT_FOR = timedelta(days=EVENT_RETENTION_DAYS)


def forget_old(*, now: datetime) -> int:
    """Delete mails about what happened longer ago than KEPT_FOR; return how many."""
    forgotten, _ = Mail.objects.filter(event_at__lt=now - KEPT_FOR).delete()
    return forgotten
