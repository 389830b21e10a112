"""Celery's doors: what has happened is mailed, and what is old is forgotten."""

import logging
from datetime import timedelta

from celery import shared_task
from django.conf import settings

from backend.clock import SYSTEM_CLOCK, Clock
from backend.crew import Crew
from backend.events.relay import relay
from backend.notifications import claims, retention
from backend.notifications.sending import send
from backend.pumps import nightly, pumped

log = logging.getLogger(__name__)

THREADS = 4
AFTER_A_BUG = timedelta(hours=1)


@shared_task(ignore_result=True)
def send_due() -> None:
    """The tick: put down what has happened, and have it mailed. Safe to lose and to repeat."""
    relay(now=SYSTEM_CLOCK.now())
    if settings.SENDS_MAIL:
        CREW.wake()


@nightly
@shared_task(ignore_result=True)
def forget_old() -> None:
    """Delete what is past its retention. Safe to lose and to repeat."""
    retention.forget_old(now=SYSTEM_CLOCK.now())


def send_one(*, clock: Clock = SYSTEM_CLOCK) -> bool:
    """Send one mail that is due, here and now; False: there is none."""
    mail = claims.claim_due(now=clock.now())
    if mail is None:
        return False
    try:
        send(mail, clock=clock)
    except Exception:
        log.exception("%s could not be sent", mail)
        claims.put_back(mail, due_at=clock.now() + AFTER_A_BUG)
    return True


def send_all(*, clock: Clock = SYSTEM_CLOCK) -> int:
    """Relay, and send everything that is due, one after the other; return how many."""
    relay(now=clock.now())
    sent = 0
    while settings.SENDS_MAIL and send_one(clock=clock):
        sent += 1
    return sent


CREW = Crew(send_one, name="mails", threads=THREADS)


@pumped
def pump_mails(loop: bool) -> int:
    """What `manage.py pump` does of it. In a loop nobody's payment waits for a mail server."""
    if not loop:
        return send_all()
    send_due()
    return 0
