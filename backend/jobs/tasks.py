"""Celery's door into what time does to jobs."""

from celery import shared_task

from backend.clock import SYSTEM_CLOCK
from backend.jobs import clock


@shared_task(ignore_result=True)
def pass_time() -> None:
    """Move what is due. Safe to lose, to repeat and to run at once."""
    clock.pass_time(now=SYSTEM_CLOCK.now())
