import logging
from typing import Any

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from backend.telemetry.http import observed

REQUEST_ID = "0123456789abcdef"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"] == "/op/start/broken":
        raise RuntimeError("on the way")
    await send({"type": "http.response.start", "status": 303, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def http() -> httpx.AsyncClient:
    transport = httpx.ASGITransport(observed(app, served_beside_django=lambda path: None))
    return httpx.AsyncClient(transport=transport, base_url="http://faena.example")


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "backend")
    return caplog


async def test_the_request_id_of_the_proxy_is_answered(http: httpx.AsyncClient) -> None:
    answer = await http.get("/admin/", headers={"X-Request-ID": REQUEST_ID})

    assert answer.headers["x-request-id"] == REQUEST_ID


async def test_one_is_made_for_who_brings_none(http: httpx.AsyncClient) -> None:
    first, second = await http.get("/admin/"), await http.get("/admin/")

    assert first.headers["x-request-id"] != second.headers["x-request-id"]


async def test_the_line_has_the_route_and_neither_capability_nor_query(
    http: httpx.AsyncClient, said: pytest.LogCaptureFixture
) -> None:
    await http.get("/op/finish/capability?interact_ref=secret&hash=secret")

    (record,) = said.records
    assert record.getMessage() == "GET /op/finish/<str:opaque> 303"
    assert record.__dict__["route"] == "/op/finish/<str:opaque>"
    assert record.__dict__["duration_ms"] >= 0


async def test_a_path_that_nobody_serves_is_not_repeated(
    http: httpx.AsyncClient, said: pytest.LogCaptureFixture
) -> None:
    await http.request("INVENTED", "/op/finsh/capability")

    assert said.messages == ["OTHER (none) 303"]


async def test_what_is_asked_all_the_time_is_no_news(
    http: httpx.AsyncClient, said: pytest.LogCaptureFixture
) -> None:
    await http.get("/healthz")

    assert said.messages == []


async def test_a_request_that_breaks_has_its_line(
    http: httpx.AsyncClient, said: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(RuntimeError):
        await http.get("/op/start/broken")

    assert said.messages == ["GET /op/start/<str:opaque> gone"]


async def test_a_socket_has_its_line_when_it_is_over(said: pytest.LogCaptureFixture) -> None:
    async def socket(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 4403})

    sent: list[Message] = []

    async def keep(message: Message) -> None:
        sent.append(message)

    async def nothing() -> Any:
        raise AssertionError

    scope = {"type": "websocket", "path": "/graphql", "headers": [(b"x-request-id", b"a" * 20)]}
    watched = observed(socket, served_beside_django=lambda path: "/graphql")
    await watched(scope, nothing, keep)

    assert (b"x-request-id", b"a" * 20) in sent[0]["headers"]
    assert said.messages == ["WEBSOCKET /graphql 101"]
    assert said.records[0].__dict__["close_code"] == 4403
