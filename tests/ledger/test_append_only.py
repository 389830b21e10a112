"""What the database itself refuses, whoever asks."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from backend.ids import new_id
from backend.ledger.models import Account, Entry, Transfer
from backend.ledger.posting import post
from tests.emptying import empty_database
from tests.jobs.people import NOON
from tests.ledger.books import EUR, USD, a_payee, a_payer, a_payment, balance, moved

on_postgresql = pytest.mark.skipif("connection.vendor != 'postgresql'")
CHANGES = [
    "UPDATE ledger_transfer SET reason = 'ANOTHER'",
    "UPDATE ledger_entry SET amount = amount * 2",
    "UPDATE ledger_account SET owner = subject, subject = owner",
    "DELETE FROM ledger_entry",
    "DELETE FROM ledger_transfer",
    "DELETE FROM ledger_account",
]
ONLY_ON_POSTGRESQL = [
    "UPDATE ledger_account SET balance = balance + 1",
    "TRUNCATE ledger_entry",
    "TRUNCATE ledger_transfer CASCADE",
    "TRUNCATE ledger_account CASCADE",
    "TRUNCATE payments_payment CASCADE",
]


def run(sql: str, *params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def commit() -> None:
    """Judge what has been left for the commit."""
    if connection.vendor == "sqlite":
        return
    run("SET CONSTRAINTS ALL IMMEDIATE")
    run("SET CONSTRAINTS ALL DEFERRED")


@pytest.fixture
def _as_the_application() -> Iterator[None]:
    """Speak as a role that may do everything with the tables, and owns none of them."""
    role = f"faena_test_{new_id().hex}"
    run(f"CREATE ROLE {role}")
    run(f"GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA public TO {role}")
    run(f"SET LOCAL ROLE {role}")
    yield
    run("RESET ROLE")
    run(f"DROP OWNED BY {role}")
    run(f"DROP ROLE {role}")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [*CHANGES, *(pytest.param(each, marks=on_postgresql) for each in ONLY_ON_POSTGRESQL)],
)
def test_not_even_the_owner_of_the_tables_changes_the_books(change: str) -> None:
    moved(a_payer(), a_payee(), 5)
    commit()

    with pytest.raises(IntegrityError, match=r"added to|by their entries"), transaction.atomic():
        run(change)


@on_postgresql
@pytest.mark.django_db
@pytest.mark.parametrize("change", [*CHANGES, *ONLY_ON_POSTGRESQL])
@pytest.mark.usefixtures("_as_the_application")
def test_the_application_does_not_change_the_books(change: str) -> None:
    moved(a_payer(), a_payee(), 5)
    commit()
    run("SET LOCAL pgtrigger.ignore = '{ledger_append_only,ledger_keep,ledger_no_truncate}'")

    with pytest.raises(IntegrityError, match=r"added to|by their entries"), transaction.atomic():
        run(change)


@pytest.mark.django_db
@pytest.mark.usefixtures("_as_the_application")
@on_postgresql
def test_the_application_cannot_make_itself_a_replica() -> None:
    with pytest.raises(Exception, match=r"permission denied"), transaction.atomic():
        run("SET LOCAL session_replication_role = replica")


@pytest.mark.django_db
def test_the_database_itself_books_a_payment_once() -> None:
    payment = a_payment()
    first = moved(a_payer(), a_payee(), 5, payment=payment)

    with pytest.raises(IntegrityError), transaction.atomic():
        a_transfer(seq=first.seq + 1, payment=payment)


@pytest.mark.django_db
def test_the_database_itself_numbers_without_repetition() -> None:
    first = moved(a_payer(), a_payee(), 5)

    with pytest.raises(IntegrityError), transaction.atomic():
        a_transfer(seq=first.seq)


# --- PostgreSQL only: docs/decisions/0018-the-books.md says what SQLite does not enforce


def a_transfer(*, seq: int = 1000, **fields: Any) -> Transfer:
    return Transfer.objects.create(seq=seq, reason="TEST", at=NOON, hash="", **fields)


def enter(transfer: Transfer, *lines: tuple[Account, int]) -> None:
    for account, amount in lines:
        Entry.objects.create(transfer=transfer, account=account, amount=amount)


@pytest.fixture
def accounts() -> list[Account]:
    """Two accounts in dollars and two in euros, with 5 to and fro."""
    refs = [a_payer(USD), a_payee(USD), a_payer(EUR), a_payee(EUR)]
    moved(refs[0], refs[1], 5)
    moved(refs[2], refs[3], 5)
    return [Account.objects.get(id=ref.id) for ref in refs]


@on_postgresql
@pytest.mark.django_db
def test_entries_without_posting_move_the_balances_as_well(accounts: list[Account]) -> None:
    enter(a_transfer(), (accounts[0], -3), (accounts[1], 3))
    commit()

    assert [balance(account) for account in accounts[:2]] == [-8, 8]  # type: ignore[arg-type]


@on_postgresql
@pytest.mark.django_db
@pytest.mark.parametrize(
    "lines",
    [[], [(0, 5)], [(0, -5), (1, 4)], [(0, -5), (3, 5)], [(0, -5), (1, 5), (2, -1), (3, 2)]],
    ids=["none", "half", "less", "another asset", "one asset of two"],
)
def test_what_does_not_balance_is_not_committed(
    accounts: list[Account], lines: list[tuple[int, int]]
) -> None:
    def book() -> None:
        enter(a_transfer(), *((accounts[index], amount) for index, amount in lines))
        commit()

    with pytest.raises(IntegrityError, match=r"come to zero|no entries"), transaction.atomic():
        book()


@on_postgresql
@pytest.mark.django_db
def test_an_entry_of_zero_or_a_second_one_on_an_account_is_refused(
    accounts: list[Account],
) -> None:
    for amounts in ([0], [1, 1]):
        with pytest.raises(IntegrityError), transaction.atomic():
            enter(a_transfer(), *((accounts[0], amount) for amount in amounts))


@on_postgresql
@pytest.mark.django_db
def test_an_account_begins_at_zero_and_stays_in_its_asset(accounts: list[Account]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        run(
            "INSERT INTO ledger_account (id, kind, asset_code, asset_scale, balance)"
            " VALUES (%s, 'FEES', 'USD', 2, 1000)",
            new_id(),
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        run("UPDATE ledger_account SET asset_code = 'EUR' WHERE id = %s", accounts[0].id)


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_nothing_joins_a_transfer_that_was_committed_even_if_it_balances() -> None:
    source, destination, third, fourth = a_payer(), a_payee(), a_payer(), a_payee()
    old = moved(source, destination, 5)
    moved(third, fourth, 5)
    late = [Account.objects.get(id=third.id), Account.objects.get(id=fourth.id)]

    with pytest.raises(IntegrityError, match=r"closed"), transaction.atomic():
        enter(old, (late[0], -1), (late[1], 1))

    assert balance(fourth) == 5


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_savepoint_between_a_transfer_and_its_entries_is_no_other_transaction() -> None:
    with transaction.atomic():
        moved(a_payer(), a_payee(), 5)
        with transaction.atomic():
            post(reason="TEST", at=NOON, lines=[(a_payer(), -1), (a_payee(), 1)])

    assert Transfer.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_the_tests_own_way_to_empty_the_books_leaves_them_guarded() -> None:
    moved(a_payer(), a_payee(), 5)
    empty_database()
    assert not Entry.objects.exists()

    moved(a_payer(), a_payee(), 5)
    with pytest.raises(IntegrityError), transaction.atomic():
        run("DELETE FROM ledger_entry")


@on_postgresql
@pytest.mark.django_db
def test_a_role_that_may_only_add_can_post() -> None:
    role = f"faena_test_{new_id().hex}"
    run(f"CREATE ROLE {role}")
    run(f"GRANT SELECT, INSERT ON ledger_transfer, ledger_entry TO {role}")
    run(f"GRANT SELECT, INSERT, UPDATE ON ledger_account, ledger_head TO {role}")
    run(f"SET LOCAL ROLE {role}")
    source, destination = a_payer(), a_payee()

    moved(source, destination, 5)
    commit()

    assert balance(destination) == 5
    run("RESET ROLE")


@pytest.mark.django_db(transaction=True)
def test_the_guards_can_be_taken_back_and_made_again() -> None:
    before = guards()
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    assert len(before) >= 6

    try:
        MigrationExecutor(connection).migrate([("ledger", None)])
        assert guards() == []
    finally:
        MigrationExecutor(connection).migrate(newest)

    assert guards() == before


def guards() -> list[str]:
    """The triggers on the tables of the books, those of foreign keys left out."""
    sql = {
        "postgresql": "SELECT tgrelid::regclass || ' ' || tgname FROM pg_trigger"
        " WHERE NOT tgisinternal AND tgrelid::regclass::text LIKE 'ledger_%'",
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'ledger_%'",
    }
    with connection.cursor() as cursor:
        cursor.execute(sql[connection.vendor])
        return sorted(name for (name,) in cursor.fetchall())
