"""What the application's own database role may not do to any log. The books: tests/ledger."""

from collections.abc import Iterator

import pgtrigger
import pytest
from django.db import Error, connection, transaction

from backend.ids import new_id

pytestmark = [
    pytest.mark.skipif("connection.vendor != 'postgresql'"),
    pytest.mark.django_db,
]
LOGS = {
    "django_admin_log",
    "events_event",
    "jobs_statuschange",
    "payments_heldgranttransition",
    "payments_paymentresolution",
    "payments_paymenttransition",
    "payments_walletcall",
    "receipts_receipt",
}
# Needs an owner, or a right that this role was not given.
AS_A_STRANGER = (
    "TRUNCATE {}",
    "ALTER TABLE {} DISABLE TRIGGER ALL",
    "DROP TABLE {} CASCADE",
    "ALTER TABLE {} ADD COLUMN more text",
)


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.fixture
def _as_the_application() -> Iterator[None]:
    """Speak as the role of docs/security.md: it reads and writes rows, and owns nothing."""
    role = f"faena_test_{new_id().hex}"
    run(f"CREATE ROLE {role}")
    run(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}")
    run(f"SET LOCAL ROLE {role}")
    yield
    run("RESET ROLE")
    run(f"DROP OWNED BY {role}")
    run(f"DROP ROLE {role}")


def test_these_are_the_logs() -> None:
    protected = {
        model._meta.db_table
        for model, trigger in pgtrigger.registered()
        if isinstance(trigger, pgtrigger.Protect)
    }

    assert protected == LOGS


@pytest.mark.usefixtures("_as_the_application")
@pytest.mark.parametrize("table", sorted(LOGS))
def test_the_application_cannot_take_a_logs_guard_away(table: str) -> None:
    for statement in AS_A_STRANGER:
        with (
            pytest.raises(Error, match=r"must be owner|permission denied"),
            transaction.atomic(),
        ):
            run(statement.format(table))


@pytest.mark.parametrize("table", sorted(LOGS))
def test_a_log_is_guarded_against_changing_and_deleting(table: str) -> None:
    with connection.cursor() as cursor:
        # Whether the guard is there for both; that it refuses, each log's own tests say.
        cursor.execute(
            "SELECT bool_or(tgtype & 16 > 0), bool_or(tgtype & 8 > 0) FROM pg_trigger"
            " WHERE tgrelid = %s::regclass AND NOT tgisinternal AND tgenabled = 'O'"
            " AND tgname LIKE 'pgtrigger_%%'",
            [table],
        )
        assert cursor.fetchone() == (True, True)
