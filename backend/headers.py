"""The headers that every answer has, whoever makes it: Django, /graphql, /files/, or nobody.

What an answer says itself stays as it is; here is what is said where nothing was. Without a policy
of its own a page may load nothing, run nothing and be framed by nobody.
"""

from collections.abc import Mapping

from django.conf import settings
from starlette.datastructures import MutableHeaders
from starlette.types import Message, Scope, Send

NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
# Our few pages have a style element and forms that come back to us.
PAGE = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
# Django's back office has no inline script; styles it sets on elements.
BACK_OFFICE = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
ALWAYS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
REDIRECTS = range(300, 400)


def with_headers(scope: Scope, send: Send) -> Send:
    """`send`, with the headers that are missing in the answer to this request."""

    async def completed(message: Message) -> None:
        if message["type"] == "http.response.start":
            # Django writes names as people do; ASGI compares them in lower case.
            message["headers"] = [(name.lower(), value) for name, value in message["headers"]]
            headers = MutableHeaders(scope=message)
            for name, value in _missing(scope["path"], headers).items():
                headers.setdefault(name, value)
            # A redirect shows nothing that an opener could reach, and an app that opened a window
            # for the payer's wallet wants to hear of it when it comes back.
            if message["status"] not in REDIRECTS:
                headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        await send(message)

    return completed


def _missing(path: str, headers: MutableHeaders) -> dict[str, str]:
    found = {**ALWAYS, "Content-Security-Policy": _policy(path, headers.get("content-type", ""))}
    if settings.SECURE_HTTPS:
        # TLS ends at the proxy, so Django takes many of these requests for plain ones.
        found["Strict-Transport-Security"] = (
            f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains; preload"
        )
    return found


def _policy(path: str, content_type: str) -> str:
    if path.startswith("/admin/"):
        return BACK_OFFICE
    return PAGE if content_type.startswith("text/html") else NOTHING
