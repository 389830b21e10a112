"""The database with its guards, Redis, the broker, and who is at work."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pgtrigger
import redis
from celery import current_app
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from kombu.exceptions import OperationalError

from backend.doctor.findings import Code, Found
from backend.heartbeat.beating import TICK, age
from backend.payments import standstill

OLDEST_POSTGRESQL = 150_000
ISOLATION = "read committed"
WARN_AFTER_SECONDS = 10
STOPPED_AFTER_SECONDS = 30
ANSWER_SECONDS = 2.0
# What migrations of the books made in SQL; pgtrigger knows its own. By table, so many.
LEDGER_GUARDS: Mapping[str, Mapping[str, int]] = {
    "postgresql": {"ledger_transfer": 4, "ledger_entry": 4, "ledger_account": 3},
    "sqlite": {"ledger_transfer": 2, "ledger_entry": 2, "ledger_account": 2},
}


def check_database() -> str:
    """It answers, is new enough, and isolates transactions as the code expects."""
    try:
        with connection.cursor() as cursor:
            if connection.vendor != "postgresql":
                cursor.execute("SELECT sqlite_version()")
                return f"SQLite {cursor.fetchone()[0]}: for one machine."
            cursor.execute("SHOW server_version_num")
            number = int(cursor.fetchone()[0])
            cursor.execute("SHOW default_transaction_isolation")
            isolation = str(cursor.fetchone()[0])
    except DatabaseError as error:
        raise Found(Code.DATABASE_UNREACHABLE, f"{type(error).__name__}.") from error
    if number < OLDEST_POSTGRESQL:
        raise Found(Code.DATABASE_TOO_OLD, f"PostgreSQL {number // 10_000}.")
    if isolation != ISOLATION:
        # A compare-and-set that waited reads the newest row there, and fails at any other level.
        raise Found(Code.DATABASE_ISOLATION, f"Transactions are {isolation}.")
    return f"PostgreSQL {number // 10_000}, {isolation}."


def check_migrations() -> str:
    """The tables are as this version of the code wants them."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        first = plan[0][0]
        raise Found(
            Code.MIGRATIONS_MISSING,
            f"{len(plan)} are not applied, {first.app_label}.{first.name} first.",
        )
    return "All are applied."


def check_triggers() -> str:
    """What keeps logs and books from being changed is in place and switched on."""
    missing = [*_missing_logs(), *_missing_books()]
    if missing:
        raise Found(Code.TRIGGERS_MISSING, f"Missing or switched off on {', '.join(missing)}.")
    return "Logs and books are only added to."


def check_redis() -> str:
    """It answers, where one is used."""
    if not settings.REDIS_URL:
        return "None is used."
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=ANSWER_SECONDS,
        ) as client:
            client.ping()
    except redis.RedisError as error:
        raise Found(Code.REDIS_UNREACHABLE, f"{type(error).__name__}.") from error
    return "It answers."


def check_broker() -> str:
    """Celery can hand over a task."""
    if settings.BROKER_URL.startswith("memory:"):
        return "In memory: everything runs in one process."
    with _broker() as broker:
        try:
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=ANSWER_SECONDS)
        except OperationalError as error:
            raise Found(Code.BROKER_UNREACHABLE, f"{type(error).__name__}.") from error
    return "It takes tasks."


def check_tick(now: datetime) -> str:
    """Somebody looks for due payments, all the time."""
    since = age(TICK, now=now)
    if since is None:
        raise Found(Code.TICK_NEVER, "Nobody has ever looked for due payments.")
    seconds = since.total_seconds()
    said = f"The last look for due payments was {max(0, seconds):.0f} s ago."
    if seconds > STOPPED_AFTER_SECONDS:
        raise Found(Code.TICK_STOPPED, said)
    if seconds > WARN_AFTER_SECONDS:
        raise Found(Code.TICK_LATE, said)
    if waiting := standstill.to_look_up():
        raise Found(
            Code.STOOD_STILL,
            f"Nobody was at work until {standstill.noticed_at():%Y-%m-%d %H:%M} UTC; wallets are "
            f"still to be asked about payments: {waiting}.",
        )
    return said


def _broker() -> Any:
    return current_app.connection_for_write(settings.BROKER_URL, connect_timeout=ANSWER_SECONDS)


def _missing_logs() -> list[str]:
    if connection.vendor != "postgresql":
        return []
    return sorted(
        {
            model._meta.db_table
            for model, trigger in pgtrigger.registered()
            if trigger.get_installation_status(model) != ("INSTALLED", True)
        }
    )


def _missing_books() -> list[str]:
    expected = LEDGER_GUARDS[connection.vendor]
    statement = {
        "postgresql": "SELECT tgrelid::regclass::text, count(*) FROM pg_trigger"
        " WHERE NOT tgisinternal AND tgenabled = 'O' AND tgname LIKE 'ledger_%' GROUP BY 1",
        "sqlite": "SELECT tbl_name, count(*) FROM sqlite_master"
        " WHERE type = 'trigger' AND name LIKE 'ledger_%' GROUP BY 1",
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(statement)
        found = dict(cursor.fetchall())
    return [table for table, number in expected.items() if found.get(table, 0) < number]
