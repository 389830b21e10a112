"""Celery's door into reconciliation."""

import logging
from datetime import timedelta
from functools import partial

from celery import shared_task
from django.db import transaction

from backend.best_effort import Courier
from backend.clock import SYSTEM_CLOCK
from backend.payments.wallets import wallet_client
from backend.pumps import nightly
from backend.reconciliation.reconciling import reconcile

log = logging.getLogger(__name__)
_courier = Courier("reconciliation-hints")

# Older ones are looked at when somebody asks for it: no receiver of theirs takes money any more.
NIGHTLY_DAYS = 35


@nightly
# It asks many wallets, one after the other.
@shared_task(ignore_result=True, time_limit=4 * 3600)
def reconcile_nightly() -> None:
    """Compare rows, books and wallets. Safe to lose, to repeat and to interrupt."""
    now = SYSTEM_CLOCK.now()
    report = reconcile(now=now, client=wallet_client(), since=now - timedelta(days=NIGHTLY_DAYS))
    if report.found:
        log.error("reconciliation found %s", dict(report.found))


def reconcile_soon() -> None:
    """After the current transaction commits, ask a worker to do the same now. Never blocks."""
    publish = partial(reconcile_nightly.apply_async, retry=False)
    transaction.on_commit(lambda: _courier.send(publish), robust=True)
