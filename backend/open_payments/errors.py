"""What can go wrong between us and a wallet: the classes answer "what can the caller do?".

OpenPaymentsError
├── InvalidValue           a value the specification does not allow; nothing was sent
│   └── InvalidWalletAddress   what a person typed is not a wallet address
├── WalletUnreachable      no answer; `request_sent` says whether it may have been carried out
├── UnexpectedResponse     3xx, 408, 425, 429, 5xx, or a body the specification does not allow
├── MismatchedResponse     a valid answer, but not to what was asked
├── WalletRejected         4xx, with the wallet's `code` and `description`
│   ├── GrantDenied            the resource owner or the server said no, or no longer listens
│   ├── ContinuedTooSoon       wait, then continue again
│   ├── ContinuationInvalid    the grant request is unknown or over: ask for consent again
│   ├── ClientRejected         our key or client wallet address is the problem: page someone
│   ├── TokenInactive          expired, rotated or revoked: rotate once, else the grant is dead
│   ├── NotFound               no such resource, or not one this client may see
│   ├── LimitExceeded          the grant does not allow this payment: do not try again
│   ├── ReceiverUnusable       the incoming payment is gone or closed: make a new one
│   ├── QuoteUnusable          expired or already used: look for its payment, then quote again
│   ├── AmountRejected         wrong asset, too small or too large: change the amount
│   └── WrongState             already done or over: read the resource
├── HashMismatch           the finish redirect did not come from the authorization server
└── SignatureInvalid       a request that we received is not signed as it must be
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.open_payments.types import Amount


class OpenPaymentsError(Exception):
    """Anything foreseen that stops an exchange with a wallet."""


class InvalidValue(OpenPaymentsError, ValueError):
    """A value that the specification does not allow, whoever made it."""


class InvalidWalletAddress(InvalidValue):
    """The text is not a wallet address; the message can be shown to who typed it.

    The message is one of a fixed set of sentences, with nothing filled in, so that an
    application can keep translations of them.
    """


class WalletUnreachable(OpenPaymentsError):
    """There is no answer. With `request_sent` False the request certainly never left."""

    def __init__(self, operation: str, *, reason: str, request_sent: bool) -> None:
        super().__init__(f"{operation}: no answer from the wallet ({reason}).")
        self.operation, self.reason, self.request_sent = operation, reason, request_sent


class UnexpectedResponse(OpenPaymentsError):
    """The wallet answered something the specification does not know, or is in trouble.

    Whether the request was carried out is unknown. `retry_after_seconds` is None unless the
    wallet named a time.
    """

    def __init__(
        self,
        operation: str,
        *,
        status: int,
        reason: str,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(f"{operation}: unexpected answer with status {status}: {reason}.")
        self.operation, self.status, self.reason = operation, status, reason
        self.retry_after_seconds = retry_after_seconds


class MismatchedResponse(OpenPaymentsError):
    """The answer is well formed but not to what was asked; trust nothing in it."""

    def __init__(self, field: str, *, expected: object, received: object) -> None:
        super().__init__(f"The wallet's {field} is {received!s:.300}, expected {expected!s:.300}.")
        self.field, self.expected, self.received = field, expected, received


class WalletRejected(OpenPaymentsError):
    """The wallet refused (4xx).

    `code` is None when the body was not one of the specification's errors: then a proxy may
    have spoken, not the wallet.
    """

    def __init__(
        self,
        operation: str,
        *,
        status: int,
        code: str | None,
        description: str,
        details: Mapping[str, object],
    ) -> None:
        super().__init__(f"{operation} was refused: {status} {code or 'no code'}: {description}")
        self.operation, self.status, self.code = operation, status, code
        self.description, self.details = description, details


class GrantDenied(WalletRejected):
    """The person or the server said no, or the grant was already continued."""


class ContinuedTooSoon(WalletRejected):
    """Continued before `wait_seconds` were over."""


class ContinuationInvalid(WalletRejected):
    """The grant request is unknown, revoked or over."""


class ClientRejected(WalletRejected):
    """The wallet does not accept our key, signature or client wallet address."""


class TokenInactive(WalletRejected):
    """The access token is expired, rotated, revoked or unknown."""


class NotFound(WalletRejected):
    """There is no such resource, or it belongs to another client."""


class LimitExceeded(WalletRejected):
    """The grant's limits do not allow this outgoing payment."""


class ReceiverUnusable(WalletRejected):
    """The incoming payment is missing, completed, expired or cannot be reached."""


class QuoteUnusable(WalletRejected):
    """The quote has expired, has been used, or its receiver no longer accepts money."""


class AmountRejected(WalletRejected):
    """The amount cannot be paid; `min_send_amount` is the wallet's hint, if it gave one."""

    min_send_amount: "Amount | None" = None

    @property
    def is_too_small(self) -> bool:
        """Whether nothing would arrive of it, as Rafiki and those who follow it say."""
        too_small = self.description.lower().startswith("non-positive")
        return too_small or self.min_send_amount is not None


class WrongState(WalletRejected):
    """The resource is already in a state that does not allow this."""


class HashMismatch(OpenPaymentsError):
    """The finish redirect was not made by the authorization server that we asked."""


class SignatureInvalid(OpenPaymentsError):
    """A received request must not be trusted; `reason` says why, without secrets."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The request's signature is not acceptable: {reason}.")
        self.reason = reason
