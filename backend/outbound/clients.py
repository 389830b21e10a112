"""httpx clients that can be used in no other way than safely."""

from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from backend.outbound.errors import DestinationRefused
from backend.outbound.policy import Policy
from backend.outbound.resolving import Resolver, system_resolver
from backend.outbound.transport import AsyncGuardedTransport, GuardedTransport
from backend.outbound.urls import parse_url

_HEADERS = {"accept": "application/json", "accept-encoding": "identity", "user-agent": "faena"}
_NOWHERE = httpx.URL("https://ambiguous-url-refused.invalid/")


def client(policy: Policy, *, resolve: Resolver = system_resolver) -> httpx.Client:
    """Make the client for threads. One per process, shared by its threads, made after any fork.

    httpx's own `timeout` arguments have no effect on it: the policy's total time has.
    `request.extensions` may carry `total_timeout_seconds` (float) and `fresh_connection` (bool).
    """
    return _Client(transport=GuardedTransport(policy, resolve))


def async_client(policy: Policy, *, resolve: Resolver = system_resolver) -> httpx.AsyncClient:
    """Make the client for coroutines, one per event loop; otherwise the same as `client`."""
    return _AsyncClient(transport=AsyncGuardedTransport(policy, resolve))


def _no_cookies() -> CookieJar:
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


def _unambiguous(url: httpx.URL | str) -> httpx.URL:
    """Judge the text as it was spelt: httpx has its own reading of what URL parsers dispute.

    Whoever builds a request is prepared for failures of sending it, not of building it, so a
    refusal waits for the transport, which sends nothing to this name.
    """
    if isinstance(url, httpx.URL):
        return url
    try:
        return parse_url(url)
    except DestinationRefused:
        return _NOWHERE


class _Client(httpx.Client):
    def __init__(self, *, transport: httpx.BaseTransport) -> None:
        super().__init__(
            transport=transport, trust_env=False, headers=_HEADERS, cookies=_no_cookies()
        )

    def build_request(self, method: str, url: httpx.URL | str, **arguments: Any) -> httpx.Request:
        return super().build_request(method, _unambiguous(url), **arguments)

    def send(self, request: httpx.Request, **arguments: Any) -> httpx.Response:
        # A redirect would carry a signed, token-bearing request to wherever the answer says.
        return super().send(request, **{**arguments, "follow_redirects": False, "auth": None})


class _AsyncClient(httpx.AsyncClient):
    def __init__(self, *, transport: httpx.AsyncBaseTransport) -> None:
        super().__init__(
            transport=transport, trust_env=False, headers=_HEADERS, cookies=_no_cookies()
        )

    def build_request(self, method: str, url: httpx.URL | str, **arguments: Any) -> httpx.Request:
        return super().build_request(method, _unambiguous(url), **arguments)

    async def send(self, request: httpx.Request, **arguments: Any) -> httpx.Response:
        arguments |= {"follow_redirects": False, "auth": None}
        return await super().send(request, **arguments)
