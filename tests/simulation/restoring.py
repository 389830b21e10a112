"""Backups of the database taken while money moves, and coming back to one of them.

The wallets are not restored: they know what happened since.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, models, transaction

from backend.heartbeat.beating import TICK
from backend.heartbeat.models import Heartbeat
from tests.emptying import LASTING, empty_database
from tests.simulation.crashes import CrashPoints

Rows = dict[type[models.Model], list[Any]]


def backup(*, at: datetime) -> Rows:
    """All rows of all tables, as they are; somebody was at work until `at`."""
    rows: Rows = {
        model: list(model._base_manager.all())
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and model._meta.db_table not in LASTING
    }
    return rows | {Heartbeat: [Heartbeat(name=TICK, at=at)]}


def restore(rows: Rows) -> None:
    """Replace everything by what `backup` returned, as `pg_restore` does: no trigger minds."""
    empty_database()
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
        for model, saved in rows.items():
            model._base_manager.bulk_create(saved)
        for statement in connection.ops.sequence_reset_sql(no_style(), list(rows)):
            cursor.execute(statement)


class AfterEveryCommit(CrashPoints):
    """Nobody dies: `act` runs after each commit of a worker, whose own do not count."""

    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__()
        self._act, self._inside = act, False

    def pass_(self, name: str) -> None:
        """Take note of a commit."""
        if name != "after COMMIT" or not self.active or self._inside:
            return
        self._inside = True
        try:
            self._act()
        finally:
            # Reading has begun another transaction, and whoever committed expects none.
            connection.connection.rollback()
            self._inside = False
