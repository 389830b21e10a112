"""What a migration must not do: the release before goes on while it is applied, and then a while.

That release inserts rows without the columns it does not know, reads and writes those it knows, and
would have the database back as it was if it is taken back to. What cannot be judged by looking is
refused as well, until somebody has said why it is harmless.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import CheckConstraint, Field, ManyToManyField

HARMLESS = (
    migrations.CreateModel,
    migrations.AddIndex,
    migrations.RemoveIndex,
    migrations.RenameIndex,
    migrations.AlterModelOptions,
    migrations.AlterModelManagers,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
)
GONE = (
    migrations.RemoveField,
    migrations.RenameField,
    migrations.DeleteModel,
    migrations.RenameModel,
    migrations.AlterModelTable,
)
# What Django keeps to itself: the column is the same.
_NOT_IN_THE_DATABASE = frozenset(
    {
        *("blank", "choices", "default", "editable", "error_messages", "help_text", "on_delete"),
        *("related_name", "related_query_name", "validators", "verbose_name"),
    }
)
# What has a rule of its own.
_JUDGED = frozenset({"db_default", "max_length", "null", "unique"})


def refusals(
    later: Sequence[Migration],
    *,
    base: ProjectState,
    accepted: Mapping[tuple[str, str], str] | None = None,
) -> list[str]:
    """Why the code that made `base` would not survive the migrations `later`; empty when it would.

    `accepted` are reasons, by the migration's name with its app and by what Django says it does.
    One that is not needed is a refusal too.
    """
    unused = dict(accepted or {})
    found = []
    for each in later:
        name = f"{each.app_label}.{each.name}"
        for operation in _of_the_database(each.operations):
            reason = _refusal(operation, each.app_label, base)
            if reason and not unused.pop((name, operation.describe()), None):
                found.append(f"{name}: {operation.describe()}: {reason}")
    return [*found, *(f"{name}: {what}: accepted, and not there" for name, what in unused)]


def _of_the_database(operations: Iterable[Operation]) -> Iterable[Operation]:
    for each in operations:
        if isinstance(each, migrations.SeparateDatabaseAndState):
            yield from _of_the_database(each.database_operations)
        else:
            yield each


def _refusal(operation: Operation, app: str, base: ProjectState) -> str | None:
    if not operation.reversible:
        return "it cannot be taken back"
    if isinstance(operation, (*HARMLESS, migrations.RunPython)):
        return None
    model = str(getattr(operation, "model_name", None) or getattr(operation, "name", "")).lower()
    if model and (app, model) not in base.models:
        return None  # the release before does not know the table
    if isinstance(operation, GONE):
        return "the release before still uses it: stop using it in one release, drop it in the next"
    if isinstance(operation, migrations.AddField):
        # A default that a later migration brings comes too late for whoever inserts in between.
        return _refused_column(operation.field)
    if isinstance(operation, migrations.AlterField):
        known = base.models[app, model].fields.get(operation.name)
        return _refused_change(known, operation.field) if known else None
    if isinstance(operation, migrations.RemoveConstraint):
        constraints = base.models[app, model].options.get("constraints", ())
        removed = next((each for each in constraints if each.name == operation.name), None)
        if removed is None or isinstance(removed, CheckConstraint):
            return None
    return "the release before may not get along with it: say in ACCEPTED why it does"


def _refused_column(field: "Field[Any, Any]") -> str | None:
    if isinstance(field, ManyToManyField) or field.null or field.has_db_default():
        return None
    return "the release before inserts rows without it: give it a db_default, or let it be null"


def _refused_change(old: "Field[Any, Any]", new: "Field[Any, Any]") -> str | None:
    if old.null and not new.null:
        return "the release before still leaves it empty"
    if new.unique and not old.unique:
        return "the release before does not know that it is unique"
    if old.has_db_default() and not (new.has_db_default() or new.null):
        return "the release before leaves it to the database"
    longest_before, longest = (getattr(each, "max_length", None) for each in (old, new))
    if longest is not None and (longest_before is None or longest < longest_before):
        return "the release before writes longer ones"
    if _column(old) != _column(new):
        return "the release before takes it for what it was: add another column"
    return None


def _column(field: "Field[Any, Any]") -> tuple[str, dict[str, Any]]:
    _, kind, _, options = field.deconstruct()
    ignored = _NOT_IN_THE_DATABASE | _JUDGED
    return kind, {name: value for name, value in options.items() if name not in ignored}
