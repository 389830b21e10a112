"""The security page names tests that are there, and figures that are those of the tests."""

import re

import pytest
from django.apps import apps
from django.db import Error, connection, transaction

from backend.ids import new_id
from tests.docs import pages
from tests.ledger.books import a_payee, a_payer, moved
from tests.payments.test_consent_return import WRONG
from tests.schema.test_audit import CHECKS, DECIDED
from tests.schema.test_guard import CASES
from tests.schema.test_http import BODIES, RAW
from tests.test_append_only import AS_A_STRANGER, LOGS
from tests.test_web_surface import ADDRESSES

PAGE = pages.DOCS / "security.md"
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_every_goal_has_a_row() -> None:
    goals = [row[0] for row in pages.table_with_heading(PAGE, "Goal")]

    assert sorted(set(goals), key=lambda goal: int(goal[1:])) == [f"S{n}" for n in range(1, 16)]


@pytest.mark.parametrize(("file", "name"), TEST.findall(PAGE.read_text()))
def test_a_test_that_is_named_is_there(file: str, name: str) -> None:
    assert re.search(rf"def {name}\(", pages.ROOT.joinpath(file).read_text())


@pytest.mark.parametrize(
    "figure",
    [
        f"{len(DECIDED)} of {len(CHECKS)}, both by decision",
        f"{len(CASES)} documents",
        f"{len(BODIES)} bodies, {len(RAW)} kinds of broken HTTP",
        f"{len(WRONG)} queries",
        f"{len(AS_A_STRANGER)} × {len(LOGS)} of the logs",
        f"{len(ADDRESSES)} kinds of answers",
    ],
)
def test_a_figure_is_that_of_its_test(figure: str) -> None:
    assert figure in PAGE.read_text()


def test_every_table_of_the_books_has_less_rights() -> None:
    revoked = re.findall(r"^REVOKE .+ ON (.+) FROM", pages.block(PAGE, "sql"), re.MULTILINE)

    named = {name for tables in revoked for name in tables.split(", ")}
    assert named == {model._meta.db_table for model in apps.get_app_config("ledger").get_models()}


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no roles")
@pytest.mark.django_db
def test_the_role_of_the_page_books_and_can_do_nothing_else_to_the_books() -> None:
    role = f"faena_test_{new_id().hex}"
    with connection.cursor() as cursor:
        cursor.execute(pages.block(PAGE, "sql").replace("faena_app", role))
        cursor.execute("CREATE TABLE made_later (id int)")
        cursor.execute(f"SET LOCAL ROLE {role}")

        moved(a_payer(), a_payee(), 5)

        for refused in (
            "UPDATE ledger_entry SET amount = 1",
            "DELETE FROM ledger_transfer",
            "DELETE FROM ledger_account",
            "DELETE FROM ledger_head",
            "DROP TABLE made_later",
        ):
            with (
                pytest.raises(Error, match=r"must be owner|permission denied"),
                transaction.atomic(),
            ):
                cursor.execute(refused)
        cursor.execute("INSERT INTO made_later VALUES (1)")
        cursor.execute("RESET ROLE")
