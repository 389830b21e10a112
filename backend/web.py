"""What every ASGI application beside Django has to do itself: hosts and origins."""

from collections.abc import Sequence

from django.conf import settings
from django.http.request import split_domain_port, validate_host
from starlette.datastructures import Headers

CORS_MAX_AGE_SECONDS = 600


def is_our_host(headers: Headers) -> bool:
    """Whether the request is for a name in ALLOWED_HOSTS."""
    domain, _ = split_domain_port(headers.get("host", ""))
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def cors_headers(
    origin: str | None,
    *,
    methods: Sequence[str],
    allowed_headers: Sequence[str],
    exposed_headers: Sequence[str] = (),
) -> dict[str, str]:
    """The headers that let a page of `origin` read the answer, if CORS_ORIGINS has it.

    No credentials: a token travels in a header that pages set themselves, or in the URL. The
    answer has to say `Vary: Origin` either way.
    """
    if origin is None or origin not in settings.CORS_ORIGINS:
        return {}
    headers = {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": ", ".join(methods),
        "Access-Control-Allow-Headers": ", ".join(allowed_headers),
        "Access-Control-Max-Age": str(CORS_MAX_AGE_SECONDS),
    }
    if exposed_headers:
        headers["Access-Control-Expose-Headers"] = ", ".join(exposed_headers)
    return headers
