"""Refusals that people and programs can act on.

FaenaError                 carries a public code, a sentence, the input's path and `retryable`
├── ValidationFailed           VALIDATION: the input itself is wrong
├── NotFound                   NOT_FOUND: absent, or not yours to see: the two look the same
├── Forbidden                  FORBIDDEN: you can see it, but you may not do this
├── InvalidTransition          INVALID_TRANSITION: not in this status; `allowed` says what is
├── WalletRequired             WALLET_REQUIRED: add a wallet address first
├── RateLimited                RATE_LIMITED: too often; `retry_after_seconds` says when again
└── (each domain adds its own, with one of the codes below)

The code is the contract; the message may be reworded. Anything else that escapes is a bug and
reaches the caller only as INTERNAL with a log id.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

# A text for people: translatable where it is written, a sentence where it is shown.
Text: TypeAlias = "str | _StrPromise"


class ErrorCode(StrEnum):
    """Every code a caller may see. Adding one is not a breaking change."""

    VALIDATION = "VALIDATION"
    NOT_FOUND = "NOT_FOUND"
    FORBIDDEN = "FORBIDDEN"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    BAD_CREDENTIALS = "BAD_CREDENTIALS"
    INVALID_TRANSITION = "INVALID_TRANSITION"
    NO_SELECTED_WORKERS = "NO_SELECTED_WORKERS"
    VERSION_CHANGED = "VERSION_CHANGED"
    AMOUNT_CHANGED = "AMOUNT_CHANGED"
    AMOUNT_OUT_OF_RANGE = "AMOUNT_OUT_OF_RANGE"
    AMOUNT_TOO_SMALL = "AMOUNT_TOO_SMALL"
    ASSET_MISMATCH = "ASSET_MISMATCH"
    WALLET_REQUIRED = "WALLET_REQUIRED"
    WALLET_UNREACHABLE = "WALLET_UNREACHABLE"
    WALLET_REJECTED = "WALLET_REJECTED"
    WALLET_HOST_SUSPENDED = "WALLET_HOST_SUSPENDED"
    SELLER_NOT_FOUND = "SELLER_NOT_FOUND"
    MODE_UNAVAILABLE = "MODE_UNAVAILABLE"
    RETURN_URL_REFUSED = "RETURN_URL_REFUSED"
    ALREADY_FUNDED = "ALREADY_FUNDED"
    GRANT_EXPIRED = "GRANT_EXPIRED"
    GRANT_REJECTED = "GRANT_REJECTED"
    GRANT_EXHAUSTED = "GRANT_EXHAUSTED"
    GRANT_LOST = "GRANT_LOST"
    GRANT_REVOKED = "GRANT_REVOKED"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    PARTIALLY_DELIVERED = "PARTIALLY_DELIVERED"
    NOT_DELIVERED = "NOT_DELIVERED"
    DEADLINE_TOO_FAR = "DEADLINE_TOO_FAR"
    IDEMPOTENCY_CONFLICT = "IDEMPOTENCY_CONFLICT"
    CURSOR_EXPIRED = "CURSOR_EXPIRED"
    BAD_CURSOR = "BAD_CURSOR"
    RATE_LIMITED = "RATE_LIMITED"
    RATE_TOO_LOW = "RATE_TOO_LOW"
    QUERY_TOO_COMPLEX = "QUERY_TOO_COMPLEX"
    BAD_REQUEST = "BAD_REQUEST"
    UPSTREAM_UNAVAILABLE = "UPSTREAM_UNAVAILABLE"
    INTERNAL = "INTERNAL"


class FaenaError(Exception):
    """A refusal we foresaw. Nothing was changed.

    `path` names the input field, in the caller's spelling (camelCase), innermost last.
    `retryable` says whether the very same request can succeed later.

    A message is a translatable text, `gettext_lazy("At most {most} are possible.")`, and `values`
    fill its braces: it becomes a sentence where it is shown, in the language of who reads it.
    """

    code: ErrorCode = ErrorCode.VALIDATION
    retryable = False

    def __init__(self, message: Text, *, path: tuple[str, ...] = (), **values: object) -> None:
        super().__init__(message)
        self._template = message
        self._values = values
        self.path = path

    @property
    def message(self) -> str:
        """A sentence for people, in the active language."""
        text = str(self._template)
        return text.format(**self._values) if self._values else text

    def __str__(self) -> str:
        return self.message


class ValidationFailed(FaenaError):
    """The input itself is wrong; the message says what would be right."""


class NotFound(FaenaError):
    """There is no such object, or it is not the caller's to see."""

    code = ErrorCode.NOT_FOUND


class Forbidden(FaenaError):
    """The caller sees the object but may not do this with it."""

    code = ErrorCode.FORBIDDEN


class InvalidTransition(FaenaError):
    """The object's status does not allow this; `allowed` lists where it can go from here."""

    code = ErrorCode.INVALID_TRANSITION

    def __init__(self, *, subject: Text, old: str, new: str, allowed: tuple[str, ...]) -> None:
        super().__init__(
            _("{subject} is {old} and cannot become {new}."), subject=subject, old=old, new=new
        )
        self.old, self.new, self.allowed = old, new, allowed


class WalletRequired(FaenaError):
    """Money could not reach or leave this person: no wallet address is known."""

    code = ErrorCode.WALLET_REQUIRED


class AssetMismatch(FaenaError):
    """Two assets that had to be equal are not; nobody has been asked to consent."""

    code = ErrorCode.ASSET_MISMATCH


class RateLimited(FaenaError):
    """Too many tries; the same request may succeed after `retry_after_seconds`."""

    code = ErrorCode.RATE_LIMITED
    retryable = True

    def __init__(self, *, retry_after_seconds: int) -> None:
        super().__init__(
            _("Too many tries. Try again in {seconds} s."), seconds=retry_after_seconds
        )
        self.retry_after_seconds = retry_after_seconds
