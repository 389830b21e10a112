"""The built GraphiQL page, used in a real browser against a real server."""

import asyncio
import json
import subprocess
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import pytest
import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route, WebSocketRoute
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL

from backend.schema.graphiql import ASSETS_URL, Tab, asset, graphiql_page
from tests.conformance.conftest import GRAPHIQL, HERE

AUTHORIZATION = {"Authorization": "Bearer t0ken</script>"}
TABS = (
    Tab(
        query="query Greeting($name: String!) {\n  greeting(name: $name)\n}",
        variables={"name": "Zoë"},
        headers=AUTHORIZATION,
    ),
    Tab(query="subscription Ticks {\n  ticks(count: 3)\n}", headers=AUTHORIZATION),
    Tab(query="subscription Stranger {\n  ticks(count: 3)\n}", headers={"Authorization": "?"}),
)

REFUSED = "Socket closed with event 4403 Forbidden"


@strawberry.type
class Query:
    @strawberry.field
    def greeting(self, info: strawberry.Info, name: str) -> str:
        return f"{name} over HTTP: {info.context['request'].headers['authorization']}"


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def ticks(self, info: strawberry.Info, count: int) -> AsyncGenerator[str, None]:
        token = info.context["connection_params"]["Authorization"]
        for number in range(1, count + 1):
            yield f"tick {number} over a socket: {token}"
            await asyncio.sleep(0.05)


class Server(GraphQL[Any, Any]):
    async def on_ws_connect(self, context: Any) -> Any:
        if context["connection_params"] != AUTHORIZATION:
            raise ConnectionRejectionError
        return await super().on_ws_connect(context)


def graphiql_server(assets_dir: Path) -> Starlette:
    async def show_page(_: Request) -> Response:
        page = graphiql_page(
            graphql_url="/graphql",
            subscription_url="/graphql",
            assets_dir=assets_dir,
            default_tabs=TABS,
        )
        return HTMLResponse(page)

    async def show_asset(request: Request) -> Response:
        found = asset(path=request.path_params["path"], assets_dir=assets_dir)
        if found is None:
            return Response(status_code=404)
        return Response(found[1], media_type=found[0])

    graphql = Server(
        strawberry.Schema(Query, subscription=Subscription),
        graphql_ide=None,
        subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
    )
    return Starlette(
        routes=[
            Route("/graphql", show_page, methods=["GET"]),
            Route("/graphql", graphql),
            WebSocketRoute("/graphql", graphql),
            Route(f"{ASSETS_URL}{{path:path}}", show_asset),
        ]
    )


@pytest.fixture(scope="module")
def page_url(node: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on loopback that shows a freshly built page."""
    assets_dir = tmp_path_factory.mktemp("graphiql")
    subprocess.run([node, str(GRAPHIQL / "build.mjs"), str(assets_dir)], check=True, timeout=120)
    server = uvicorn.Server(
        uvicorn.Config(graphiql_server(assets_dir), port=0, log_level="error", lifespan="off")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/graphql"
    server.should_exit = True
    thread.join(timeout=20)
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def seen(node: str, browser: str, page_url: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What a visit to the page saw; graphiql.mjs says how it goes."""
    visit = {
        "url": page_url,
        "executable": browser,
        "screenshots": str(tmp_path_factory.mktemp("screenshots")),
    }
    done = subprocess.run(
        [node, "graphiql.mjs", json.dumps(visit)],
        cwd=HERE,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_the_page_needs_no_other_host_and_meets_no_error_but_the_refusal(seen: Any) -> None:
    assert seen["errors"] == [f"Error: {REFUSED}"]
    assert seen["foreign"] == []


def test_a_seeded_query_runs_with_its_variables_and_headers(seen: Any) -> None:
    answer = json.loads(seen["answers"]["Greeting"])

    assert answer["data"]["greeting"] == "Zoë over HTTP: Bearer t0ken</script>"


def test_a_seeded_subscription_runs_and_its_headers_reach_the_connection_params(seen: Any) -> None:
    answer = json.loads(seen["answers"]["Ticks"])

    assert answer["data"]["ticks"] == "tick 3 over a socket: Bearer t0ken</script>"


def test_a_refused_token_is_told_at_once(seen: Any) -> None:
    assert f'"message": "{REFUSED}"' in seen["answers"]["Stranger"]


def test_seeded_tabs_still_run_after_a_reload(seen: Any) -> None:
    assert seen["tabsAfterReload"] == seen["tabs"] == ["Greeting", "Ticks", "Stranger"]
    assert json.loads(seen["answerAfterReload"]) == json.loads(seen["answers"]["Greeting"])


def test_a_long_line_is_wrapped_so_that_what_follows_is_seen_from_its_beginning(seen: Any) -> None:
    assert seen["scrolledTo"] == 0


def test_the_language_workers_are_ours_and_complete_from_the_schema(seen: Any) -> None:
    assert "greeting" in seen["suggestions"]
    assert {worker.rpartition("/")[2] for worker in seen["workers"]} == {
        "editor.worker.js",
        "graphql.worker.js",
        "json.worker.js",
    }
