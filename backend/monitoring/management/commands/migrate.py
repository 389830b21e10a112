"""`manage.py migrate` beside processes that work: it gives way to them, and tries again.

Changing a table waits until nobody uses it, and whoever comes meanwhile waits behind that: one
payment that is locked for a slow wallet would stop all others. And what has locked one table and
waits for the next one gets into a deadlock, for which PostgreSQL may end somebody else's request.
"""

import random
import time
from typing import Any

from django.core.management.commands import migrate
from django.db import OperationalError, connections
from django.db.migrations.migration import Migration
from psycopg import errors

# Well below PostgreSQL's `deadlock_timeout` of a second, after which it ends one of those involved.
LOCK_TIMEOUT_MS = 200
PATIENCE_SECONDS = 300.0
PAUSE_SECONDS = (0.3, 1.0)


class Command(migrate.Command):
    """Django's own, except that no lock is waited for long: it is rolled back, and done again."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate, for at most PATIENCE_SECONDS.

        Raises:
            OperationalError: there was never a moment for it; what is done stays done.
        """
        self._connection = connections[options["database"]]
        gives_up_at = time.monotonic() + PATIENCE_SECONDS
        try:
            while not self._tried(*args, last=time.monotonic() > gives_up_at, **options):
                self.stdout.write(" in use, again")
                time.sleep(random.uniform(*PAUSE_SECONDS))  # noqa: S311 - nobody guesses it
        finally:
            self._wait_for_locks(0)

    def _tried(self, *args: Any, last: bool, **options: Any) -> bool:
        try:
            super().handle(*args, **options)
        except OperationalError as error:
            busy = isinstance(error.__cause__, (errors.LockNotAvailable, errors.DeadlockDetected))
            if last or not busy:
                raise
            return False
        return True

    def migration_progress_callback(
        self, action: str, migration: Migration | None = None, fake: bool = False
    ) -> None:
        """Before each migration. One without a transaction could not be repeated."""
        if migration and action in {"apply_start", "unapply_start"}:
            self._wait_for_locks(LOCK_TIMEOUT_MS if migration.atomic else 0)
        super().migration_progress_callback(action, migration, fake)

    def _wait_for_locks(self, milliseconds: int) -> None:
        if self._connection.vendor == "postgresql":
            with self._connection.cursor() as cursor:
                cursor.execute(f"SET lock_timeout = {milliseconds}")
