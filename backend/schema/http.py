"""/graphql over HTTP and WebSocket: one ASGI application beside Django.

Django's own stack (middleware, request objects, a thread per request) has nothing to give a
request that carries a bearer token and no cookie; without it a small query costs half as much.
What it would have done that matters is here: hosts, origins, body checks, headers.
"""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from datetime import timedelta
from json import JSONDecodeError
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

from cross_web import AsyncHTTPRequestAdapter, HTTPException
from django.conf import settings
from django.http.request import split_domain_port
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http import GraphQLRequestData
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.http.streaming import SSETransport
from strawberry.schema import BaseSchema
from strawberry.subscriptions import (
    GRAPHQL_SSE_PROTOCOL,
    GRAPHQL_TRANSPORT_WS_PROTOCOL,
    MULTIPART_SUBSCRIPTION_PROTOCOL,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
)
from strawberry.types.unset import UNSET, UnsetType

from backend import locales
from backend.errors import ErrorCode
from backend.events.hub import hub
from backend.payments.links import finished_url
from backend.schema.context import Context
from backend.schema.graphiql import PAGE_POLICY, graphiql_page
from backend.schema.seats import sockets
from backend.schema.tabs import read_example, tabs
from backend.telemetry.context import REQUEST_ID_HEADER
from backend.web import cors_headers, is_our_host, strict_json

log = logging.getLogger(__name__)

MAX_SUBSCRIPTIONS = 20
INIT_TIMEOUT = timedelta(seconds=10)
_LOOPBACK_HOSTS = {"127.0.0.1", "localhost", "[::1]"}
# A Host is what the client says; where it calls from is not.
_LOOPBACK_PEERS = {"127.0.0.1", "::1"}
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}


class LineFeedSSE(SSETransport):
    """Server-sent events that end with LF: urql splits at LF LF and never finds CRLF CRLF."""

    def encode_event(self, event: str, data: str | None = None) -> str:
        return super().encode_event(event, data).replace("\r\n", "\n")

    def encode_comment(self, comment: str) -> str:
        return super().encode_comment(comment).replace("\r\n", "\n")


class SocketHandler(BaseGraphQLTransportWSHandler[Context, None]):
    """Strawberry's, closing with 4400 where a message of the wrong shape would crash it.

    Nobody has more than SOCKETS_EACH: the next one is closed with 1013, try again later.
    """

    _seat: str | None = None

    async def handle_connection_init(self, message: Any) -> None:
        await super().handle_connection_init(message)
        if self.connection_acknowledged and self._seat is None:
            if sockets.take(self.context.holder):
                self._seat = self.context.holder
            else:
                self.connection_acknowledged = False
                await self.websocket.close(code=1013, reason="Too many sockets")

    async def handle_subscribe(self, message: Any) -> None:
        if self.connection_acknowledged and len(self.operations) >= MAX_SUBSCRIPTIONS:
            reason = f"A socket carries at most {MAX_SUBSCRIPTIONS} operations at a time."
            extensions = {"code": ErrorCode.RATE_LIMITED, "retryable": True}
            payload = [{"message": reason, "extensions": extensions}]
            await self.websocket.send_json(
                {"id": message["id"], "type": "error", "payload": payload}
            )
            return
        await super().handle_subscribe(message)

    async def handle_task_exception(self, error: Exception) -> None:
        # A client that has gone is no news.
        if not isinstance(error, WebSocketDisconnected):
            await super().handle_task_exception(error)

    async def shutdown(self) -> None:
        try:
            await super().shutdown()
        finally:
            if self._seat is not None:
                sockets.leave(self._seat)
                self._seat = None

    async def handle_message(self, message: Any) -> None:
        if not _is_well_formed(message):
            await self.handle_invalid_message("Failed to parse message")
            return
        await super().handle_message(message)


def _is_well_formed(message: Any) -> bool:
    if not isinstance(message.get("type"), str):
        return False
    if message["type"] not in {"subscribe", "complete"}:
        return True
    if not isinstance(message.get("id"), str):
        return False
    if message["type"] == "complete":
        return True
    payload = message.get("payload")
    return isinstance(payload, dict) and _is_well_formed_operation(payload)


def _is_well_formed_operation(operation: dict[str, Any]) -> bool:
    return (
        isinstance(operation.get("query"), str)
        and isinstance(operation.get("variables"), dict | None)
        and isinstance(operation.get("operationName"), str | None)
        and isinstance(operation.get("extensions"), dict | None)
    )


class GraphQLApp(GraphQL[Context, None]):
    """POST runs an operation, a WebSocket many, GET shows GraphiQL where that is enabled."""

    graphql_transport_ws_handler_class = SocketHandler
    stream_transport_classes_by_protocol = {
        **GraphQL.stream_transport_classes_by_protocol,
        GRAPHQL_SSE_PROTOCOL: LineFeedSSE,
    }

    def __init__(self, schema: BaseSchema) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            allow_queries_via_get=False,
            subscription_protocols=(
                GRAPHQL_TRANSPORT_WS_PROTOCOL,
                MULTIPART_SUBSCRIPTION_PROTOCOL,
                GRAPHQL_SSE_PROTOCOL,
            ),
            connection_init_wait_timeout=INIT_TIMEOUT,
            max_subscriptions_per_connection=MAX_SUBSCRIPTIONS,
            allowed_origins=sorted(settings.CORS_ORIGINS),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            if not is_our_host(Headers(scope=scope)):
                await WebSocket(scope, receive, send).close(1008)
                return
            await super().__call__(scope, receive, send)
            return
        request = Request(scope, receive)
        response = await self._respond(request)
        response.headers.update(_cors_headers(request))
        response.headers.add_vary_header("Origin")
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        try:
            if not is_our_host(request.headers):
                raise HTTPException(400, "This host is not served here.")
            if request.method == "OPTIONS":
                return Response(status_code=204, headers={"Allow": "GET, POST, OPTIONS"})
            if request.method == "GET" and settings.GRAPHIQL:
                return _graphiql(request)
            if request.method != "POST":
                return _refusal(405, "Send operations with POST.", {"Allow": "POST, OPTIONS"})
            _check_headers(request.headers)
            return await self.run(request)
        except ClientDisconnect:
            raise
        except HTTPException as error:
            return _refusal(error.status_code, error.reason)
        except Exception:
            log_id = uuid4().hex
            log.exception("GraphQL request %s", log_id, extra={"log_id": log_id})
            extensions = {"code": ErrorCode.INTERNAL, "logId": log_id}
            body = {"errors": [{"message": "Internal error.", "extensions": extensions}]}
            return JSONResponse(body, status_code=500, headers=_HEADERS)

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> Context:
        connection = cast("HTTPConnection", request)
        return Context(
            bearer=connection.headers.get("authorization"),
            remote_address=connection.client.host if connection.client else "",
            accept_language=connection.headers.get("accept-language", ""),
            request=connection,
            response_headers=response.headers if isinstance(response, Response) else None,
        )

    async def on_ws_connect(self, context: Context) -> UnsetType | dict[str, object] | None:
        for name, value in (context.connection_params or {}).items():
            text = value if isinstance(value, str) else ""
            if name.lower() == "authorization":
                context.bearer = text
            elif name.lower() == "accept-language":
                context.accept_language = text
        if context.bearer is not None:
            # Each operation looks again; this look only refuses the socket early, with 4403.
            try:
                viewer = await context.for_operation().viewer()
            except Exception as error:
                raise ConnectionRejectionError from error
            if viewer is not None:
                context.holder = str(viewer.pk)
        return cast("UnsetType", UNSET)

    async def parse_http_body(
        self, request: AsyncHTTPRequestAdapter
    ) -> GraphQLRequestData | list[GraphQLRequestData]:
        try:
            data = strict_json(await request.get_body())
        except JSONDecodeError as error:
            raise HTTPException(400, "The body must be one JSON object, in UTF-8.") from error
        if not _is_well_formed_operation(data):
            raise HTTPException(400, "query must be a text, variables an object.")
        transport = self._get_stream_transport_from_headers(request.headers)
        return GraphQLRequestData(
            query=data["query"],
            variables=data.get("variables"),
            operation_name=data.get("operationName"),
            extensions=data.get("extensions"),
            protocol=transport.protocol if transport else "http",
        )

    def decode_json(self, data: str | bytes) -> object:
        return strict_json(data)

    def create_response(self, response_data: Any, sub_response: Response) -> Response:
        body = json.dumps(response_data, separators=(",", ":"), ensure_ascii=False)
        language = sub_response.headers.get("content-language", locales.ENGLISH)
        headers = {**_HEADERS, "Content-Language": language, "Vary": "Accept-Language"}
        status, wait = _overload(response_data)
        return Response(
            body.encode(), status, media_type="application/json", headers={**headers, **wait}
        )

    def _stream_result(self, request: Any, result: Any, transport: Any) -> Any:
        stream = super()._stream_result(request, result, transport)

        async def closing() -> AsyncGenerator[str, None]:
            # Strawberry leaves a subscription open when its client goes while an item is on its
            # way: it would follow its topic until the garbage collector finds it.
            try:
                async with aclosing(stream()) as items:
                    async for item in items:
                        yield item
            finally:
                await result.aclose()

        return closing

    async def create_streaming_response(
        self,
        request: Request | WebSocket,
        stream: Callable[[], Any],
        sub_response: Response,
        headers: Mapping[str, str],
    ) -> Response:
        return ClosingResponse(
            _until_stopping(stream()),
            status_code=sub_response.status_code or 200,
            headers={**sub_response.headers, **_HEADERS, **headers},
        )


class ClosingResponse(StreamingResponse):
    """Starlette's, which closes its generator however it ends."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await cast("AsyncGenerator[str, None]", self.body_iterator).aclose()


async def _until_stopping(stream: AsyncGenerator[str, None]) -> AsyncGenerator[str, None]:
    """Cut the stream when the server is asked to stop, without saying that it is complete.

    The client then knows that it lost the connection, and resumes with its last cursor.
    """
    stopping = asyncio.ensure_future(hub().stopping.wait())
    item: asyncio.Future[str] | None = None
    try:
        while True:
            item = asyncio.ensure_future(anext(stream))
            await asyncio.wait({item, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not item.done():
                return
            try:
                yield item.result()
            except StopAsyncIteration:
                return
    finally:
        stopping.cancel()
        if item is not None:
            # A generator can only be closed once nobody waits for its next item.
            item.cancel()
            await asyncio.gather(item, return_exceptions=True)
        await stream.aclose()


def _overload(answer: dict[str, Any]) -> tuple[int, dict[str, str]]:
    """The status of an answer, and how long to wait where a part of it was RATE_LIMITED.

    An answer that has data is 200, whatever is missing of it: clients drop the body of others.
    """
    errors = [each.get("extensions", {}) for each in answer.get("errors", ())]
    refused = [each for each in errors if each.get("code") == ErrorCode.RATE_LIMITED]
    if not refused:
        return 200, {}
    wait = max(each["retryAfterSeconds"] for each in refused)
    is_all = answer.get("data") is None and len(refused) == len(errors)
    return 429 if is_all else 200, {"Retry-After": str(wait)}


def _check_headers(headers: Headers) -> None:
    media_type, _, parameters = headers.get("content-type", "").lower().partition(";")
    charset = parameters.replace(" ", "").replace('"', "").partition("charset=")[2]
    if media_type.strip() != "application/json" or charset not in {"", "utf-8", "utf8"}:
        raise HTTPException(415, "Send Content-Type: application/json, in UTF-8.")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(415, "Send the body without Content-Encoding.")


def _cors_headers(request: Request) -> dict[str, str]:
    return cors_headers(
        request.headers.get("origin"),
        methods=("POST",),
        allowed_headers=("authorization", "content-type"),
        exposed_headers=(REQUEST_ID_HEADER, "Retry-After"),
    )


def _graphiql(request: Request) -> Response:
    var_dir = Path(settings.VAR_DIR)
    example = read_example(var_dir / "up.json") if _may_show_tokens(request) else None
    page = graphiql_page(
        graphql_url="/graphql",
        subscription_url="/graphql",
        assets_dir=var_dir / "graphiql",
        default_tabs=tabs(example, return_url=finished_url()),
    )
    return HTMLResponse(page, headers={**_HEADERS, "Content-Security-Policy": PAGE_POLICY})


def _may_show_tokens(request: Request) -> bool:
    domain, _ = split_domain_port(request.headers.get("host", ""))
    peer = request.client.host if request.client else ""
    # Somebody who opens the page sends no Origin; a script of another page that reads it does.
    asked_by_a_page = "origin" in request.headers
    on_loopback = domain in _LOOPBACK_HOSTS and peer in _LOOPBACK_PEERS
    return settings.DEBUG and on_loopback and not asked_by_a_page


def _refusal(status: int, reason: str, headers: Mapping[str, str] | None = None) -> Response:
    body = {"errors": [{"message": reason, "extensions": {"code": ErrorCode.BAD_REQUEST}}]}
    return JSONResponse(body, status_code=status, headers={**_HEADERS, **(headers or {})})
