"""Celery's doors into the registry of sellers and the keys of money mutations."""

from celery import shared_task

from backend.accounts import idempotency
from backend.clock import SYSTEM_CLOCK
from backend.funding import sellers


@shared_task(ignore_result=True)
def register_default_seller() -> None:
    """Register the seller that the environment names. Safe to lose and to repeat."""
    sellers.register_default_seller(now=SYSTEM_CLOCK.now())


@shared_task(ignore_result=True)
def forget_old_keys() -> None:
    """Delete idempotency keys past their retention. Safe to lose and to repeat."""
    idempotency.forget_old_keys(now=SYSTEM_CLOCK.now())
