"""What an answer or an error means: the one table behind every decision about repeating a call.

There are three outcomes of a call, not two: done, not done, and unknown. A repeatable call that
failed is simply asked again. Of a call that must not be repeated, "maybe carried out" is a state
of its own, with its own exits (docs/reliability.md).
"""

from enum import Enum

from backend.open_payments.errors import (
    ClientRejected,
    MismatchedResponse,
    OpenPaymentsError,
    TokenInactive,
    UnexpectedResponse,
    WalletRejected,
    WalletUnreachable,
)


class Outcome(Enum):
    """What to do after a call that did not simply succeed."""

    TRY_LATER = "nothing happened, or repeating is harmless: ask again after a pause"
    RENEW_TOKEN = "the access token is no longer accepted: get a fresh one, then ask again"  # noqa: S105
    REFUSED = "the wallet said no, for certain"
    MISBEHAVED = "the answer is not one to this question; do not ask again"
    KEY_REFUSED = "the wallet does not know our key"
    UNKNOWN = "it may or may not have been carried out"


def outcome_of(error: OpenPaymentsError, *, repeatable: bool) -> Outcome:
    """Classify what `exchange` or `parse` raised.

    `repeatable` is the operation's own: continue, rotate and create-outgoing-payment are not.
    """
    match error:
        case WalletUnreachable(request_sent=False):
            return Outcome.TRY_LATER
        case WalletUnreachable() | UnexpectedResponse():
            # 5xx, 408, 429 and redirects may come from a proxy that forwarded the request.
            return Outcome.TRY_LATER if repeatable else Outcome.UNKNOWN
        case MismatchedResponse():
            # A success for something else than we asked: at best a bug, at worst an attack.
            return Outcome.MISBEHAVED if repeatable else Outcome.UNKNOWN
        case WalletRejected(code=None) if not repeatable:
            # Not in a wallet's words: some proxy spoke, after or instead of the wallet.
            return Outcome.UNKNOWN
        case TokenInactive():
            return Outcome.RENEW_TOKEN
        case ClientRejected():
            return Outcome.KEY_REFUSED
        case WalletRejected():
            return Outcome.REFUSED
        case _:
            return Outcome.MISBEHAVED if repeatable else Outcome.UNKNOWN
