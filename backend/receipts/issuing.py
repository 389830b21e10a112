"""Receipts are issued by the transaction in which a wallet's word completes a payment."""

from datetime import UTC, datetime
from typing import Any

import jwt
from django.conf import settings
from django.dispatch import receiver

from backend.payments.models import Attempt, Payment
from backend.payments.queries import ended_by_operators
from backend.payments.signals import payment_ended
from backend.payments.status import PaymentStatus
from backend.receipts.keys import ALGORITHM, signing_key
from backend.receipts.models import Receipt
from backend.receipts.subjects import subject_of
from backend.rows import insert

VERSION = 1
# Explicit typing (RFC 8725, section 3.11): no other token of ours passes for a receipt.
TYPE = "receipt+jwt"
# Crockford's base 32: no I, L, O and U, so that a number survives being read out.
DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# The random end of a UUIDv7, behind the two bits of its variant.
RANDOM_BITS = 62


@receiver(payment_ended, dispatch_uid="receipts")
def on_payment_ended(payment: Payment, at: datetime, **_: Any) -> None:
    """Issue the receipt in the transaction that completes the payment, and for no other end.

    What two operators confirmed has none: a receipt says what the receiver's wallet has shown.
    """
    if payment.status == PaymentStatus.COMPLETED and not ended_by_operators(payment):
        issue(payment=payment, at=at)


def issue(*, payment: Payment, at: datetime) -> Receipt:
    """Sign and keep the receipt of a payment that was completed `at` this instant.

    Calls no network. Safe to repeat and to race: a payment has one receipt, the first.

    Raises:
        ImproperlyConfigured: there is no key to sign with.
    """
    number = number_of(payment, at=at)
    key = signing_key()
    jws = jwt.encode(
        claims_of(payment, number=number, at=at),
        key.private,
        algorithm=ALGORITHM,
        headers={"kid": key.kid, "typ": TYPE},
    )
    receipt = Receipt(payment=payment, number=number, issued_at=at, jws=jws)
    return receipt if insert(receipt) else Receipt.objects.get(payment=payment)


def number_of(payment: Payment, *, at: datetime) -> str:
    """The receipt's number for people: `R-2026-` and the random part of the payment's id.

    Taken from the id, because a counter would be a row that all completing payments wait for in
    turn. So numbers are unique, but neither gapless nor in order; dates are.
    """
    rest = payment.id.int & ((1 << RANDOM_BITS) - 1)
    digits = ""
    for _ in range(-(-RANDOM_BITS // 5)):
        rest, digit = divmod(rest, len(DIGITS))
        digits = DIGITS[digit] + digits
    return f"R-{at.astimezone(UTC):%Y}-{digits}"


def claims_of(payment: Payment, *, number: str, at: datetime) -> dict[str, Any]:
    """What the receipt says; docs/receipts.md explains every member."""
    # The living attempt delivered: one is given up only when it is proved that it never will.
    attempt = Attempt.objects.get(payment=payment, dead_at=None)
    debit = payment.debit_amount
    return {
        "v": VERSION,
        "iss": settings.PUBLIC_URL,
        "iat": int(at.timestamp()),
        "number": number,
        "payment": {
            "id": str(payment.id),
            "purpose": str(payment.purpose),
            "completedAt": at.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "debitAmount": debit and debit.to_json(),
            "deliveredAmount": payment.delivered_amount.to_json(),
            "incomingPayment": attempt.incoming_payment_url,
            "quote": attempt.quote_url,
            # Lost for ever when the wallet's answer was, and the receiver showed the money first.
            "outgoingPayment": attempt.outgoing_payment_url or None,
        },
        "payer": {"walletAddress": payment.sender.url},
        "payee": {"walletAddress": payment.receiver.url},
        "for": subject_of(payment),
    }
