"""Celery's doors into the workflow. A task is a hint: the row decides, losing one costs a tick."""

import logging
import random
import time
from uuid import UUID

from celery import shared_task
from django.conf import settings

from backend.clock import SYSTEM_CLOCK
from backend.payments import claims, workflow
from backend.payments.models import Payment
from backend.payments.wallets import wallet_client

log = logging.getLogger(__name__)

BATCH = 20
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
    """Claim and advance due payments, one after the other, for a while; return how many."""
    started = time.monotonic()
    done = 0
    while done < BATCH and time.monotonic() - started < settings.LEASE_S:
        # One at a time: a claim that waits for its turn in here would only lose its lease.
        claimed = claims.claim_due(now=SYSTEM_CLOCK.now(), limit=1)
        if not claimed:
            break
        advance(claimed[0])
        done += 1
    return done


def advance(payment: Payment) -> None:
    """Advance one claimed payment; a bug is logged and the payment put back, never failed."""
    try:
        workflow.advance(payment, client=wallet_client(), clock=SYSTEM_CLOCK, rng=RNG)
    except Exception:
        log.exception("payment %s could not be advanced", payment.id)
        claims.put_back(payment, now=SYSTEM_CLOCK.now())
