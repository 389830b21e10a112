"""The heartbeat: proof that the clock, the broker, a worker and the database work together."""

import time
from datetime import datetime

from celery import shared_task

from backend.clock import SYSTEM_CLOCK
from backend.monitoring.models import Heartbeat
from backend.pumps import pumped

TICK = "tick"
EVERY_SECONDS = 2.0

_beaten_at = float("-inf")


@shared_task(ignore_result=True)
def beat_heart() -> None:
    """Write down that there was a tick. Safe to lose and to repeat."""
    beat(now=SYSTEM_CLOCK.now())


def beat(*, now: datetime) -> None:
    """Move the heartbeat to `now`."""
    Heartbeat.objects.update_or_create(name=TICK, defaults={"at": now})


@pumped
def pump_heart(loop: bool) -> int:
    """What `manage.py pump --loop` does of it: it is the tick where there is no Celery."""
    global _beaten_at
    if loop and time.monotonic() - _beaten_at >= EVERY_SECONDS:
        _beaten_at = time.monotonic()
        beat(now=SYSTEM_CLOCK.now())
    return 0
