"""`manage.py delete_old_events`: run it daily."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from backend.clock import SYSTEM_CLOCK
from backend.events.retention import EVENT_RETENTION_DAYS, delete_old_events


class Command(BaseCommand):
    help = "Delete events that no client may resume from any more."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=EVENT_RETENTION_DAYS)

    def handle(self, *args: Any, **options: Any) -> None:
        deleted = delete_old_events(now=SYSTEM_CLOCK.now(), keep_days=options["days"])
        self.stdout.write(f"{deleted} events deleted.")
