"""What is said while the database is away; tests/e2e/test_outages.py has one that really is."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import IntegrityError, InterfaceError, OperationalError, connection
from django.test import Client

from backend.ids import new_id
from backend.payments import links

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
