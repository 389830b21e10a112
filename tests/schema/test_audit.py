"""The twelve things that graphql-cop looks for, asked of the real server as it asks them."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest
from pytest_django import Settings

import backend.urls  # noqa: F401 - which differ without GraphiQL
from backend.accounts import tokens
from backend.clock import SYSTEM_CLOCK
from tests.jobs.people import a_person
from tests.schema.server import Server

Ask = Callable[..., httpx.Response]
TYPENAME = "{ __typename }"


def answered(answer: httpx.Response) -> bool:
    """Whether anything was carried out."""
    body = answer.json() if answer.headers["content-type"].startswith("application/json") else {}
    return bool(body.get("data")) if isinstance(body, dict) else bool(body)


def run(ask: Ask, query: str) -> httpx.Response:
    return ask("POST", json={"query": query})


def aliases(ask: Ask) -> bool:
    return answered(run(ask, "{ " + " ".join(f"a{n}: __typename" for n in range(101)) + " }"))


def batches(ask: Ask) -> bool:
    return answered(ask("POST", json=[{"query": TYPENAME}] * 10))


def circular_introspection(ask: Ask) -> bool:
    fields = "fields { name type " + "{ fields { name type " * 4 + "{ name }" + " } }" * 4 + " }"
    return answered(run(ask, f"{{ __schema {{ types {{ name {fields} }} }} }}"))


def directives(ask: Ask) -> bool:
    answer = run(ask, "{ __typename " + "@aa" * 10 + " }")
    return len(answer.json()["errors"]) >= 10


def duplicated_fields(ask: Ask) -> bool:
    return answered(run(ask, "{ " + "__typename " * 500 + "}"))


def suggestions(ask: Ask) -> bool:
    return "Did you mean" in run(ask, "{ jobz { id } viewe { id } __schema { directive } }").text


def queries_by_get(ask: Ask) -> bool:
    return answered(ask("GET", params={"query": TYPENAME}))


def mutations_by_get(ask: Ask) -> bool:
    return answered(ask("GET", params={"query": "mutation { logOut { errors { code } } }"}))


def forms(ask: Ask) -> bool:
    return answered(ask("POST", data={"query": TYPENAME}))


def introspection(ask: Ask) -> bool:
    return answered(run(ask, "{ __schema { types { name fields { name } } } }"))


def an_ide(ask: Ask) -> bool:
    shown = [ask("GET", path=path, headers={"Accept": "text/html"}) for path in ("", "/", "-ui")]
    shown += [ask("GET", root=f"/{name}") for name in ("graphiql", "playground", "console")]
    return any("graphiql" in each.text.lower() and each.is_success for each in shown)


def traces(ask: Ask) -> bool:
    answer = run(ask, TYPENAME)
    broken = run(ask, "{")
    texts = [answer.text, broken.text]
    return any(word in text for text in texts for word in ("tracing", "Traceback", "stacktrace"))


CHECKS: Mapping[str, Callable[[Ask], bool]] = {
    "alias overloading": aliases,
    "array batching": batches,
    "circular introspection": circular_introspection,
    "directive overloading": directives,
    "field duplication": duplicated_fields,
    "field suggestions": suggestions,
    "queries by GET": queries_by_get,
    "mutations by GET": mutations_by_get,
    "forms": forms,
    "introspection": introspection,
    "an IDE": an_ide,
    "traces": traces,
}
# The schema is public, in the repository too, so that suggestions tell nobody anything.
DECIDED = {"introspection", "field suggestions"}


@pytest.mark.parametrize("logged_in", [False, True], ids=["nobody", "somebody"])
def test_an_audit_finds_what_was_decided_and_nothing_else(
    server: Server, settings: Settings, logged_in: bool
) -> None:
    settings.DEBUG = settings.GRAPHIQL = False
    headers: dict[str, str] = {}
    if logged_in:
        token = tokens.issue(user=a_person("auditor"), label="", now=SYSTEM_CLOCK.now())
        headers["Authorization"] = f"Bearer {token}"

    def ask(method: str, *, path: str = "", root: str = "", **parts: Any) -> httpx.Response:
        url = f"{server.http}{root}" if root else f"{server.graphql}{path}"
        more = {**headers, **parts.pop("headers", {})}
        return httpx.request(method, url, headers=more, timeout=10, **parts)

    assert len(CHECKS) == 12
    assert {name for name, is_open in CHECKS.items() if is_open(ask)} == DECIDED
