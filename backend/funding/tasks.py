"""Celery's door into the registry of sellers."""

from celery import shared_task

from backend.clock import SYSTEM_CLOCK
from backend.funding import sellers


@shared_task(ignore_result=True)
def register_default_seller() -> None:
    """Register the seller that the environment names. Safe to lose and to repeat."""
    sellers.register_default_seller(now=SYSTEM_CLOCK.now())
