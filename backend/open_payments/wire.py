"""What the synchronous and the asynchronous client share: everything but the waiting."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx

from backend.open_payments.errors import InvalidValue, UnexpectedResponse, WalletUnreachable
from backend.open_payments.exchange import Answer, ListOperation, Operation
from backend.open_payments.keys import Signer
from backend.open_payments.signatures import CONTENT_TYPE, sign_request

Clock = Callable[[], datetime]

# Raised before a byte of the request leaves: there is no connection yet.
NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)
MAX_PAGES = 1000


def system_clock() -> datetime:
    return datetime.now(UTC)


def build_request(
    operation: Operation[Any],
    *,
    build: Callable[..., httpx.Request],
    signer: Signer | None,
    clock: Clock,
) -> httpx.Request:
    """Make the request as it goes on the wire, signed now.

    Raises:
        InvalidValue: there is no signer for an operation that has to be signed, or its URL has
            no host that exists.
    """
    headers = {"Accept": CONTENT_TYPE, "Accept-Encoding": "identity"}
    if operation.token is not None:
        headers["Authorization"] = f"GNAP {operation.token}"
    if operation.body is not None:
        headers["Content-Type"] = CONTENT_TYPE
    try:
        request = build(operation.method, operation.url, content=operation.body, headers=headers)
    except (httpx.InvalidURL, ValueError) as error:  # ValueError: not a host name in IDNA
        raise InvalidValue(f"{operation.name}: the URL cannot be requested ({error})") from error
    if not operation.repeatable:
        # On a kept-alive connection that the wallet has just closed, a request that was never
        # read looks exactly like one that was carried out.
        request.extensions["fresh_connection"] = True
    if operation.signed:
        if signer is None:
            raise InvalidValue(f"{operation.name} has to be signed, but the client has no key")
        signed = sign_request(
            method=operation.method,
            url=target_uri(request),
            headers=headers,
            body=operation.body,
            signer=signer,
            created=clock(),
        )
        request.headers.update(signed)
    return request


def target_uri(request: httpx.Request) -> str:
    """Tell the URL with the bytes that go on the wire.

    str(request.url) differs: it has no slash for an empty path and keeps the fragment.
    """
    url = request.url
    return f"{url.scheme}://{url.netloc.decode('ascii')}{url.raw_path.decode('ascii')}"


def answer_from(response: httpx.Response) -> Answer:
    return Answer(
        status=response.status_code,
        headers={name.lower(): value for name, value in response.headers.items()},
        body=response.content,
    )


def unreachable(operation: Operation[Any], error: httpx.HTTPError) -> WalletUnreachable:
    """Say what a transport error means; in doubt, that the request was sent."""
    return WalletUnreachable(
        operation.name,
        reason=type(error).__name__,
        request_sent=not isinstance(error, NOT_SENT),
    )


def too_many_pages(operation: ListOperation[Any]) -> UnexpectedResponse:
    reason = f"the list has more than {MAX_PAGES} pages"
    return UnexpectedResponse(operation.name, status=operation.expected_status, reason=reason)
