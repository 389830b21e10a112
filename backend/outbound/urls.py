"""The first stage: which URLs are worth resolving at all."""

import re

import httpx

from backend.outbound.errors import DestinationRefused

_MAX_URL_LENGTH = 2048
_DEFAULT_PORTS = {"http": 80, "https": 443}

# Control characters, spaces of every alphabet, and the two characters on which URL parsers
# disagree about where the host begins.
_AMBIGUOUS = re.compile(r"[\x00-\x20\x7f-\xa0\s\\@]")

# A name with a dot whose last label cannot be read as a number (so no IPv4 in any spelling).
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(?:{_LABEL}\.)+(?:[a-z]{{2,63}}|xn--[a-z0-9-]{{1,58}}[a-z0-9])")

# Names that never belong to the public internet (RFC 6761, 6762, 7686, 8375, 9476, ICANN).
_PRIVATE_SUFFIXES = (
    ".alt",
    ".arpa",
    ".internal",
    ".invalid",
    ".local",
    ".localdomain",
    ".localhost",
    ".onion",
    ".test",
)


def check_url(url: str | httpx.URL, *, allowed_origins: frozenset[str] = frozenset()) -> httpx.URL:
    """Parse `url` and refuse what no call of ours may go to. Looks up nothing; safe to repeat.

    `allowed_origins` are normalised development origins (`Policy.allowed_origins`).

    Raises:
        DestinationRefused: not https to a public name on port 443, or ambiguously spelt.
    """
    if isinstance(url, str):
        url = parse_url(url)
    if url.userinfo or url.fragment:
        raise DestinationRefused("the URL has a user or a fragment")
    if origin_of(url) not in allowed_origins:
        _check_public(url)
    return url


def parse_url(text: str) -> httpx.URL:
    """Parse a URL whose spelling leaves no doubt about where its host begins and ends.

    Raises:
        DestinationRefused: it is too long, ambiguous or none at all.
    """
    if len(text) > _MAX_URL_LENGTH:
        raise DestinationRefused("the URL is too long")
    if _AMBIGUOUS.search(text):
        raise DestinationRefused("the URL has characters that hide its host")
    try:
        return httpx.URL(text)
    except (httpx.InvalidURL, UnicodeError, ValueError) as error:
        raise DestinationRefused("the URL cannot be parsed") from error


def origin_of(url: httpx.URL) -> str:
    """Write scheme, ASCII host and port, always with the port: "https://wallet.example:443"."""
    host = url.raw_host.decode("ascii")
    if ":" in host:
        host = f"[{host}]"
    return f"{url.scheme}://{host}:{url.port or _DEFAULT_PORTS.get(url.scheme, 0)}"


def normalise_origin(origin: str) -> str:
    """Bring a configured origin into the form of `origin_of`.

    Raises:
        ValueError: it is not scheme://host[:port], or the scheme is not http or https.
    """
    sentence = f"{origin!r} is not an origin such as http://localhost:4000."
    try:
        url = httpx.URL(origin)
    except httpx.InvalidURL as error:
        raise ValueError(sentence) from error
    has_more = url.userinfo or url.query or url.fragment or url.path not in ("", "/")
    if url.scheme not in _DEFAULT_PORTS or not url.host or has_more:
        raise ValueError(sentence)
    return origin_of(url)


def _check_public(url: httpx.URL) -> None:
    if url.scheme != "https":
        raise DestinationRefused("only https is allowed")
    # httpx leaves the port out where it is the scheme's default.
    if url.port is not None:
        raise DestinationRefused("only port 443 is allowed")
    host = url.raw_host.decode("ascii")
    if len(host) > 253 or not _NAME.fullmatch(host):
        raise DestinationRefused("the host is not a public name")
    if host.endswith(_PRIVATE_SUFFIXES):
        raise DestinationRefused("the host is not a public name")
