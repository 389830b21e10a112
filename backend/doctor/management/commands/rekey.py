"""`manage.py rekey`: a new key for secrets at rest; docs/rotations.md has the steps."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from backend.encryption import CannotDecrypt
from backend.sealed import BATCH, count_by_key, keys_in_ring, seal_again


class Command(BaseCommand):
    help = "Seal everything with the first key of ENCRYPTION_KEYS; exit 1 if anything is not."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", type=int, default=BATCH, help="values in one transaction")
        parser.add_argument("--count", action="store_true", help="only say what each key sealed")

    def handle(self, *, batch: int, count: bool, **_: Any) -> None:
        if batch < 1:
            raise CommandError("A batch has at least one value.")
        if not count:
            self._seal_again(batch)
        newest, counts = keys_in_ring()[0], count_by_key()
        for kid in dict.fromkeys([*keys_in_ring(), *sorted(counts)]):
            self.stdout.write(f"{kid} seals {counts[kid]}")
        if left := sum(number for kid, number in counts.items() if kid != newest):
            raise CommandError(f"{left} values are not sealed with {newest}: keep the other keys.")
        self.stdout.write(f"Nothing is left of the keys behind {newest}: they can be removed.")

    def _seal_again(self, batch: int) -> None:
        try:
            done = sum(seal_again(batch=batch))
        except CannotDecrypt as error:
            raise CommandError(f"{error} Put the key that sealed it back into the ring.") from error
        self.stdout.write(f"{done} values were sealed again.")
