"""Celery's door into the sweep."""

from celery import shared_task

from backend.clock import SYSTEM_CLOCK
from backend.files import sweeping


@shared_task(ignore_result=True)
def sweep_files() -> None:
    """Delete the files whose time has come. Safe to lose and to repeat."""
    sweeping.sweep(now=SYSTEM_CLOCK.now())
