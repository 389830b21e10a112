"""GraphiQL's tabs: runnable as they are, and with real tokens only on a developer's machine."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import OperationDefinitionNode, get_variable_values, parse, validate
from pytest_django import Settings

from backend.asgi import application
from backend.schema import schema
from backend.schema.graphiql import Tab
from backend.schema.tabs import Example, read_example, tabs
from tests.schema.server import Server

FUNDER, WORKER = "funder-token", "worker-token"
REPORT: dict[str, Any] = {
    "urls": {"graphiql": "http://127.0.0.1:8000/graphql"},
    "users": {"funder": {"token": FUNDER}, "worker": {"token": WORKER}},
    "example": {
        "jobId": "Sm9iOjE=",
        "totalBudget": {"value": "1250", "assetCode": "USD", "assetScale": 2},
        "idempotencyKey": "8a3bd0f0-8d2c-4e6a-9d0c-0d5b9d3f7a11",
    },
}
EXAMPLE = Example(
    funder_token=FUNDER,
    worker_token=WORKER,
    job_id="Sm9iOjE=",
    total_budget=REPORT["example"]["totalBudget"],
    idempotency_key=REPORT["example"]["idempotencyKey"],
    return_url="http://127.0.0.1:8000/graphql",
)


@pytest.fixture
def var_dir(tmp_path: Path, settings: Settings) -> Path:
    """A developer's folder of a world that is up."""
    settings.VAR_DIR = tmp_path
    settings.GRAPHIQL = settings.DEBUG = True
    (tmp_path / "up.json").write_text(json.dumps(REPORT))
    return tmp_path


def name_of(tab: Tab) -> str:
    (operation,) = parse(tab.query).definitions
    assert isinstance(operation, OperationDefinitionNode)
    assert operation.name is not None
    return operation.name.value


def bearer_of(tab: Tab) -> str | None:
    return tab.headers["Authorization"].removeprefix("Bearer ") if tab.headers else None


def page(server: Server, *, host: str = "127.0.0.1") -> httpx.Response:
    return httpx.get(server.graphql, headers={"Host": host}, trust_env=False, timeout=10)


@pytest.mark.parametrize("tab", [*tabs(EXAMPLE), *tabs(None)], ids=name_of)
def test_every_tab_is_valid_with_its_variables(tab: Tab) -> None:
    document = parse(tab.query)
    (operation,) = document.definitions
    assert isinstance(operation, OperationDefinitionNode)

    core = schema._schema
    coerced = get_variable_values(
        core, operation.variable_definitions or (), dict(tab.variables or {})
    )

    assert validate(core, document) == []
    assert not isinstance(coerced, list), coerced


def test_with_an_example_the_tabs_tell_its_story_in_order() -> None:
    told = [(name_of(tab), bearer_of(tab)) for tab in tabs(EXAMPLE)]

    assert told == [
        ("Health", None),
        ("WhoAmI", FUNDER),
        ("PostJob", FUNDER),
        ("JobPage", FUNDER),
        ("FundJob", FUNDER),
        ("Watch", FUNDER),
        ("WorkerPage", WORKER),
        ("SignUp", None),
    ]


def test_without_an_example_the_tabs_begin_with_an_account_of_ones_own() -> None:
    told = [(name_of(tab), bearer_of(tab)) for tab in tabs(None)]

    assert told == [
        ("Health", None),
        ("SignUp", None),
        ("WhoAmI", "<token>"),
        ("Watch", "<token>"),
    ]


def test_a_report_is_read_as_make_up_writes_it(var_dir: Path) -> None:
    assert read_example(var_dir / "up.json") == EXAMPLE


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"users": null}', '{"users": {}}', "\xff"])
def test_another_report_is_no_example(tmp_path: Path, content: str) -> None:
    report = tmp_path / "up.json"
    report.write_text(content, encoding="latin-1")

    assert read_example(report) is None
    assert read_example(tmp_path / "missing.json") is None


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "[::1]:8000"])
def test_on_the_loopback_the_page_holds_the_tokens_and_is_not_stored(
    server: Server, var_dir: Path, host: str
) -> None:
    answer = page(server, host=host)

    assert FUNDER in answer.text
    assert WORKER in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_without_debug_the_page_never_holds_tokens(
    server: Server, var_dir: Path, settings: Settings
) -> None:
    settings.DEBUG = False

    answer = page(server)

    assert answer.status_code == 200
    assert FUNDER not in answer.text


def test_under_another_host_the_page_holds_no_tokens(
    server: Server, var_dir: Path, settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = ["laptop.example"]

    answer = page(server, host="laptop.example")

    assert answer.status_code == 200
    assert FUNDER not in answer.text


def test_a_script_of_another_page_gets_no_tokens(
    server: Server, var_dir: Path, settings: Settings
) -> None:
    frontend = "http://localhost:5173"
    settings.CORS_ORIGINS = frozenset({frontend})

    answer = httpx.get(server.graphql, headers={"Origin": frontend}, trust_env=False, timeout=10)

    assert answer.headers["access-control-allow-origin"] == frontend
    assert FUNDER not in answer.text


async def test_from_another_machine_the_page_holds_no_tokens_whatever_its_host_says(
    var_dir: Path,
) -> None:
    transport = httpx.ASGITransport(app=application, client=("192.0.2.7", 50_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        answer = await client.get("/graphql")

    assert answer.status_code == 200
    assert FUNDER not in answer.text


def test_without_a_world_the_page_is_shown_all_the_same(server: Server, var_dir: Path) -> None:
    (var_dir / "up.json").unlink()

    answer = page(server)

    assert answer.status_code == 200
    assert "mutation SignUp" in answer.text
