import pytest
from django.test import Client
from pytest_django import Settings

pytestmark = pytest.mark.django_db


def test_the_process_says_that_it_lives(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


def test_health_has_the_shape_that_integrators_know(client: Client) -> None:
    body = client.get("/health").json()

    assert (body["status"], body["service"]) == ("ok", "payments")
    assert body["time"].endswith("Z")


def test_ready_names_every_dependency(client: Client) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["checks"]["database"] == "ok"
    assert answer.json()["checks"]["migrations"] == "ok"


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
