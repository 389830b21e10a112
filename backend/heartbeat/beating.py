"""Writing and reading heartbeats."""

import os
import time
from datetime import datetime, timedelta

from backend.heartbeat.models import Heartbeat

# The look for due payments, whether Celery's beat asked for it or `manage.py pump` does it.
TICK = "tick"
# Not for ever at work: the last time that it came to its end, with the wallets asked.
RECONCILIATION = "reconciliation"
# A tick comes four times a second; its row need not.
WRITE_EVERY_SECONDS = 2.0
# Silence longer than this is no pause: nobody was at work, or a backup was restored meanwhile.
STOOD_STILL_AFTER = timedelta(seconds=60)

_written: dict[tuple[int, str], float] = {}


def beat(name: str, *, now: datetime) -> None:
    """Note that `name` is at work. Cheap: a process writes every WRITE_EVERY_SECONDS at most.

    It never covers a standstill up: whoever notices that renews the beat, and acts on it.
    """
    key = (os.getpid(), name)
    moment = time.monotonic()
    if moment - _written.get(key, float("-inf")) < WRITE_EVERY_SECONDS:
        return
    going_on = Heartbeat.objects.filter(name=name, at__gt=now - STOOD_STILL_AFTER)
    if not going_on.update(at=now):
        Heartbeat.objects.bulk_create([Heartbeat(name=name, at=now)], ignore_conflicts=True)
    _written[key] = moment


def finished(name: str, *, now: datetime) -> None:
    """Note that `name`, which is at work only now and then, came to its end. May be repeated."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": now})


def age(name: str, *, now: datetime) -> timedelta | None:
    """How long ago `name` was last at work; None when it never was."""
    at = Heartbeat.objects.filter(name=name).values_list("at", flat=True).first()
    return None if at is None else now - at
