"""Celery's doors into the workflow. A task is a hint: the row decides, losing one costs a tick."""

import logging
import random
from uuid import UUID

from celery import shared_task

from backend.clock import SYSTEM_CLOCK
from backend.payments import claims, workflow
from backend.payments.models import Payment
from backend.payments.wallets import wallet_client

log = logging.getLogger(__name__)

BATCH = 10
# Only for the pauses between tries; nothing secret comes from it.
RNG = random.Random()  # noqa: S311


@shared_task(ignore_result=True)
def advance_payment(*, payment_id: str) -> None:
    """Look at this payment now, if it is due and nobody else does. Safe to lose and to repeat."""
    for payment in claims.claim_due(now=SYSTEM_CLOCK.now(), limit=1, only=UUID(payment_id)):
        advance(payment)


@shared_task(ignore_result=True)
def advance_due() -> None:
    """The tick: look at every payment that is due. Safe to lose, to repeat and to run at once."""
    pump()


def pump() -> int:
    """Claim and advance a batch of due payments; return how many there were."""
    payments = claims.claim_due(now=SYSTEM_CLOCK.now(), limit=BATCH)
    for payment in payments:
        advance(payment)
    return len(payments)


def advance(payment: Payment) -> None:
    """Advance one claimed payment; a bug is logged and the payment put back, never failed."""
    try:
        workflow.advance(payment, client=wallet_client(), clock=SYSTEM_CLOCK, rng=RNG)
    except Exception:
        log.exception("payment %s could not be advanced", payment.id)
        claims.put_back(payment, now=SYSTEM_CLOCK.now())
