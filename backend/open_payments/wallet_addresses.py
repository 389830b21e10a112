"""From what a person types to the URL of a wallet address, and back to what the wallet says.

Spec: Open Payments, concept "wallet addresses"; paymentpointers.org for the `$` spelling.
"""

import re
from collections.abc import Collection
from urllib.parse import unquote

from backend.open_payments import urls
from backend.open_payments.errors import InvalidValue, InvalidWalletAddress

SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
PATH = re.compile(r"(/([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)*")


def normalise_wallet_address(text: str, allowed_origins: Collection[str] = frozenset()) -> str:
    """Turn a payment pointer, `host/path` or URL into the wallet address's URL.

    Only https on the default port of a public host name is accepted, besides the exact
    `scheme://host:port` spellings in `allowed_origins`, which are for development.

    Raises:
        InvalidWalletAddress: with a sentence for the person who typed it.

    Spec: Open Payments, concept "wallet addresses".
    """
    typed = text.strip()
    if not typed or len(typed) > urls.MAX_LENGTH:
        raise InvalidWalletAddress(
            "A wallet address has 1 to 2048 characters, like wallet.example/alice."
        )
    if not urls.PRINTABLE.fullmatch(typed) or "\\" in typed:
        raise InvalidWalletAddress(
            "A wallet address has no spaces and only ASCII characters; write an international "
            "host name in its xn-- form."
        )
    scheme, netloc, path = _split(typed)
    netloc = netloc.lower()
    if scheme == "https":
        netloc = netloc.removesuffix(":443")
    origin = f"{scheme}://{netloc}"
    if origin not in allowed_origins:
        if not SCHEME.match(typed) and f"http://{netloc}" in allowed_origins:
            origin = f"http://{netloc}"
        else:
            _require_public_https(scheme, netloc)
    return origin + _canonical_path(path)


def same_wallet_address(url: str, returned_id: str) -> bool:
    """Tell whether the `id` in a wallet's document names the address that was asked for.

    Same host and port, same path but for its case and one trailing slash, and not less secure:
    an unpatched Rafiki on plain http calls itself https.
    """
    try:
        asked, returned = urls.check_url(url), urls.check_url(returned_id)
    except InvalidValue:
        return False
    return (
        asked.netloc.lower() == returned.netloc.lower()
        and asked.query == returned.query
        and _comparable_path(asked.path) == _comparable_path(returned.path)
        and not urls.is_downgrade(url, returned_id)
    )


def _split(typed: str) -> tuple[str, str, str]:
    spelled_scheme = SCHEME.match(typed)
    rest = typed.removeprefix("$") if not spelled_scheme else typed[spelled_scheme.end() :]
    scheme = spelled_scheme[1].lower() if spelled_scheme else "https"
    if typed.startswith("$") and SCHEME.match(rest):
        raise InvalidWalletAddress("Write either $wallet.example/alice or https://…, not both.")
    if "?" in rest or "#" in rest:
        raise InvalidWalletAddress("A wallet address has no ? or # part.")
    netloc, slash, path = rest.partition("/")
    if "@" in netloc:
        raise InvalidWalletAddress("A wallet address has no user name before its host.")
    return scheme, netloc, slash + path


def _require_public_https(scheme: str, netloc: str) -> None:
    if scheme != "https":
        raise InvalidWalletAddress("A wallet address starts with https:// or $.")
    if ":" in netloc:
        raise InvalidWalletAddress("A wallet address has no port and no IP address.")
    labels = netloc.split(".")
    if len(netloc) > 253 or len(labels) < 2 or not all(LABEL.fullmatch(part) for part in labels):
        raise InvalidWalletAddress("A wallet address names a public host, like wallet.example.")
    # The rule of WHATWG URL: a last label that is a number makes the host an IPv4 address.
    if NUMERIC_LABEL.fullmatch(labels[-1]):
        raise InvalidWalletAddress("A wallet address has a host name, not an IP address.")


def _canonical_path(path: str) -> str:
    if not PATH.fullmatch(path):
        raise InvalidWalletAddress("The part after the host has a character it must not have.")
    segments = unquote(path).split("/")
    if "." in segments or ".." in segments or "//" in path:
        raise InvalidWalletAddress("The part after the host must not contain //, /./ or /../.")
    return path.removesuffix("/") or urls.WELL_KNOWN


def _comparable_path(path: str) -> str:
    return (path.removesuffix("/") or urls.WELL_KNOWN).lower()
