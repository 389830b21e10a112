"""Writing a row without the ORM's preparations, where they cost more than the statement."""

from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Model


def insert(row: Model) -> bool:
    """Insert `row` as it is; False when a unique constraint knows one like it already.

    No signals are sent and no defaults are asked of the database. A twin's insert waits on the
    unique index until the first transaction commits or rolls back.
    """
    with connection.cursor() as cursor:
        cursor.execute(_statement(type(row)), [*values_of(row).values()])
        return bool(cursor.rowcount)


def values_of(row: Model) -> dict[str, Any]:
    """What a statement has to be given to write `row`, by column, in the model's order."""
    return {
        str(field.column): field.get_db_prep_save(getattr(row, field.attname), connection)
        for field in row._meta.concrete_fields
    }


@cache
def _statement(model: type[Model]) -> str:
    columns = [f'"{field.column}"' for field in model._meta.concrete_fields]
    names = f"{model._meta.db_table} ({', '.join(columns)})"
    places = ", ".join(["%s"] * len(columns))
    return f"INSERT INTO {names} VALUES ({places}) ON CONFLICT DO NOTHING"  # noqa: S608 - ours
