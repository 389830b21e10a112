"""manage.py write_off: end what a worker is owed for a job and will never be paid."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from backend.clock import SYSTEM_CLOCK
from backend.funding.writing_off import CannotBeWrittenOff, write_off


class Command(BaseCommand):
    """Write off all that is owed to a worker for one job, because they or the payer are gone.

    The job goes on without it, and what it was promised out of goes back to the payer. First try to
    have it paid: retryPayment, renewGrant by the payer, or pay_elsewhere. Nothing takes this back.
    """

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("application", type=UUID, help="the worker's application for the job")
        parser.add_argument(
            "--is-held",
            action="store_true",
            help="you have seen in the treasury's statement that all of it is there",
        )

    def handle(self, *, application: UUID, is_held: bool, **options: Any) -> None:
        now = SYSTEM_CLOCK.now()
        try:
            amount = write_off(application_id=application, is_held=is_held, now=now)
        except CannotBeWrittenOff as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"written off: {amount}")
