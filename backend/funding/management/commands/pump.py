import time
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import close_old_connections

from backend import checks
from backend.clock import SYSTEM_CLOCK
from backend.crew import Crew
from backend.errors import FaenaError
from backend.files.sweeping import sweep
from backend.funding.fees import register_fee_wallets
from backend.funding.paying import retry_due
from backend.funding.reminding import remind_of_consents
from backend.funding.sellers import register_default_seller
from backend.funding.treasury import register_treasury
from backend.jobs.clock import pass_time
from backend.payments.tasks import pump
from backend.pumps import PUMPS, Nights, work_of_the_night
from backend.telemetry import context
from backend.telemetry.exporting import export_traces
from backend.telemetry.serving import serve_metrics

# At least so often; of payments and the like the rows say when they are due.
JOBS_EVERY_S = 60.0
FILES_EVERY_S = 600.0
PAYEES_EVERY = timedelta(minutes=1)


class Behind:
    """What a loop does behind its rounds, on threads of its own: payments do not wait for it."""

    def __init__(self, register_payees: Callable[[], bool], *, now: datetime) -> None:
        self._payees = Crew(register_payees, name="payees", threads=1)
        self._night = Crew(work_of_the_night, name="night", threads=1)
        self._payees_due_at = now + PAYEES_EVERY
        self._nights = Nights(now=now)

    def wake(self, *, now: datetime) -> None:
        """Have begun what is due; returns at once."""
        if now >= self._payees_due_at:
            self._payees_due_at = now + PAYEES_EVERY
            self._payees.wake()
        if self._nights.one_has_come(now=now):
            self._night.wake()


class Command(BaseCommand):
    help = (
        "Advance what is due of payments, jobs, webhooks, mails and files, without Celery or Redis."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--once", action="store_true", help="until nothing is due (the default)")
        how.add_argument("--loop", action="store_true", help="for ever, every TICK_S seconds")

    def handle(self, *, loop: bool, **options: Any) -> None:
        checks.refuse_unsafe_settings()
        context.process_is("pump")
        export_traces()
        serve_metrics()
        self._register_payees()
        behind = Behind(self._register_payees, now=SYSTEM_CLOCK.now())
        jobs_passed_at = -JOBS_EVERY_S
        files_swept_at = -FILES_EVERY_S
        while True:
            close_old_connections()
            done = pump() + retry_due(now=SYSTEM_CLOCK.now())
            if time.monotonic() - jobs_passed_at >= JOBS_EVERY_S:
                jobs_passed_at = time.monotonic()
                done += pass_time(now=SYSTEM_CLOCK.now())
                done += remind_of_consents(now=SYSTEM_CLOCK.now())
            if time.monotonic() - files_swept_at >= FILES_EVERY_S:
                files_swept_at = time.monotonic()
                sweep(now=SYSTEM_CLOCK.now())
            if loop:
                behind.wake(now=SYSTEM_CLOCK.now())
            done += sum(each(loop) for each in PUMPS)
            if done:
                self.stdout.write(f"advanced {done}")
            elif loop:
                time.sleep(settings.TICK_S)
            else:
                return

    def _register_payees(self) -> bool:
        for name, register in (
            ("default seller", register_default_seller),
            ("treasury", register_treasury),
            ("platform", register_fee_wallets),
        ):
            try:
                register(now=SYSTEM_CLOCK.now())
            except FaenaError as refusal:
                self.stderr.write(f"The {name}'s wallet cannot be read now: {refusal}")
        return False
