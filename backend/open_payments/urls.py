"""URLs learnt from documents: their shape, their origin, and what may follow from which.

Open Payments URLs are used verbatim, never derived, so they are only checked here.
"""

import re
from urllib.parse import SplitResult, urlsplit

from backend.open_payments.errors import InvalidValue, MismatchedResponse

MAX_LENGTH = 2048
PRINTABLE = re.compile(r"[\x21-\x7e]+")
DEFAULT_PORTS = {"https": 443, "http": 80}
WELL_KNOWN = "/.well-known/pay"


def check_url(url: str, *, what: str = "the URL") -> SplitResult:
    """Accept an absolute http(s) URL with a host, without user-info or fragment.

    Raises:
        InvalidValue: it is anything else, or too long, or not ASCII.
    """
    if len(url) > MAX_LENGTH or not PRINTABLE.fullmatch(url) or "\\" in url:
        raise InvalidValue(f"{what} is not a plain URL of at most {MAX_LENGTH} characters")
    try:
        parts = urlsplit(url)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError as error:
        raise InvalidValue(f"{what} is not a URL") from error
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or not port_is_valid:
        raise InvalidValue(f"{what} is not an absolute http or https URL")
    if "@" in parts.netloc or "#" in url:
        raise InvalidValue(f"{what} has user-info or a fragment")
    return parts


def origin(url: str) -> tuple[str, str, int]:
    """Tell scheme, host and port, with default ports spelled out."""
    parts = check_url(url)
    port = DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port
    return parts.scheme, parts.hostname or "", port


def require_same_origin(url: str, *, as_url: str, what: str) -> None:
    """Refuse a URL that would send our token or our user to another server.

    Raises:
        MismatchedResponse: `url` is on another scheme, host or port than `as_url`.

    Spec: RFC 9635 section 11.12 (mix-up of authorization servers).
    """
    asked, received = origin(as_url), origin(url)
    if asked != received:
        # Only the origins: continuation and management URLs are secrets, and errors are logged.
        raise MismatchedResponse(f"{what} origin", expected=asked, received=received)


def require_same_resource(received: str, *, asked: str, what: str) -> None:
    """Refuse a resource with another URL than the one that was asked for.

    Only the scheme may differ, and only towards https: an unpatched Rafiki on plain http calls
    itself https.
    """
    if received == asked:
        return
    one, other = check_url(asked), check_url(received)
    same_place = (one.netloc.lower(), one.path, one.query) == (
        other.netloc.lower(),
        other.path,
        other.query,
    )
    if not same_place or is_downgrade(asked, received):
        raise MismatchedResponse(what, expected=asked, received=received)


def is_downgrade(known: str, learnt: str) -> bool:
    """Tell whether following `learnt` would leave https for http."""
    return check_url(known).scheme == "https" and check_url(learnt).scheme == "http"


def collection(resource_server: str, name: str) -> str:
    check_url(resource_server, what="resource_server")
    return f"{resource_server.removesuffix('/')}/{name}"
