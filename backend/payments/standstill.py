"""The machine stood still, and a backup may have been restored meanwhile.

A restored database lacks its last commits. It says so itself: the last look for due payments that
it knows of is long ago. A mere standstill looks the same and is treated the same, which costs each
open payment a few questions. See docs/decisions/0033-looked-up-after-a-standstill.md.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce, Least

from backend.heartbeat.beating import STOOD_STILL_AFTER, TICK, age
from backend.heartbeat.models import Heartbeat
from backend.payments import claims
from backend.payments.models import Payment
from backend.payments.status import IN_FLIGHT, TERMINAL

# Standstills closer together than this count as one: what is owed may be older than the last.
REMEMBERED_FOR = timedelta(days=30)


def claim_due(*, now: datetime, limit: int, only: UUID | None = None) -> list[Payment]:
    """Claim due payments as `claims` does, and none that a standstill has yet to mark."""
    notice(now=now)
    with transaction.atomic():
        claimed = claims.claim_due(Payment, now=now, limit=limit, only=only)
        # A backup may have been restored since the notice. It cannot be now: tables whose rows
        # are locked are not replaced.
        if claimed and _is_silent(now):
            transaction.set_rollback(True)
            return []
    return claimed


def notice(*, now: datetime) -> bool:
    """Mark what has to be looked up, if nobody was at work for long; call it before any claim.

    Cheap: one row is read. Safe to repeat and to run at once.
    """
    if not _is_silent(now):
        return False
    with transaction.atomic():
        # Of workers that start together one marks. The others wait for the row here, or they see
        # the new beat, which is committed with the marks: nobody claims between the two.
        last = Heartbeat.objects.select_for_update().get(name=TICK)
        if now - last.at < STOOD_STILL_AFTER:
            return False
        _mark(last, since=last.at, now=now)
    return True


def mark_all(*, since: datetime, now: datetime) -> int:
    """Have wallets asked about everything open that they may have been told about after `since`.

    Returns how many payments that are. Repeating is harmless.
    """
    with transaction.atomic():
        Heartbeat.objects.get_or_create(name=TICK, defaults={"at": now})
        last = Heartbeat.objects.select_for_update().get(name=TICK)
        return _mark(last, since=since, now=now)


def look_up_since(owed_since: datetime | None) -> datetime | None:
    """From when on wallets may know a payment for what is owed since then; None: from never."""
    if owed_since is None:
        return None
    until, since = _last_standstill()
    return since if until and until >= owed_since else None


def _last_standstill() -> tuple[datetime | None, datetime | None]:
    """Its end and its beginning, which do not change before the caller's transaction is over.

    A payment that is committed just after the marking would else have no mark. Beats, which change
    no key, go on meanwhile. SQLite lets one writer in at a time, and needs no such lock.
    """
    table = Heartbeat._meta.db_table
    lock = " FOR KEY SHARE" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT name FROM {table} WHERE name = %s{lock}", [TICK])  # noqa: S608
    times = Heartbeat.objects.filter(name=TICK).values_list
    return times("stood_still_until", "stood_still_from").first() or (None, None)


def _is_silent(now: datetime) -> bool:
    silent = age(TICK, now=now)
    return silent is not None and silent >= STOOD_STILL_AFTER


def last_at_work() -> datetime | None:
    """When somebody last looked for due payments, as far as this database knows."""
    return Heartbeat.objects.filter(name=TICK).values_list("at", flat=True).first()


def to_look_up() -> int:
    """How many payments have wallets asked before they go on."""
    return Payment.objects.exclude(look_up_since=None).exclude(due_at=None).count()


def noticed_at() -> datetime | None:
    """When the last standstill was over; None: there was none."""
    return Heartbeat.objects.filter(name=TICK).values_list("stood_still_until", flat=True).first()


def _mark(last: Heartbeat, *, since: datetime, now: datetime) -> int:
    earlier, until = last.stood_still_from, last.stood_still_until
    if earlier and until and until > now - REMEMBERED_FOR:
        since = min(since, earlier)
    Heartbeat.objects.filter(name=TICK).update(
        at=now, stood_still_from=since, stood_still_until=now
    )
    # The fence sends away whoever had a payment in hand, and does not know of the mark. What is in
    # flight is marked too, for when its order proves to be dead and another one is to be given.
    open_now = Payment.objects.exclude(status__in=sorted(TERMINAL)).exclude(due_at=None)
    marked = open_now.update(
        look_up_since=Least(Coalesce("look_up_since", Value(since)), Value(since)),
        fence=F("fence") + 1,
        lease_until=None,
    )
    # The rest is looked up at once: who decides about a consent may have done so long ago.
    open_now.exclude(status__in=sorted(IN_FLIGHT)).filter(due_at__gt=now).update(due_at=now)
    return marked
