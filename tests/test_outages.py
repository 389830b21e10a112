"""What is said while the database is away; tests/e2e/test_outages.py has one that really is."""

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import (
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    connection,
    transaction,
)
from django.test import Client
from graphql import GraphQLError

from backend.ids import new_id
from backend.payments import links
from backend.schema.pipeline import present

pytestmark = pytest.mark.django_db

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def path() -> str:
    return links.start_url(new_id()).removeprefix("http://127.0.0.1:8000")


def failing_with(error: Exception) -> Any:
    def fail(execute: Callable[..., Any], *statement: Any) -> Any:
        raise error

    return connection.execute_wrapper(fail)


@pytest.fixture(params=[OperationalError("gone"), InterfaceError("closed")])
def _away(request: pytest.FixtureRequest) -> Iterator[None]:
    with failing_with(request.param):
        yield


@pytest.mark.usefixtures("_away")
def test_a_browser_gets_a_page_with_a_sentence_and_its_own_address_again(client: Client) -> None:
    answer = client.get(path(), headers={**BROWSER, "accept-language": "es"})

    page = answer.content.decode()
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer["Content-Type"].startswith("text/html")
    assert "No se ha perdido nada" in page
    assert '<a href="">Intentarlo de nuevo</a>' in page


@pytest.mark.usefixtures("_away")
def test_a_program_gets_a_code(client: Client) -> None:
    answer = client.get(path(), headers={"accept": "*/*"})

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer.json()["errors"][0]["extensions"]["code"] == "UPSTREAM_UNAVAILABLE"


def test_another_error_of_the_database_is_still_a_bug(client: Client) -> None:
    client.raise_request_exception = False

    with failing_with(IntegrityError("no such thing")):
        assert client.get(path(), headers=BROWSER).status_code == 500


def test_graphql_says_so_with_a_code_to_repeat_by() -> None:
    error = present(GraphQLError("", original_error=OperationalError("gone")))

    assert error.extensions == {"code": "UPSTREAM_UNAVAILABLE", "retryable": True}
    assert "Nothing was lost" in error.message


def test_a_mistake_in_our_sql_is_a_bug_though_sqlite_names_it_alike() -> None:
    mistake, away = sqlite3.OperationalError("no such column"), sqlite3.OperationalError("locked")
    mistake.sqlite_errorname, away.sqlite_errorname = "SQLITE_ERROR", "SQLITE_BUSY"

    codes = []
    for cause in (mistake, away):
        error = OperationalError(str(cause))
        error.__cause__ = cause
        extensions = present(GraphQLError("", original_error=error)).extensions
        codes.append((extensions or {})["code"])

    assert codes == ["INTERNAL", "UPSTREAM_UNAVAILABLE"]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no standby")
def test_a_standby_that_took_over_and_still_only_reads_is_away() -> None:
    def write_there() -> None:
        with transaction.atomic(), connection.cursor() as at:
            at.execute("SET TRANSACTION READ ONLY")
            at.execute("CREATE TABLE made_here (id int)")

    with pytest.raises(InternalError) as refused:
        write_there()

    error = present(GraphQLError("", original_error=refused.value))

    assert error.extensions == {"code": "UPSTREAM_UNAVAILABLE", "retryable": True}
