"""GraphiQL's tabs: runnable as they are, and with real tokens only on a developer's machine."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import OperationDefinitionNode, get_variable_values, parse, validate
from pytest_django import Settings

from backend.asgi import application
from backend.clock import SYSTEM_CLOCK
from backend.ids import new_id
from backend.jobs.models import Job
from backend.sandbox.people import WORKERS
from backend.sandbox.seed import TITLES, Cast, seed
from backend.schema import schema
from backend.schema.graphiql import Tab
from backend.schema.tabs import Example, read_example, tabs
from tests.jobs.people import a_person
from tests.schema.client import data_of, execute
from tests.schema.server import Server
from tests.schema.world import bearer, global_id
from tools.up import APPLY_TO, WORK

BACK = "http://127.0.0.1:8000/payments/finish"
FUNDER, WORKER = "funder-token", "worker-token"
REPORT: dict[str, Any] = {
    "urls": {"graphiql": "http://127.0.0.1:8000/graphql"},
    "users": {"funder": {"token": FUNDER}, "worker": {"token": WORKER}},
    "example": {
        "jobId": "Sm9iOjE=",
        "totalBudget": {"value": "1250", "assetCode": "USD", "assetScale": 2},
        "idempotencyKey": "8a3bd0f0-8d2c-4e6a-9d0c-0d5b9d3f7a11",
        "reviewKey": "0b6d5b7e-5c1c-4b0b-8a58-3a1e1a0f4c22",
        "applyTo": "Sm9iOjI=",
        "workOn": "Sm9iOjM=",
        "work": {"draft": "U3Vi1", "submitted": "U3Vi2", "rejected": "U3Vi3"},
    },
}
EXAMPLE = Example(
    funder_token=FUNDER,
    worker_token=WORKER,
    job_id="Sm9iOjE=",
    total_budget=REPORT["example"]["totalBudget"],
    idempotency_key=REPORT["example"]["idempotencyKey"],
    review_key=REPORT["example"]["reviewKey"],
    apply_to="Sm9iOjI=",
    work_on="Sm9iOjM=",
    draft="U3Vi1",
    submitted="U3Vi2",
    rejected="U3Vi3",
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


@pytest.mark.parametrize(
    "tab", [*tabs(EXAMPLE, return_url=BACK), *tabs(None, return_url=BACK)], ids=name_of
)
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


@pytest.fixture
def world() -> Example:
    """The filled world of `make up`, without its wallets."""
    owner = a_person("owner")
    workers = [a_person(each.address) for each in WORKERS]
    now = SYSTEM_CLOCK.now()
    seed(
        cast=Cast(owner=owner, operator=a_person("operator", is_staff=True), workers=workers),
        now=now,
    )
    jobs = {job.title: job for job in Job.objects.all()}

    def work_on(title: str) -> str:
        return global_id("Submission", jobs[title].submissions.get(worker=workers[0]).id)

    return Example(
        funder_token=bearer(owner).removeprefix("Bearer "),
        worker_token=bearer(workers[0]).removeprefix("Bearer "),
        job_id=global_id("Job", jobs[TITLES[3]].id),
        total_budget=REPORT["example"]["totalBudget"],
        idempotency_key=str(new_id()),
        review_key=str(new_id()),
        apply_to=global_id("Job", jobs[APPLY_TO].id),
        work_on=global_id("Job", jobs[WORK["draft"]].id),
        **{name: work_on(title) for name, title in WORK.items()},
    )


@pytest.mark.django_db
def test_the_tabs_run_from_left_to_right_as_they_are(world: Example) -> None:
    told = tabs(world, return_url=BACK)
    answers = {
        name_of(tab): execute(
            tab.query,
            variables=tab.variables,
            bearer=tab.headers["Authorization"] if tab.headers else None,
            now=SYSTEM_CLOCK.now(),
        )
        for tab in told
        # A payment needs wallets and lets one wait: see the tests of the whole world.
        if name_of(tab) not in {"FundJob", "Watch"}
    }

    payloads = {name: next(iter(data_of(answer).values())) for name, answer in answers.items()}
    assert {name: each["errors"] for name, each in payloads.items() if each.get("errors")} == {}
    assert APPLY_TO in [edge["node"]["title"] for edge in payloads["FindWork"]["edges"]]
    assert payloads["Apply"]["application"]["status"] == "PENDING"
    (applicant,) = payloads["Applicants"]["applications"]["edges"]
    assert applicant["node"]["allowedActions"] == ["SELECT", "REJECT"]
    assert payloads["SaveWork"]["submission"]["id"] == world.draft
    assert payloads["SubmitWork"]["submission"]["status"] == "SUBMITTED"
    assert payloads["Review"]["submission"]["accepted"]["value"] == "2500"
    assert payloads["Dispute"]["dispute"]["status"] == "OPEN"


def test_the_wallet_sends_its_payer_to_a_page_that_can_be_closed() -> None:
    for told in (tabs(EXAMPLE, return_url=BACK), tabs(None, return_url=BACK)):
        (decision,) = (tab.variables for tab in told if name_of(tab) == "FundJob")
        assert isinstance(decision, dict)
        assert decision["input"]["returnUrl"] == BACK


def test_with_an_example_the_tabs_tell_its_story_in_order() -> None:
    told = [(name_of(tab), bearer_of(tab)) for tab in tabs(EXAMPLE, return_url=BACK)]

    assert told == [
        ("Health", None),
        ("WhoAmI", FUNDER),
        ("PostJob", FUNDER),
        ("JobPage", FUNDER),
        ("FundJob", FUNDER),
        ("Watch", FUNDER),
        ("WorkerPage", WORKER),
        ("FindWork", WORKER),
        ("Apply", WORKER),
        ("Applicants", FUNDER),
        ("SaveWork", WORKER),
        ("SubmitWork", WORKER),
        ("Review", FUNDER),
        ("Dispute", WORKER),
        ("SignUp", None),
    ]


def test_without_an_example_the_tabs_begin_with_an_account_of_ones_own() -> None:
    told = [(name_of(tab), bearer_of(tab)) for tab in tabs(None, return_url=BACK)]

    assert told == [
        ("Health", None),
        ("SignUp", None),
        ("WhoAmI", "<token>"),
        ("AddWallet", "<token>"),
        ("PostJob", "<token>"),
        ("PublishJob", "<token>"),
        ("FundJob", "<token>"),
        ("Watch", "<token>"),
    ]


def test_the_tabs_are_the_same_whenever_the_page_is_opened() -> None:
    # The browser forgets what was typed, a token too, when they are others.
    assert tabs(None, return_url=BACK) == tabs(None, return_url=BACK)


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
