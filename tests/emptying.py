"""Emptying the database after a test with `transaction=True`, in a few milliseconds.

Django truncates every table, most of which are empty, and makes the content types and permissions
of all apps anew: that took longer than most tests. The triggers of the books would refuse it too.
"""

from typing import Any

from django.db import connection, transaction

# Migrating made these rows, and no test changes them.
LASTING = {"django_content_type", "auth_permission"}


def empty_database() -> None:
    """Delete every row but those of LASTING; what guards the books is there again afterwards."""
    with transaction.atomic(), connection.cursor() as cursor:
        filled = _tables_with_rows(cursor)
        triggers = _disarm(cursor, filled)
        for table in filled:
            cursor.execute(f'DELETE FROM "{table}"')
        for trigger in triggers:
            cursor.execute(trigger)


def _tables_with_rows(cursor: Any) -> list[str]:
    tables = set(connection.introspection.django_table_names(include_views=False)) - LASTING
    cursor.execute(
        " UNION ALL ".join(
            f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM \"{table}\")" for table in sorted(tables)
        )
    )
    return [table for (table,) in cursor.fetchall()]


def _disarm(cursor: Any, tables: list[str]) -> list[str]:
    """Keep triggers from refusing, in this transaction; returns what makes them again."""
    if connection.vendor == "postgresql":
        cursor.execute("SET LOCAL session_replication_role = replica")
        return []
    cursor.execute("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'")
    guarding = [(name, sql) for name, table, sql in cursor.fetchall() if table in tables]
    for name, _ in guarding:
        cursor.execute(f'DROP TRIGGER "{name}"')
    return [sql for _, sql in guarding]
