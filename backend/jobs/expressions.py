"""What queries and indexes compute from columns of jobs."""

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, CharField, F, Func, QuerySet
from django.db.models.sql.compiler import SQLCompiler


class PrimaryLanguage(Func):
    """The language of a tag without script and region: `es` of `es-MX`. It can be indexed."""

    output_field = CharField()
    template = "split_part(%(expressions)s, '-', 1)"
    arity = 1

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        start = "substr({0}, 1, instr({0} || '-', '-') - 1)"
        return super().as_sql(
            compiler, connection, template=start.format("%(expressions)s"), **context
        )


class IsAmong(Func):
    """Whether the key is one of `keys`, a query that PostgreSQL answers first, and by itself.

    `pk__in` says the same, and leaves it to the planner to read the outer rows first.
    """

    output_field = BooleanField()
    conditional = True
    template = "%(expressions)s)"
    arg_joiner = " = ANY("

    def __init__(self, keys: "QuerySet[Any, Any]") -> None:
        super().__init__(F("pk"), ArraySubquery(keys))
