"""Handing connections to the database back, of which a process has few."""

from django.db import connections


def let_go(*, only_unusable: bool = False) -> None:
    """Hand this thread's connections back, but those with a transaction open. Safe to repeat.

    Do so before waiting for anybody else: whoever waits with one in hand keeps others from it.
    """
    for connection in connections.all(initialized_only=True):
        # A SQLite connection is a file handle of this thread: nobody else waits for it, and
        # opening it again costs more than most queries.
        if only_unusable or connection.vendor == "sqlite":
            if connection.errors_occurred:
                connection.close()
        elif not connection.in_atomic_block:
            connection.close()
