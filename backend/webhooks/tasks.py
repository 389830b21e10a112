"""Celery's doors: what has happened goes out, and what is old is forgotten."""

import logging
import random
from datetime import timedelta

from celery import shared_task

from backend.clock import SYSTEM_CLOCK, Clock
from backend.crew import Crew
from backend.events.relay import relay
from backend.pumps import nightly, pumped
from backend.webhooks import claims, retention
from backend.webhooks.sending import deliver, webhook_client

log = logging.getLogger(__name__)

# Only for the pauses between tries; nothing secret comes from it.
RNG = random.Random()  # noqa: S311
AFTER_A_BUG = timedelta(minutes=1)


@shared_task(ignore_result=True)
def deliver_due() -> None:
    """The tick: put down what has happened, and have it brought. Safe to lose and to repeat."""
    relay(now=SYSTEM_CLOCK.now())
    CREW.wake()


@nightly
@shared_task(ignore_result=True)
def forget_old() -> None:
    """Delete what is past its retention. Safe to lose and to repeat."""
    retention.forget_old(now=SYSTEM_CLOCK.now())


def bring_one(*, clock: Clock = SYSTEM_CLOCK) -> bool:
    """Bring one delivery that is due, here and now; False: there is none."""
    for delivery in claims.claim_due(now=clock.now(), limit=1):
        try:
            deliver(delivery, client=webhook_client(), clock=clock, rng=RNG)
        except Exception:
            log.exception("%s could not be brought", delivery)
            claims.put_back(delivery, due_at=clock.now() + AFTER_A_BUG)
        return True
    return False


def bring_all(*, clock: Clock = SYSTEM_CLOCK) -> int:
    """Relay, and bring everything that is due, one after the other; return how many."""
    relay(now=clock.now())
    brought = 0
    while bring_one(clock=clock):
        brought += 1
    return brought


CREW = Crew(bring_one, name="webhooks")


@pumped
def pump_webhooks(loop: bool) -> int:
    """What `manage.py pump` does of it. In a loop nobody's payment waits for an endpoint."""
    if not loop:
        return bring_all()
    deliver_due()
    return 0
