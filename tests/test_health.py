from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from backend import health

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "ANSWER_LIVES_SECONDS", 0)


def test_the_process_says_that_it_lives(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_need_not_know_the_name_of_the_server(
    client: Client, settings: Settings, path: str
) -> None:
    settings.ALLOWED_HOSTS = ["pay.example"]

    assert client.get(path, headers={"host": "10.0.0.7:8000"}).status_code == 200
    assert client.get("/health", headers={"host": "10.0.0.7:8000"}).status_code == 400


def test_without_a_database_nothing_is_asked_of_its_migrations(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> bool:
        raise OperationalError

    monkeypatch.setattr(health, "_ask_database", fail)
    monkeypatch.setattr(health, "_ask_migrations", lambda: pytest.fail("it was asked"))

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["checks"]["migrations"] == "failed"


def test_health_has_the_shape_that_integrators_know(client: Client) -> None:
    body = client.get("/health").json()

    assert (body["status"], body["service"]) == ("ok", "payments")
    assert body["time"].endswith("Z")


def test_ready_names_every_dependency(client: Client) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["checks"]["database"] == "ok"
    assert answer.json()["checks"]["migrations"] == "ok"


def test_however_many_ask_the_dependencies_are_asked_once_a_second(
    client: Client, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    client.get("/readyz")
    monkeypatch.setattr(health, "ANSWER_LIVES_SECONDS", 60)

    with django_assert_num_queries(0):
        answers = [client.get("/readyz").json() for _ in range(3)]

    assert [answer["checks"]["migrations"] for answer in answers] == ["ok"] * 3


def test_without_redis_it_is_ready_but_degraded(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["checks"]["redis"] == "failed"


def test_the_root_leads_to_graphiql(client: Client) -> None:
    assert client.get("/").headers["location"] == "/graphql"


@pytest.mark.parametrize("name", ["nothing.js", "../settings.py", "%2e%2e/settings.py"])
def test_graphiql_has_no_other_files(client: Client, name: str) -> None:
    assert client.get(f"/graphiql/{name}").status_code == 404
