"""The state machines of a payment, of a grant and of a held grant, each on one screen."""

from django.db.models import TextChoices


class PaymentPurpose(TextChoices):
    """Why money moves."""

    FUND = "FUND"
    PAYOUT = "PAYOUT"
    REFUND = "REFUND"
    PLATFORM_FEE = "PLATFORM_FEE"


class PaymentStatus(TextChoices):
    """Where a payment stands. Only COMPLETED says that the receiver has the money."""

    CREATED = "CREATED"  # we prepare receiver, quote and grant
    AWAITING_APPROVAL = "AWAITING_APPROVAL"  # the payer decides in their wallet
    AUTHORIZED = "AUTHORIZED"  # we hold an access token
    QUOTED = "QUOTED"  # a quote inside the granted limit, not yet used
    SENDING = "SENDING"  # the order to pay is going out
    UNKNOWN = "UNKNOWN"  # its answer was lost; being reconciled
    SENT = "SENT"  # the sender's wallet took the order
    COMPLETED = "COMPLETED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


_P = PaymentStatus

# From before SENDING to SENT or UNKNOWN: a wallet knows of an order that a restored backup lacks.
TRANSITIONS: dict[PaymentStatus, frozenset[PaymentStatus]] = {
    _P.CREATED: frozenset({_P.AWAITING_APPROVAL, _P.SENT, _P.FAILED, _P.CANCELED}),
    _P.AWAITING_APPROVAL: frozenset(
        # Back to CREATED: the grant was lost, the payer is asked again.
        {_P.AUTHORIZED, _P.CREATED, _P.SENT, _P.REJECTED, _P.EXPIRED, _P.FAILED, _P.CANCELED}
    ),
    _P.AUTHORIZED: frozenset({_P.QUOTED, _P.CREATED, _P.SENT, _P.UNKNOWN, _P.FAILED, _P.CANCELED}),
    _P.QUOTED: frozenset(
        {_P.SENDING, _P.AUTHORIZED, _P.CREATED, _P.SENT, _P.UNKNOWN, _P.FAILED, _P.CANCELED}
    ),
    # Back to AUTHORIZED: the wallet refused the order for certain, a new quote may pass.
    _P.SENDING: frozenset({_P.SENT, _P.UNKNOWN, _P.AUTHORIZED, _P.FAILED}),
    # Out of UNKNOWN only by finding the payment or by proving that it can never happen.
    _P.UNKNOWN: frozenset({_P.SENT, _P.COMPLETED, _P.AUTHORIZED, _P.CREATED, _P.FAILED}),
    _P.SENT: frozenset({_P.COMPLETED, _P.FAILED}),
    _P.COMPLETED: frozenset(),
    _P.REJECTED: frozenset(),
    _P.EXPIRED: frozenset(),
    _P.FAILED: frozenset(),
    _P.CANCELED: frozenset(),
}
TERMINAL = frozenset(status for status, nexts in TRANSITIONS.items() if not nexts)
# The payer has not consented yet, so that everything can still be called off.
BEFORE_CONSENT = frozenset({_P.CREATED, _P.AWAITING_APPROVAL})
# Money may be moving: only the receiver's wallet can end these.
IN_FLIGHT = frozenset({_P.SENDING, _P.UNKNOWN, _P.SENT})


class GrantStatus(TextChoices):
    """Where a GNAP grant stands."""

    AWAITING_APPROVAL = "AWAITING_APPROVAL"
    APPROVED = "APPROVED"  # approved at the wallet; the access token is ours or about to be
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    SUPERSEDED = "SUPERSEDED"  # another grant took its place
    LOST = "LOST"  # its one-shot answer was lost; the payer is asked again
    REVOKED = "REVOKED"  # the payer took it back at their wallet
    ENDED = "ENDED"  # its payment is over, its secrets are deleted


class GrantKind(TextChoices):
    """What a grant gives access to: the `type` of its access items."""

    INCOMING_PAYMENT = "incoming-payment"
    QUOTE = "quote"
    OUTGOING_PAYMENT = "outgoing-payment"


class GrantScope(TextChoices):
    """What a payer consents to."""

    SINGLE_PAYMENT = "SINGLE_PAYMENT"  # one payment to one receiver, at once
    POOLED = "POOLED"  # all payments of one funding, to whoever is selected
    TREASURY = "TREASURY"  # what the platform pays out of what it holds, so much per period


class HeldGrantStatus(TextChoices):
    """Where a held grant stands. Only HELD and CLOSING can pay."""

    CREATED = "CREATED"  # the limit is being worked out
    AWAITING_APPROVAL = "AWAITING_APPROVAL"  # the payer decides in their wallet
    HELD = "HELD"  # payments can be made under it
    CLOSING = "CLOSING"  # no new payments; revoked at the wallet when the last one is over
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"  # not approved in time, or its window is over
    FAILED = "FAILED"  # it could not be asked for
    LOST = "LOST"  # the wallet's answer with the token was lost
    REVOKED = "REVOKED"  # the payer took it back at their wallet
    ENDED = "ENDED"  # revoked by us: it is not needed any more


_H = HeldGrantStatus

HELD_GRANT_TRANSITIONS: dict[HeldGrantStatus, frozenset[HeldGrantStatus]] = {
    _H.CREATED: frozenset({_H.AWAITING_APPROVAL, _H.FAILED, _H.CLOSING}),
    _H.AWAITING_APPROVAL: frozenset(
        # Back to CREATED: the answer with the token was lost, the payer is asked again.
        {_H.HELD, _H.CREATED, _H.REJECTED, _H.EXPIRED, _H.FAILED, _H.CLOSING}
    ),
    _H.HELD: frozenset({_H.CLOSING, _H.EXPIRED, _H.LOST, _H.REVOKED}),
    _H.CLOSING: frozenset({_H.ENDED, _H.EXPIRED, _H.LOST, _H.REVOKED}),
    _H.REJECTED: frozenset(),
    _H.EXPIRED: frozenset(),
    _H.FAILED: frozenset(),
    _H.LOST: frozenset(),
    _H.REVOKED: frozenset(),
    _H.ENDED: frozenset(),
}
HELD_GRANT_OVER = frozenset(status for status, nexts in HELD_GRANT_TRANSITIONS.items() if not nexts)
