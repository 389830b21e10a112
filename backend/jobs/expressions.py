"""What queries and indexes compute from columns of jobs."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, Func
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
