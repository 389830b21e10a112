"""Our own addresses around the payer's visit to their wallet.

`/op/start/<opaque>` is what clients get as `redirectUrl`; `/op/finish/<opaque>` is GNAP's
`interact.finish`. Both name a grant by an HMAC only we can make, so neither can be guessed and
nothing has to be stored; nonces never appear in a URL.
"""

import base64
import binascii
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import UUID

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _

from backend.payments.errors import ReturnUrlRefused

FINISHED_PATH = "payments/finish"
# In place of a grant's status, where it came back to another browser: see `confirmGrant`.
CONFIRMATION_REQUIRED = "CONFIRMATION_REQUIRED"


def start_url(grant_id: UUID) -> str:
    """Where the payer's browser goes to approve this grant."""
    return f"{settings.PUBLIC_URL}/op/start/{_seal(grant_id, 'start')}"


def finish_url(grant_id: UUID) -> str:
    """Where the wallet sends the payer's browser back to (RFC 9635 §2.5.2.1)."""
    return f"{settings.PUBLIC_URL}/op/finish/{_seal(grant_id, 'finish')}"


def finished_url() -> str:
    """Where a payer comes out whose client has no page of its own: it says that they can go."""
    return f"{settings.PUBLIC_URL}/{FINISHED_PATH}"


def grant_of_start(opaque: str) -> UUID | None:
    """The grant named by `/op/start/<opaque>`, or None when we did not make it."""
    return _unseal(opaque, "start")


def grant_of_finish(opaque: str) -> UUID | None:
    """The grant named by `/op/finish/<opaque>`, or None when we did not make it."""
    return _unseal(opaque, "finish")


def browser_cookie(grant_id: UUID) -> tuple[str, str]:
    """Name and value of the cookie that ties an approval to the browser that started it."""
    return f"op_{grant_id.hex[-12:]}", _seal(grant_id, "browser")


def is_browser_cookie(grant_id: UUID, value: str | None) -> bool:
    """Whether `value` is the one `browser_cookie` made for this grant."""
    return _is_seal(value or "", grant_id, "browser")


def return_url_with(return_url: str, **parameters: str) -> str:
    """`return_url` with query parameters added, those already there kept."""
    parts = urlsplit(return_url)
    query = [*parse_qsl(parts.query, keep_blank_values=True), *parameters.items()]
    return urlunsplit(parts._replace(query=urlencode(query)))


def is_allowed_return_url(url: str) -> bool:
    """Whether a browser may be sent there: our own origin or one listed in RETURN_URLS.

    An entry of RETURN_URLS is an exact origin (`https://app.example`), or an app's own scheme
    followed by `://` for mobile apps (`example-app://`).
    """
    if len(url) > 2048 or any(ord(char) <= 32 or char == "\\" for char in url):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if not parts.scheme or "@" in parts.netloc:
        return False
    if parts.scheme not in {"http", "https"}:
        return f"{parts.scheme}://" in settings.RETURN_URLS
    origin = f"{parts.scheme}://{parts.netloc}"
    return origin == settings.PUBLIC_URL or origin in settings.RETURN_URLS


def check_return_url(url: str) -> None:
    """Pass silently when a browser may be sent there after consent.

    Raises:
        ReturnUrlRefused: it may not.
    """
    if not is_allowed_return_url(url):
        raise ReturnUrlRefused(
            _("returnUrl must start with an origin that the operator listed in RETURN_URLS."),
            path=("returnUrl",),
        )


def _seal(grant_id: UUID, purpose: str, *, key: str | None = None) -> str:
    salt = f"faena.payments.links.{purpose}"
    mac = salted_hmac(salt, grant_id.bytes, secret=key, algorithm="sha256")
    return base64.urlsafe_b64encode(grant_id.bytes + mac.digest()[:24]).rstrip(b"=").decode()


def _is_seal(value: str, grant_id: UUID, purpose: str) -> bool:
    # A payer may be at their wallet while the key is changed.
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(constant_time_compare(value, _seal(grant_id, purpose, key=key)) for key in keys)


def _unseal(opaque: str, purpose: str) -> UUID | None:
    try:
        raw = base64.urlsafe_b64decode(opaque + "=" * (-len(opaque) % 4))
    except (binascii.Error, ValueError):
        return None
    if len(raw) != 40:
        return None
    grant_id = UUID(bytes=raw[:16])
    return grant_id if _is_seal(opaque, grant_id, purpose) else None
