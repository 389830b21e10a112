"""What is counted as it happens: calls to wallets, hosts that fail, operations of the API."""

import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest
from django.conf import LazySettings
from graphql import build_schema
from prometheus_client.parser import text_string_to_metric_families

from backend.open_payments import UnexpectedResponse, WalletUnreachable, operations
from backend.outbound import gates
from backend.payments.models import HeldGrant, Payment
from backend.schema.pipeline import NO_FIELDS
from backend.telemetry.serving import serve_metrics
from backend.wallet_calls import ObservedClient
from tests.conftest import NOON
from tests.e2e.processes import free_port
from tests.monitoring.test_metrics import TOKEN, count
from tests.schema.client import execute

ROOT = Path(__file__).parents[2]


def ask(host: str, handler: "httpx._transports.mock.SyncHandler") -> None:
    http = httpx.Client(transport=httpx.MockTransport(handler))
    client = ObservedClient(http, clock=lambda: NOON)
    client.send(operations.get_wallet_address(url=f"https://{host}/alice"))


def test_an_answer_is_counted_by_its_status_and_shows_the_wallets_clock() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        date = format_datetime(NOON + timedelta(seconds=25), usegmt=True)
        return httpx.Response(503, headers={"date": date})

    with pytest.raises(UnexpectedResponse):
        ask("slow.example", answer)

    operation = operations.get_wallet_address(url="https://slow.example/alice").name
    labels = {"host": "slow.example", "call": operation, "outcome": "5xx"}
    assert count("faena_wallet_call_seconds_count", **labels) == 1
    assert count("faena_wallet_clock_skew_seconds", host="slow.example") == 25


@pytest.mark.parametrize(
    ("error", "outcome"), [(httpx.ConnectError, "not_sent"), (httpx.ReadTimeout, "lost")]
)
def test_no_answer_is_counted_by_whether_the_request_was_sent(
    error: type[httpx.TransportError], outcome: str
) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise error("no", request=request)

    host = f"{outcome}.example".replace("_", "-")
    with pytest.raises(WalletUnreachable):
        ask(host, refuse)

    operation = operations.get_wallet_address(url=f"https://{host}/alice").name
    labels = {"host": host, "call": operation, "outcome": outcome}
    assert count("faena_wallet_call_seconds_count", **labels) == 1


def test_a_breaker_tells_of_failures_and_of_the_first_connection_after_them() -> None:
    host = "tired.example"
    breaker = gates.Breaker(failures_before_rest=2, rest_seconds=15)

    breaker.failed(f"https://{host}")
    assert count("breaker_open", host=host) == 0
    breaker.failed(f"https://{host}")
    assert count("breaker_open", host=host) == 1
    breaker.connected(f"https://{host}")

    assert count("breaker_open", host=host) == 0
    assert count("faena_breaker_failures_total", host=host) == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "type_", "operation"),
    [
        ("query Chosen { viewer { id } }", "query", "viewer"),
        ("{ __typename }", "query", "introspection"),
        ("{ ...F } fragment F on Query { viewer { id } }", "query", "(fragment)"),
    ],
)
def test_operations_are_timed_by_their_first_root_field(
    query: str, type_: str, operation: str
) -> None:
    labels = {"type": type_, "operation": operation}
    before = count("faena_graphql_operation_seconds_count", **labels)

    execute(query)

    assert count("faena_graphql_operation_seconds_count", **labels) == before + 1


@pytest.mark.parametrize("query", ["{ inventedByAStranger }", "{ not graphql"])
def test_what_a_stranger_invents_makes_no_label(query: str) -> None:
    labels = {"operation": "invalid", "code": "BAD_REQUEST"}
    before = count("faena_graphql_errors_total", **labels)

    execute(query)

    assert count("faena_graphql_errors_total", **labels) > before
    assert count("faena_graphql_operation_seconds_count", type="query", operation=query) == 0


@pytest.mark.django_db
def test_a_refusal_is_counted_by_its_code() -> None:
    labels = {"operation": "logIn", "code": "BAD_CREDENTIALS"}
    before = count("faena_graphql_errors_total", **labels)

    execute(
        'mutation { logIn(input: {email: "nobody@example.com", password: "wrong wrong"}) '
        "{ token errors { code } } }"
    )

    assert count("faena_graphql_errors_total", **labels) == before + 1


def test_what_is_rare_is_counted_from_zero_so_that_the_first_time_is_a_rise() -> None:
    show = "import backend.asgi, prometheus_client as p; print(p.generate_latest().decode())"
    shown = subprocess.run(
        [sys.executable, "-c", show],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    samples = {
        (sample.name, frozenset(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(shown)
        for sample in family.samples
    }

    for model in (Payment, HeldGrant):
        assert samples["lease_expired_total", frozenset({model.__name__})] == 0
        assert samples["grant_lost_total", frozenset({model.__name__})] == 0
    api = build_schema((ROOT / "schema.graphql").read_text())
    roots = (api.query_type, api.mutation_type, api.subscription_type)
    fields = [name for root in roots if root for name in root.fields]
    assert len(fields) > len(roots)
    for name in (*fields, *NO_FIELDS):
        assert samples["faena_graphql_errors_total", frozenset({name, "INTERNAL"})] == 0


@pytest.fixture
def port(settings: LazySettings) -> Iterator[int]:
    settings.METRICS_PORT, settings.METRICS_TOKEN = free_port(), TOKEN
    server = serve_metrics()
    assert server is not None
    yield settings.METRICS_PORT
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [("/metrics", TOKEN, 200), ("/metrics", "wrong", 404), ("/", TOKEN, 404)],
)
def test_a_worker_shows_its_numbers_to_who_has_the_token(
    port: int, path: str, token: str, status: int
) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {token}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            found, body = answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            found, body = refused.code, refused.read().decode()

    assert found == status
    assert ("lease_expired_total" in body) == (status == 200)


def test_a_port_that_is_taken_stops_nobody(port: int, caplog: pytest.LogCaptureFixture) -> None:
    assert serve_metrics() is None

    assert "metrics cannot be shown" in caplog.text
