"""`manage.py after_restore`: run it once on a restored database, before any worker starts."""

from argparse import ArgumentTypeError
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_datetime

from backend.clock import SYSTEM_CLOCK
from backend.payments import standstill


class Command(BaseCommand):
    help = "Have wallets asked what they know of each open payment before it goes on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since",
            type=_instant,
            metavar="2026-01-31T12:00:00Z",
            help="when the backup was taken (the database's last sign of life by default)",
        )

    def handle(self, *, since: datetime | None, **_: Any) -> None:
        since = since or standstill.last_at_work()
        if since is None:
            raise CommandError("Nobody was ever at work in this database: say --since when it is.")
        marked = standstill.mark_all(since=since, now=SYSTEM_CLOCK.now())
        self.stdout.write(
            f"Before they go on, wallets are asked about {marked} open payments, and about "
            f"whatever was owed already: what they know since {since.isoformat()}."
        )


def _instant(text: str) -> datetime:
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ArgumentTypeError(f"{text!r} is no instant with a time zone: 2026-01-31T12:00:00Z")
    return found
