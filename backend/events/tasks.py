"""Celery's door into the retention of events."""

from celery import shared_task

from backend.clock import SYSTEM_CLOCK
from backend.events import retention
from backend.pumps import nightly


@nightly
@shared_task(ignore_result=True)
def delete_old_events() -> None:
    """Delete what is past its retention. Safe to lose and to repeat."""
    retention.delete_old_events(now=SYSTEM_CLOCK.now())
