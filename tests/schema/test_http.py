"""/graphql against whatever may arrive: a coded refusal, and never a 500."""

import json
import socket
from typing import Any

import httpx
import pytest
from limits import RateLimitItemPerMinute
from pytest_django import Settings

from backend import rate_limits
from backend.accounts.api_keys import create_api_key
from backend.accounts.models import Scope
from backend.ids import new_id
from tests.jobs.people import NOON, a_person
from tests.schema.server import Server

GOOD = b'{"query": "{ __typename }"}'
PAGE = "https://app.example"

pytestmark = pytest.mark.django_db(transaction=True)


def post(server: Server, body: bytes, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(
        server.graphql,
        content=body,
        headers={"Content-Type": "application/json", **named},
        timeout=10,
    )


def test_a_query_is_answered(server: Server) -> None:
    answer = post(server, GOOD)

    assert answer.status_code == 200
    assert answer.json() == {
        "data": {"__typename": "Query"},
        "extensions": {"cost": {"requested": 1, "limit": 6000}},
    }
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


BODIES: dict[str, bytes] = {
    "empty": b"",
    "null": b"null",
    "a number": b"1",
    "a text": b'"x"',
    "a list": b"[]",
    "a batch": b"[" + GOOD + b"]",
    "a batch of ten": b"[" + b",".join([GOOD] * 10) + b"]",
    "an empty object": b"{}",
    "no query": b'{"variables": {}}',
    "an empty query": b'{"query": ""}',
    **{
        f"query {value}": b'{"query": ' + value.encode() + b"}"
        for value in ("null", "1", "true", "[]", "{}")
    },
    **{
        f"variables {value}": b'{"query": "{ __typename }", "variables": ' + value.encode() + b"}"
        for value in ("1", "[]", '"x"', "true")
    },
    "extensions 1": b'{"query": "{ __typename }", "extensions": 1}',
    "operationName 1": b'{"query": "{ __typename }", "operationName": 1}',
    "operationName of nobody": b'{"query": "{ __typename }", "operationName": "X"}',
    "NaN": b'{"query": "{ __typename }", "variables": {"a": NaN}}',
    "Infinity": b'{"query": "{ __typename }", "variables": {"a": -Infinity}}',
    "many [": b"[" * 20_000,
    "many {": b'{"a":' * 20_000,
    "deep variables": b'{"query": "{ __typename }", "variables": {"a": '
    + b"[" * 10_000
    + b"]" * 10_000
    + b"}}",
    "depth 40": b'{"query": "{ __typename }", "variables": {"a": ' + b"[" * 40 + b"]" * 40 + b"}}",
    "invalid UTF-8": b'{"query": "\xff"}',
    "UTF-16": '{"query": "{ __typename }"}'.encode("utf-16"),
    "BOM": b"\xef\xbb\xbf" + GOOD,
    "a lone surrogate": b'{"query": "{ __typename }", "variables": {"a": "\\ud800"}}',
    "NUL": b'{"query": "{ __typename }", "variables": {"a": "\\u0000"}}',
    "a huge number": b'{"query": "{ __typename }", "variables": {"a": ' + b"9" * 5_000 + b"}}",
    "not JSON": b"query { __typename }",
    "half": b'{"query": ',
}


@pytest.mark.parametrize("name", BODIES)
def test_a_malformed_body_is_a_bad_request(server: Server, name: str) -> None:
    answer = post(server, BODIES[name])

    assert answer.status_code == 400
    assert code_of(answer) == "BAD_REQUEST"


@pytest.mark.parametrize(
    "body",
    [
        b'{"query": "{ __typename }", "query": "{ __typename }"}',
        b'{"query": "{ __typename }", "variables": {"a": 1e400}}',
        b'{"query": "{ __typename }", "unknown": 1}',
        b'{"query": "{ __typename }", "variables": null, "operationName": null}',
    ],
)
def test_what_is_odd_but_json_is_answered(server: Server, body: bytes) -> None:
    assert post(server, body).json()["data"] == {"__typename": "Query"}


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "application/jsonx",
        "application/json; charset=utf-16",
        "application/json, application/json",
    ],
)
def test_only_json_is_read(server: Server, content_type: str) -> None:
    answer = post(server, GOOD, Content_Type=content_type)

    assert (answer.status_code, code_of(answer)) == (415, "BAD_REQUEST")


def test_json_in_utf8_may_say_so(server: Server) -> None:
    answer = post(server, GOOD, Content_Type='Application/JSON; charset="UTF-8"')

    assert answer.status_code == 200


@pytest.mark.parametrize("encoding", ["gzip", "br", "bogus", "gzip, gzip"])
def test_a_compressed_body_is_not_read(server: Server, encoding: str) -> None:
    assert post(server, GOOD, Content_Encoding=encoding).status_code == 415


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH", "TRACE"])
def test_other_methods_are_not_allowed(server: Server, method: str) -> None:
    answer = httpx.request(method, server.graphql)

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST, OPTIONS")


def test_no_query_runs_by_get(server: Server, settings: Settings) -> None:
    settings.GRAPHIQL = False

    answer = httpx.get(server.graphql, params={"query": "{ __typename }"})

    assert answer.status_code == 405
    assert "data" not in answer.json()


def test_graphiql_is_shown_where_it_is_enabled(server: Server, settings: Settings) -> None:
    settings.GRAPHIQL = True

    answer = httpx.get(server.graphql, params={"query": "{ __typename }"})

    assert answer.headers["content-type"].startswith("text/html")
    assert "__typename" not in answer.text


def test_a_subscription_without_a_streaming_accept_is_refused(server: Server) -> None:
    body = json.dumps({"query": 'subscription { paymentStatus(paymentId: "x") { cursor } }'})

    answer = post(server, body.encode())

    assert answer.status_code == 400
    assert code_of(answer) == "BAD_REQUEST"


@pytest.mark.parametrize("accept", ["text/event-stream", 'multipart/mixed;subscriptionSpec="1.0"'])
def test_a_stream_of_nothing_ends_with_a_code(server: Server, accept: str) -> None:
    body = json.dumps({"query": 'subscription { paymentStatus(paymentId: "x") { cursor } }'})

    answer = post(server, body.encode(), Accept=accept)

    assert answer.status_code == 200
    assert '"code":"NOT_FOUND"' in answer.text


@pytest.mark.parametrize("path", ["/graphql", "/healthz", "/nowhere"])
@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_above_the_limit_is_refused_everywhere(
    server: Server, path: str, chunked: bool
) -> None:
    body: Any = (b"x" * 50_000 for _ in range(4)) if chunked else b"x" * 200_000

    answer = httpx.post(
        server.http + path, content=body, headers={"Content-Type": "application/json"}
    )

    assert (answer.status_code, code_of(answer)) == (413, "BAD_REQUEST")


def test_a_host_that_is_not_ours_is_refused(server: Server) -> None:
    assert post(server, GOOD, Host="evil.example").status_code == 400


RAW = {
    "unknown method": b"NONSENSE /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "length too long": b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{}",
    "negative length": b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
    "length and chunks": b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "bad chunk": b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "control characters": b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nX: \x00\r\n\r\n",
    "huge header": b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nX: "
    + b"x" * 70_000
    + b"\r\n\r\n",
    "no host": b"GET /graphql HTTP/1.0\r\n\r\n",
    "absolute address": b"GET http://evil.example/graphql HTTP/1.1\r\nHost: evil.example\r\n\r\n",
}


@pytest.mark.parametrize("name", RAW)
def test_broken_http_is_refused_or_cut_and_the_server_lives(server: Server, name: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(RAW[name])
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65_536)

    assert not answer.startswith(b"HTTP/1.1 5")
    assert not answer.startswith(b"HTTP/1.1 200")
    assert post(server, GOOD).status_code == 200


def test_a_listed_page_may_call_with_a_token_and_others_may_not(
    server: Server, settings: Settings
) -> None:
    settings.CORS_ORIGINS = frozenset({PAGE})

    ours = httpx.options(server.graphql, headers={"Origin": PAGE})
    theirs = httpx.options(server.graphql, headers={"Origin": "https://evil.example"})

    assert ours.headers["access-control-allow-origin"] == PAGE
    assert "authorization" in ours.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in ours.headers
    assert "access-control-allow-origin" not in theirs.headers
    assert theirs.headers["vary"] == "Origin"


def test_an_invalid_argument_is_a_bad_request_with_a_reason(server: Server) -> None:
    query = (
        "mutation { fundJob(input: {jobId: 1, returnUrl: 1, idempotencyKey: 1}) { __typename } }"
    )

    errors = post(server, json.dumps({"query": query}).encode()).json()["errors"]

    assert {error["extensions"]["code"] for error in errors} == {"BAD_REQUEST"}
    assert "UUID is a string" in str(errors)


def ask(server: Server, query: str, **headers: str) -> httpx.Response:
    return post(server, json.dumps({"query": query}).encode(), **headers)


def test_an_answer_says_what_it_cost_with_its_pages(server: Server) -> None:
    one = ask(server, "{ jobs(first: 1) { edges { node { id } } } }")
    ten = ask(server, "{ jobs(first: 10) { edges { node { id } } } }")
    refused = ask(server, "{ nothing }")

    assert one.json()["extensions"]["cost"] == {"requested": 4, "limit": 6000}
    assert ten.json()["extensions"]["cost"] == {"requested": 31, "limit": 6000}
    assert refused.json()["extensions"]["cost"]["requested"] == 1


@pytest.fixture
def a_busy_key(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> str:
    """A key that has been used as often as it may be."""
    settings.REDIS_PREFIX = f"{settings.REDIS_PREFIX}-{new_id().hex}"
    rate_limits.limiter().reset()
    few = {**rate_limits.LIMITS, "apiKey": RateLimitItemPerMinute(1, namespace="few")}
    monkeypatch.setattr(rate_limits, "LIMITS", few)
    scopes = (Scope.READ, Scope.JOBS)
    made = create_api_key(owner=a_person(), name="Shop", scopes=scopes, test_mode=True, now=NOON)
    rate_limits.hit("apiKey", str(made.key.id))
    return f"Bearer {made.secret}"


def test_what_is_refused_for_its_rate_alone_is_429_with_retry_after(
    server: Server, a_busy_key: str
) -> None:
    query = 'mutation { publishJob(input: {jobId: "1"}) { errors { code } } }'

    answer = ask(server, query, authorization=a_busy_key)

    assert (answer.status_code, code_of(answer)) == (429, "RATE_LIMITED")
    assert 0 < int(answer.headers["retry-after"]) <= 60


def test_what_has_data_is_200_with_retry_after_beside_it(server: Server, a_busy_key: str) -> None:
    answer = ask(server, "{ __typename viewer { id } }", authorization=a_busy_key)

    assert (answer.status_code, code_of(answer)) == (200, "RATE_LIMITED")
    assert answer.json()["data"] == {"__typename": "Query", "viewer": None}
    assert 0 < int(answer.headers["retry-after"]) <= 60


def code_of(answer: httpx.Response) -> str:
    return str(answer.json()["errors"][0]["extensions"]["code"])
