"""Celery's doors into the registry of payees, what is owed, and the keys of money mutations."""

from celery import shared_task

from backend.accounts import idempotency
from backend.clock import SYSTEM_CLOCK
from backend.funding import fees, paying, reminding, sellers, treasury
from backend.pumps import nightly


@shared_task(ignore_result=True)
def register_default_seller() -> None:
    """Register the seller that the environment names. Safe to lose and to repeat."""
    sellers.register_default_seller(now=SYSTEM_CLOCK.now())


@shared_task(ignore_result=True)
def register_treasury() -> None:
    """Register the treasury that the environment names. Safe to lose and to repeat."""
    treasury.register_treasury(now=SYSTEM_CLOCK.now())


@shared_task(ignore_result=True)
def register_fee_wallets() -> None:
    """Register the fee wallets that the environment names. Safe to lose and to repeat."""
    fees.register_fee_wallets(now=SYSTEM_CLOCK.now())


@shared_task(ignore_result=True)
def retry_due_payments() -> None:
    """Begin again what is owed and whose pause is over. Safe to lose, to repeat, at once."""
    paying.retry_due(now=SYSTEM_CLOCK.now())


@shared_task(ignore_result=True)
def remind_of_consents() -> None:
    """Tell payers whose consent ends soon. Safe to lose, to repeat, at once."""
    reminding.remind_of_consents(now=SYSTEM_CLOCK.now())


@nightly
@shared_task(ignore_result=True)
def forget_old_keys() -> None:
    """Delete idempotency keys past their retention. Safe to lose and to repeat."""
    idempotency.forget_old_keys(now=SYSTEM_CLOCK.now())
