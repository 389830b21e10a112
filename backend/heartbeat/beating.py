"""Writing and reading heartbeats."""

import os
import time
from datetime import datetime, timedelta

from backend.heartbeat.models import Heartbeat

# The look for due payments, whether Celery's beat asked for it or `manage.py pump` does it.
TICK = "tick"
# A tick comes four times a second; its row need not.
WRITE_EVERY_SECONDS = 2.0

_written: dict[tuple[int, str], float] = {}


def beat(name: str, *, now: datetime) -> None:
    """Note that `name` is at work. Cheap: a process writes every WRITE_EVERY_SECONDS at most."""
    key = (os.getpid(), name)
    moment = time.monotonic()
    if moment - _written.get(key, float("-inf")) < WRITE_EVERY_SECONDS:
        return
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=name, at=now)],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["at"],
    )
    _written[key] = moment


def age(name: str, *, now: datetime) -> timedelta | None:
    """How long ago `name` was last at work; None when it never was."""
    at = Heartbeat.objects.filter(name=name).values_list("at", flat=True).first()
    return None if at is None else now - at
