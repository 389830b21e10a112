"""Django empties the database after a test with `transaction=True`, and the books refuse that."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.db import connection, transaction


@contextmanager
def books_that_can_be_emptied() -> Iterator[None]:
    """Let Django's `flush`, and nothing else, get past the triggers of the books."""
    operations = type(connection.ops)
    flush = operations.execute_sql_flush

    def flush_all(self: Any, statements: list[str]) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET LOCAL session_replication_role = replica")
                flush(self, statements)
                return
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = dict(cursor.fetchall())
            for name in triggers:
                cursor.execute(f"DROP TRIGGER {name}")
            flush(self, statements)
            for created in triggers.values():
                cursor.execute(created)

    with patch.object(operations, "execute_sql_flush", flush_all):
        yield
