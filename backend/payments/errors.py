"""Refusals of this domain, and how a payment fails.

A payment that fails does not raise at anybody: it ends with a `Failure`, which its payer reads.
"""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_noop as _

from backend.errors import ErrorCode, FaenaError


class LostRace(Exception):
    """Somebody else moved this payment or took over its claim; nothing was saved."""


class NoRoom(Exception):
    """The held grant cannot pay this (any more); nothing was set aside."""


class NotConfirmable(FaenaError):
    """There is no approval waiting to be confirmed on this grant."""

    code = ErrorCode.INVALID_TRANSITION


class NotResolvable(FaenaError):
    """A person may not end this payment: it is over, it has moved on, or it is not late."""

    code = ErrorCode.INVALID_TRANSITION


class BeingLookedAt(FaenaError):
    """The workflow looks at this payment now or is about to, and what it finds out comes first."""

    code = ErrorCode.INVALID_TRANSITION
    retryable = True


class ReturnUrlRefused(FaenaError):
    """A browser may not be sent to this returnUrl."""

    code = ErrorCode.RETURN_URL_REFUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a payment ended without delivering, in a sentence its payer can act on.

    Rows keep it in English, and it is translated when it is read: `gettext_noop`. `when_owed` is
    the sentence where nobody funds again, because what was to be paid stays owed; empty: the same.
    """

    code: ErrorCode
    message: str
    retryable: bool
    when_owed: str = ""

    def fields(self, *, owed: bool = False) -> dict[str, Any]:
        """The payment's columns, and the log's reason, for `Run.commit`."""
        return {
            "reason": self.code,
            "failure_code": self.code,
            "failure_message": (owed and self.when_owed) or self.message,
            "failure_retryable": self.retryable,
        }


WALLET_CHANGED = Failure(
    code=ErrorCode.WALLET_REJECTED,
    message=_(
        "A wallet address changed its asset or its servers since it was added. Nothing was "
        "charged. Check the wallet address, then fund again."
    ),
    when_owed=_(
        "A wallet address changed its asset or its servers since it was added. Nothing was "
        "charged, and it stays owed. Ask the operator, who can pay it into another wallet."
    ),
    retryable=False,
)
KEY_REFUSED = Failure(
    code=ErrorCode.WALLET_REJECTED,
    message=_(
        "The wallet does not accept this platform's key. Nothing was charged. "
        "The operator has to check the platform's client key."
    ),
    retryable=True,
)
WALLET_UNAVAILABLE = Failure(
    code=ErrorCode.UPSTREAM_UNAVAILABLE,
    message=_("A wallet did not answer in time. Nothing was charged. Fund again later."),
    when_owed=_(
        "A wallet did not answer in time. Nothing was charged. It is tried again a few times by "
        "itself, and at any time by retryPayment."
    ),
    retryable=True,
)
WALLET_MISBEHAVED = Failure(
    code=ErrorCode.WALLET_REJECTED,
    message=_("A wallet answered with something other than what was asked. Nothing was charged."),
    retryable=False,
)
CONSENT_EXPIRED = Failure(
    code=ErrorCode.GRANT_EXPIRED,
    message=_(
        "The payment was not approved in time. Nothing was charged. Fund again to get a new "
        "approval page."
    ),
    retryable=True,
)
CONSENT_REJECTED = Failure(
    code=ErrorCode.GRANT_REJECTED,
    message=_("The payment was declined in the wallet. Nothing was charged."),
    retryable=True,
)
CONSENT_LOST = Failure(
    code=ErrorCode.GRANT_LOST,
    message=_(
        "The wallet's approval was lost on the way several times. Nothing was charged. "
        "Fund again later."
    ),
    retryable=True,
)
LIMIT_EXCEEDED = Failure(
    code=ErrorCode.GRANT_EXHAUSTED,
    message=_(
        "The payment now costs more than was approved. Nothing was charged. Fund again to "
        "approve the new amount."
    ),
    when_owed=_(
        "The payment now costs more than was approved. Nothing was charged. The payer has to "
        "approve more."
    ),
    retryable=True,
)
NO_MONEY_SENT = Failure(
    code=ErrorCode.INSUFFICIENT_FUNDS,
    message=_(
        "The payer's wallet did not send the money; most often its balance is too low. "
        "Add money to the wallet, then fund again."
    ),
    when_owed=_(
        "The wallet that pays did not send the money; most often its balance is too low. Add money "
        "to it: the payment is tried again a few times by itself, and at any time by retryPayment."
    ),
    retryable=True,
)
NOT_DELIVERED = Failure(
    code=ErrorCode.NOT_DELIVERED,
    message=_(
        "The money did not arrive in time and the payment was stopped. Fund again; if your "
        "wallet shows a charge, contact it with the outgoing payment's address."
    ),
    when_owed=_(
        "The money did not arrive in time and the payment was stopped. Nothing is sent again by "
        "itself. Ask both the receiver and the wallet that pays; if nothing arrived, use "
        "retryPayment."
    ),
    retryable=True,
)
PARTIALLY_DELIVERED = Failure(
    code=ErrorCode.PARTIALLY_DELIVERED,
    message=_(
        "Only a part of the money arrived before the payer's wallet gave up. The operator "
        "has been told."
    ),
    retryable=False,
)
FOUND_NOT_DELIVERED = Failure(
    code=ErrorCode.NOT_DELIVERED,
    message=_(
        "No wallet could say what became of this payment, and two operators found that nothing "
        "arrived. Nothing is sent again by itself. If the payer's wallet shows a charge, contact "
        "it with the outgoing payment's address."
    ),
    # By whoever decides to: nobody has closed its receiver, so nothing is tried by itself.
    retryable=True,
)
REFUSED_BY_WALLET = Failure(
    code=ErrorCode.WALLET_REJECTED,
    message=_("The wallet refused the payment. Nothing was charged."),
    retryable=True,
)
TOO_SMALL = Failure(
    code=ErrorCode.AMOUNT_TOO_SMALL,
    message=_(
        "The sum is smaller than what the wallet keeps for sending it: nothing would arrive. "
        "Nothing was charged."
    ),
    retryable=True,
)
RATE_TOO_LOW = Failure(
    code=ErrorCode.RATE_TOO_LOW,
    message=_(
        "Far less would arrive than the payer's wallet said when the payer consented. Nothing was "
        "charged. It is tried again a few times by itself, and at any time by retryPayment. Only "
        "an operator can have it paid at such a rate."
    ),
    retryable=True,
)
GRANT_EXHAUSTED = Failure(
    code=ErrorCode.GRANT_EXHAUSTED,
    message=_(
        "What the payer approved does not cover this payment. Nothing was charged. The payer "
        "has to approve more."
    ),
    retryable=True,
)
GRANT_OVER = Failure(
    code=ErrorCode.GRANT_EXPIRED,
    message=_(
        "The time that the payer approved is over. Nothing was charged. The payer has to "
        "approve again."
    ),
    retryable=True,
)
GRANT_LOST = Failure(
    code=ErrorCode.GRANT_LOST,
    message=_(
        "The wallet's approval was lost on the way. Nothing was charged. The payer has to "
        "approve again."
    ),
    retryable=True,
)
GRANT_REVOKED = Failure(
    code=ErrorCode.GRANT_REVOKED,
    message=_(
        "The payer took the approval back in their wallet. Nothing was charged. The payer has "
        "to approve again."
    ),
    retryable=True,
)
