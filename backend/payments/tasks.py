"""Celery's doors into the workflow. A task is a hint: the row decides, losing one costs a tick."""

import logging
import random
import time
from collections.abc import Iterator
from uuid import UUID

from celery import shared_task
from django.conf import settings

from backend.clock import SYSTEM_CLOCK
from backend.heartbeat.beating import TICK, beat
from backend.payments import claims, standstill, vault, workflow
from backend.payments.models import HeldGrant, Payment
from backend.payments.wallets import wallet_client
from backend.telemetry import context, metrics, traces

log = logging.getLogger(__name__)

BATCH = 20
# Only for the pauses between tries; nothing secret comes from it.
RNG = random.Random()  # noqa: S311


@shared_task(ignore_result=True)
def advance_payment(*, payment_id: str) -> None:
    """Look at this payment now, if it is due and nobody else does. Safe to lose and to repeat."""
    now = SYSTEM_CLOCK.now()
    for payment in standstill.claim_due(now=now, limit=1, only=UUID(payment_id)):
        advance(payment)


@shared_task(ignore_result=True)
def advance_held_grant(*, held_grant_id: str) -> None:
    """Look at this held grant now, if it is due and nobody else does. Safe to lose and repeat."""
    for held_grant in claims.claim_due(
        HeldGrant, now=SYSTEM_CLOCK.now(), limit=1, only=UUID(held_grant_id)
    ):
        advance(held_grant)


@shared_task(ignore_result=True)
def advance_due() -> None:
    """The tick: look at everything that is due. Safe to lose, to repeat and to run at once."""
    pump()


def pump() -> int:
    """Claim and advance what is due, one after the other, for a while; return how many."""
    started = time.monotonic()
    done = 0
    while done < BATCH and time.monotonic() - started < settings.LEASE_S:
        now = SYSTEM_CLOCK.now()
        standstill.notice(now=now)
        beat(TICK, now=now)
        before = done
        for row in _one_of_each():
            advance(row)
            done += 1
        if done == before:
            break
    return done


def _one_of_each() -> Iterator[Payment | HeldGrant]:
    # Claimed when its turn comes: a claim that waits in here would only lose its lease.
    # Grants first: payments wait for their tokens.
    yield from claims.claim_due(HeldGrant, now=SYSTEM_CLOCK.now(), limit=1)
    yield from standstill.claim_due(now=SYSTEM_CLOCK.now(), limit=1)


def advance(row: Payment | HeldGrant) -> None:
    """Advance what was claimed; a bug is logged and the row put back, never failed."""
    name = "payment_id" if isinstance(row, Payment) else "held_grant_id"
    with (
        context.about(**{name: row.id}, reference=row.reference, funding_id=None),
        metrics.ADVANCES.labels(type(row).__name__).time(),
        traces.story_of(row.id, f"advance {type(row).__name__}", **{name: row.id}),
    ):
        try:
            if isinstance(row, Payment):
                workflow.advance(row, client=wallet_client(), clock=SYSTEM_CLOCK, rng=RNG)
            else:
                vault.advance(row, client=wallet_client(), clock=SYSTEM_CLOCK, rng=RNG)
        except Exception:
            log.exception("%s could not be advanced", row)
            claims.put_back(row, now=SYSTEM_CLOCK.now())
