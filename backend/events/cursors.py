"""Where a reader stands in a topic, as the opaque string that clients hold."""

import base64
import binascii
import hashlib
from functools import lru_cache

from django.utils.translation import gettext_lazy as _

from backend.errors import ErrorCode, FaenaError

_MAX_SEQ = 2**63 - 1


class BadCursor(FaenaError):
    """The string is not a cursor of this feed; start again without one."""

    code = ErrorCode.BAD_CURSOR


class CursorExpired(FaenaError):
    """Events after this cursor have been deleted: read the object again, then subscribe anew."""

    code = ErrorCode.CURSOR_EXPIRED


# The followers of a topic pass the same places one after the other.
@lru_cache(1024)
def encode(*, topic: str, seq: int) -> str:
    """The cursor of a reader who has seen everything of `topic` up to and including `seq`."""
    return base64.urlsafe_b64encode(f"{seq}.{_fingerprint(topic)}".encode()).decode().rstrip("=")


def decode(cursor: str, *, topic: str) -> int:
    """The sequence number in `cursor`.

    Raises:
        BadCursor: it is malformed, or belongs to another topic.
    """
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        seq, _dot, fingerprint = text.decode("ascii").partition(".")
    except (binascii.Error, ValueError) as error:
        raise _refuse() from error
    if fingerprint != _fingerprint(topic) or not (seq.isascii() and seq.isdecimal()):
        raise _refuse()
    # A number this long is nobody's; int() would also refuse thousands of digits.
    if len(seq) > 19 or int(seq) > _MAX_SEQ:
        raise _refuse()
    return int(seq)


def _fingerprint(topic: str) -> str:
    return hashlib.sha256(topic.encode()).hexdigest()[:12]


def _refuse() -> BadCursor:
    return BadCursor(_("This cursor does not belong to this feed."), path=("after",))
