"""Payments as the guide's clients know them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backend.accounts.models import User
from backend.funding.models import Funding
from backend.funding.queries import fundings_of_references
from backend.guide.amounts import in_decimals
from backend.guide.offers import offer_ids
from backend.payments import links
from backend.payments.models import Attempt, Payment
from backend.payments.queries import current_grants
from backend.payments.status import TERMINAL, GrantStatus, PaymentStatus

Json = dict[str, Any]
PENDING, PAID, FAILED = "pending", "paid", "failed"


def status_of(payment: Payment) -> str:
    """`paid` only when the receiver's wallet shows the money, `failed` only when it never will."""
    if payment.status == PaymentStatus.COMPLETED:
        return PAID
    return FAILED if payment.status in TERMINAL else PENDING


def redirect_url_of(payment: Payment) -> str | None:
    """Where the payer approves; None before they can, and after."""
    grant = current_grants([payment.id]).get(payment.id)
    if grant is None or grant.status != GrantStatus.AWAITING_APPROVAL:
        return None
    return links.start_url(grant.id)


def shapes_of(payments: Sequence[Payment], *, viewer: User) -> list[Json]:
    """Each payment as `viewer` may see it, in the order given."""
    behind = fundings_of_references(payment.reference for payment in payments)
    jobs = dict(Funding.objects.filter(id__in=set(behind.values())).values_list("id", "job_id"))
    names = offer_ids(jobs.values())
    attempts = {
        attempt.payment_id: attempt
        for attempt in Attempt.objects.filter(payment__in=payments).order_by("number")
    }
    return [
        {
            "pendingId": str(payment.id),
            "offerId": names.get(jobs.get(behind.get(payment.reference))),  # type: ignore[arg-type]
            "status": status_of(payment),
            **_money(payment),
            **_addresses(payment, attempts.get(payment.id), viewer),
            **_failure(payment),
        }
        for payment in payments
    ]


def shape_of(payment: Payment, *, viewer: User) -> Json:
    """One payment as `viewer` may see it, with the way to its approval for its payer."""
    (shape,) = shapes_of([payment], viewer=viewer)
    redirect = redirect_url_of(payment) if payment.payer_id == viewer.id else None
    return {**shape, "redirectUrl": redirect}


def _money(payment: Payment) -> Json:
    amount = payment.receive_amount
    return {
        # Our own word, which says more: AWAITING_APPROVAL, SENT, EXPIRED.
        "state": str(payment.status),
        "purpose": str(payment.purpose),
        "amount": None if amount is None else in_decimals(amount),
        "assetCode": payment.receive_asset_code,
        "assetScale": payment.receive_asset_scale,
        "deliveredAmount": in_decimals(payment.delivered_amount),
    }


def _addresses(payment: Payment, attempt: Attempt | None, viewer: User) -> Json:
    """Those that GraphQL shows to the same person, see `Payment` there."""
    pays = payment.payer_id == viewer.id
    party = pays or viewer.id in {payment.sender.owner_id, payment.receiver.owner_id}
    return {
        "buyerWalletAddressUrl": payment.sender.url,
        "incomingPaymentId": (attempt and party and attempt.incoming_payment_url) or None,
        "quoteId": (attempt and (pays or viewer.sees_everything) and attempt.quote_url) or None,
        "outgoingPaymentId": (
            (attempt and (pays or viewer.sees_everything) and attempt.outgoing_payment_url) or None
        ),
    }


def _failure(payment: Payment) -> Json:
    if not payment.failure_code:
        return {}
    return {
        "failure": {
            "code": payment.failure_code,
            "message": payment.failure_sentence(),
            "retryable": payment.failure_retryable,
        }
    }
