"""No migration breaks the release before it, which still runs while it is applied."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from tests.upgrade_rules import refusals

# The newest migrations of the release that later ones get along with. A release moves them.
BASE = {
    "accounts": "0006_api_keys",
    "events": "0001_initial",
    "files": "0001_initial",
    "funding": "0003_what_is_owed",
    "jobs": "0008_final_ends_and_places",
    "ledger": "0002_append_only",
    "payments": "0005_resolutions",
    "receipts": "0001_initial",
}
# By migration and by what it does: why the release before gets along with it.
ACCEPTED = {
    (
        "accounts.0007_user_muted",
        "Add field muted to user",
    ): "0008 brings the default; who signs up in the seconds between has to do it again",
    (
        "jobs.0009_listed",
        "Add field listed to job",
    ): "0011 brings the default; who makes a job in the seconds between has to do it again",
    (
        "funding.0004_platform_fee",
        "Create constraint funding_fee_within_total on model funding",
    ): "its fundings have no fee, and release no less than nothing",
    (
        "funding.0004_platform_fee",
        "Create constraint funding_fee_has_a_wallet on model funding",
    ): "its fundings have no fee",
    (
        "ledger.0003_platform_fee",
        "Create constraint account_keys_fit_kind on model account",
    ): "one kind more is allowed, in the transaction that took the constraint away",
    (
        "payments.0009_sums_that_operators_say",
        "Create constraint resolution_sums_are_positive on model paymentresolution",
    ): "its operators say no sums",
}


def after_the_base() -> tuple[list[Migration], ProjectState]:
    loader = MigrationLoader(None)
    ours = {each.label for each in apps.get_app_configs() if each.name.startswith("backend.")}
    base = [key for leaf in BASE.items() for key in loader.graph.forwards_plan(leaf)]
    leaves = [leaf for leaf in loader.graph.leaf_nodes() if leaf[0] in ours]
    plan = dict.fromkeys(key for leaf in leaves for key in loader.graph.forwards_plan(leaf))
    later = [loader.graph.nodes[key] for key in plan if key not in base]
    return later, loader.project_state(list(BASE.items()))


def test_no_migration_breaks_the_release_before() -> None:
    later, base = after_the_base()

    assert refusals(later, base=base, accepted=ACCEPTED) == []


# --- the rules ------------------------------------------------------------------------------------

RANK = models.CheckConstraint(condition=models.Q(rank__gt=0), name="rank_positive")
ONCE = models.UniqueConstraint(fields=["name"], name="name_once")


def a_base() -> ProjectState:
    """What the release before knows: one table."""
    fields: list[tuple[str, Any]] = [
        ("id", models.BigAutoField(primary_key=True)),
        ("name", models.CharField(max_length=20)),
        ("rank", models.IntegerField(null=True)),
        ("words", models.CharField(max_length=5, db_default="")),
    ]
    options = {"constraints": [RANK, ONCE]}
    made = a_migration(migrations.CreateModel("Animal", fields, options=options))
    return made.mutate_state(ProjectState())


def a_migration(*operations: Operation) -> Migration:
    made: Migration = type("Next", (Migration,), {"operations": operations})("next", "zoo")
    return made


def refused(*operations: Operation) -> list[str]:
    return refusals([a_migration(*operations)], base=a_base())


def adding(field: Any) -> migrations.AddField:
    return migrations.AddField("animal", "new", field)


def altering(name: str, field: Any) -> migrations.AlterField:
    return migrations.AlterField("animal", name, field)


BREAKING = {
    "a column it leaves empty": adding(models.IntegerField(default=0)),
    "a column taken away": migrations.RemoveField("animal", "rank"),
    "a column of another name": migrations.RenameField("animal", "rank", "place"),
    "a table taken away": migrations.DeleteModel("Animal"),
    "a table of another name": migrations.RenameModel("Animal", "Beast"),
    "a table elsewhere": migrations.AlterModelTable("Animal", "beasts"),
    "a column it may leave empty": altering("rank", models.IntegerField(default=0)),
    "a column of another type": altering("rank", models.TextField(null=True)),
    "a column that is unique": altering("name", models.CharField(max_length=20, unique=True)),
    "a shorter column": altering("name", models.CharField(max_length=10)),
    "a default taken away": altering("words", models.CharField(max_length=5)),
    "a constraint": migrations.AddConstraint(
        "animal", models.CheckConstraint(condition=models.Q(rank__lt=9), name="small")
    ),
    "what it resolves conflicts by": migrations.RemoveConstraint("animal", "name_once"),
    "SQL": migrations.RunSQL("SELECT 1", "SELECT 1"),
    "no way back": migrations.RunPython(migrations.RunPython.noop),
    "the database's half of it": migrations.SeparateDatabaseAndState(
        database_operations=[migrations.RemoveField("animal", "rank")]
    ),
}
HARMLESS = {
    "a default in the database": adding(models.IntegerField(default=0, db_default=0)),
    "a column that may be empty": adding(models.IntegerField(null=True)),
    "a new table": migrations.CreateModel("Cage", [("id", models.BigAutoField(primary_key=True))]),
    "a longer column": altering("name", models.CharField(max_length=30)),
    "other choices": altering("name", models.CharField(max_length=20, choices=[("a", "b")])),
    "a column that may be empty now": altering("name", models.CharField(max_length=20, null=True)),
    "an index": migrations.AddIndex("animal", GinIndex(fields=["name"], name="by_name")),
    "a check taken away": migrations.RemoveConstraint("animal", "rank_positive"),
    "rows, with a way back": migrations.RunPython(
        migrations.RunPython.noop, migrations.RunPython.noop
    ),
    "a field that only Django forgets": migrations.SeparateDatabaseAndState(
        state_operations=[migrations.RemoveField("animal", "rank")]
    ),
}


@pytest.mark.parametrize("operation", BREAKING.values(), ids=BREAKING.keys())
def test_what_the_release_before_would_not_survive_is_refused(operation: Operation) -> None:
    assert len(refused(operation)) == 1


@pytest.mark.parametrize("operation", HARMLESS.values(), ids=HARMLESS.keys())
def test_what_it_does_not_notice_is_allowed(operation: Operation) -> None:
    assert refused(operation) == []


def test_a_default_that_comes_with_a_later_migration_comes_too_late() -> None:
    late = models.IntegerField(default=0, db_default=0)

    assert len(refused(adding(models.IntegerField(default=0)), altering("new", late))) == 1


def test_anything_may_happen_to_a_table_it_does_not_know() -> None:
    made = migrations.CreateModel("Cage", [("id", models.BigAutoField(primary_key=True))])

    assert refused(made, migrations.DeleteModel("Cage")) == []


def test_a_reason_is_for_one_operation_and_does_not_outlive_it() -> None:
    each = a_migration(migrations.RemoveField("animal", "rank"))
    reasons = {("zoo.next", "Remove field rank from animal"): "unused since the last release"}

    assert refusals([each], base=a_base(), accepted=reasons) == []
    assert refusals([], base=a_base(), accepted=reasons) == [
        "zoo.next: Remove field rank from animal: accepted, and not there"
    ]
