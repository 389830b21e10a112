"""What the money behind jobs means in the books: see docs/books.md.

Called in the transaction of what is booked, after its row locks and before its events.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from backend.accounts.models import Asset
from backend.funding.models import Allocation, Funding, Payable
from backend.funding.status import FundingMode
from backend.ledger import refs
from backend.ledger.bookings import (
    book_direct_payment,
    book_payment,
    debited_value,
    promise,
    release_promise,
)
from backend.ledger.models import Account
from backend.ledger.posting import post
from backend.ledger.refs import AccountRef
from backend.payments.models import Discrepancy, Payment
from backend.payments.status import PaymentPurpose, PaymentStatus

log = logging.getLogger(__name__)

FEE_KEPT = "FEE_KEPT"
# Of a payment beside what it moved.
ESCROW_SHORT, ROUNDING = "ESCROW_SHORT", "ROUNDING"


# --- payments -------------------------------------------------------------------------------------


def book_funding_payment(funding: Funding, payment: Payment, *, at: datetime) -> None:
    """Book what a payer's own payment has moved: to a seller, or into the treasury's keeping."""
    if funding.mode == FundingMode.DIRECT:
        book_direct_payment(payment, at=at)
        return
    book_payment(
        payment,
        source=refs.payer(payment.payer_id, payment.sender.asset),
        destination=_escrow(funding),
        at=at,
    )


def book_owed_payment(payable: Payable, payment: Payment, *, at: datetime) -> None:
    """Book what a payment out of a funding has moved: to whom it was owed."""
    if payment.delivered_value == 0:
        return
    destination = _receiver_account(payable, payment)
    if payable.funding.mode != FundingMode.ESCROW:
        source = refs.payer(payment.payer_id, payment.sender.asset)
        book_payment(payment, source=source, destination=destination, at=at)
        return
    escrow = _escrow(payable.funding)
    bearer = None
    if payment.send_value is None and escrow.asset == destination.asset:
        # Exactly the owed sum leaves what is held; what its wallet charges is the platform's.
        bearer = refs.fees(escrow.asset)
    needed = debited_value(payment) if bearer is None else payment.delivered_value
    _fill_up(escrow, needed, payment, at=at)
    book_payment(payment, source=escrow, destination=destination, cost_bearer=bearer, at=at)
    if payment.status == PaymentStatus.COMPLETED and payment.send_value is not None:
        _book_rounding(escrow, payment.send_value - needed, payment, at=at)


def book_fee_kept(payable: Payable, *, at: datetime) -> None:
    """Book that a fee stays in the wallet where it is held, and is the platform's from now on."""
    funding = payable.funding
    assert funding.seller is not None
    escrow = _escrow(funding)
    kept = refs.platform_fee(funding.seller.wallet_id, escrow.asset)
    # Where more has left the treasury before than was held, the platform bears that here as well.
    gap = max(0, payable.value - _held_in(escrow))
    borne = (refs.fees(escrow.asset), -gap)
    lines = [(escrow, gap - payable.value), borne, (kept, payable.value)]
    lines = [line for line in lines if line[1]]
    post(reason=FEE_KEPT, at=at, lines=lines, subject=payable.id)


def _receiver_account(payable: Payable, payment: Payment) -> AccountRef:
    asset = Asset(payment.receive_asset_code, payment.receive_asset_scale)
    if payable.purpose == PaymentPurpose.REFUND:
        return refs.payer(payment.payer_id, asset)
    if payable.purpose == PaymentPurpose.PLATFORM_FEE:
        return refs.platform_fee(payment.receiver_id, asset)
    assert payable.allocation is not None
    return refs.payee(payable.allocation.application.applicant_id, asset)


def _escrow(funding: Funding) -> AccountRef:
    asset = Asset(funding.asset_code, funding.asset_scale)
    return refs.escrow(funding.payer_id, funding.id, asset)


def _held_in(escrow: AccountRef) -> int:
    return Account.objects.filter(id=escrow.id).values_list("balance", flat=True).first() or 0


def _fill_up(escrow: AccountRef, needed: int, payment: Payment, *, at: datetime) -> None:
    """Where more has left the treasury than is held for this funding, the platform bears it.

    The money is gone: a booking that refused to say so would only hide it.
    """
    held = _held_in(escrow)
    gap = needed - held
    if gap <= 0:
        return
    log.error("payment %s: %d more left the treasury than was held", payment.id, gap)
    Discrepancy.note(
        payment=payment, kind="ESCROW_SHORT", expected=str(needed), actual=str(held), at=at
    )
    lines = [(refs.fees(escrow.asset), -gap), (escrow, gap)]
    post(reason=ESCROW_SHORT, at=at, lines=lines, payment=payment)


def _book_rounding(escrow: AccountRef, rest: int, payment: Payment, *, at: datetime) -> None:
    # What whole units of the receiver's asset did not use up of a sum that was fixed.
    if rest > 0:
        lines = [(escrow, -rest), (refs.fees(escrow.asset), rest)]
        post(reason=ROUNDING, at=at, lines=lines, payment=payment)


# --- promises -------------------------------------------------------------------------------------


def book_promise(allocation: Allocation, *, at: datetime) -> None:
    """Book that a worker's pay is secured."""
    promise(
        payer_id=allocation.funding.payer_id,
        worker_id=allocation.application.applicant_id,
        amount=allocation.amount,
        allocation_id=allocation.id,
        suffix="SECURED",
        at=at,
    )


def book_kept(allocation: Allocation, value: int, *, what: str, at: datetime) -> None:
    """Book that `value` of a promise is one no more: it was paid or taken back.

    `what` tells the releases of one allocation apart.
    """
    if value == 0:
        return
    release_promise(
        payer_id=allocation.funding.payer_id,
        worker_id=allocation.application.applicant_id,
        amount=replace(allocation.amount, value=value),
        allocation_id=allocation.id,
        suffix=what,
        at=at,
    )
