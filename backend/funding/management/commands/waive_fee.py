"""manage.py waive_fee: let a funding end whose fee is not to be had."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from backend.clock import SYSTEM_CLOCK
from backend.funding.settling import waive_fee


class Command(BaseCommand):
    """Give up the platform's fee of a funding that nobody is paying just now.

    What the treasury holds of it stays there as the platform's; what was only consented to is not
    taken.
    """

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("funding", type=UUID, help="the funding's UUID, as the admin shows it")

    def handle(self, *, funding: UUID, **options: Any) -> None:
        waived = waive_fee(funding_id=funding, now=SYSTEM_CLOCK.now())
        if not waived:
            raise CommandError(f"No fee of funding {funding} is owed without being paid just now.")
        self.stdout.write(f"given up: {waived}")
