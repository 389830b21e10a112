"""What the other domains book, in their own words.

Each of these is safe to repeat, must run inside the transaction of what it books, after its row
locks and before its events (see `posting.post`), and raises what `post` raises.
"""

from datetime import datetime
from uuid import UUID

from backend.accounts.models import Asset
from backend.ledger import refs
from backend.ledger.models import Transfer
from backend.ledger.posting import Line, post
from backend.ledger.refs import AccountRef
from backend.open_payments.types import Amount
from backend.payments.models import Payment
from backend.payments.status import PaymentStatus

PAYMENT = "PAYMENT"


def book_direct_payment(payment: Payment, *, at: datetime) -> Transfer | None:
    """Book what a payment from a person's wallet to a seller's has moved; None: nothing arrived."""
    return book_payment(
        payment,
        source=refs.payer(payment.payer_id, payment.sender.asset),
        destination=refs.seller(payment.receiver_id, _received_in(payment)),
        at=at,
    )


def book_payment(
    payment: Payment,
    *,
    source: AccountRef,
    destination: AccountRef,
    at: datetime,
    cost_bearer: AccountRef | None = None,
) -> Transfer | None:
    """Book what an ended payment has moved, in whole or in part; None: nothing arrived.

    `source` is in the sender's asset and `destination` in the receiver's. In one asset, what was
    debited and did not arrive is WALLET_COST; where `cost_bearer` is given, it bears that instead
    of `source`, from which then leaves only what arrived. Between two assets everything goes
    through their FX accounts: what wallets kept is hidden in the rate, and no part of it is
    guessed.

    Raises:
        ValueError: a `cost_bearer` between two assets.
    """
    if payment.delivered_value == 0:
        return None
    debited, delivered = debited_value(payment), payment.delivered_value
    if source.asset != destination.asset:
        if cost_bearer is not None:
            raise ValueError("Between two assets nobody knows the cost that somebody should bear.")
        lines = _exchanged(source, destination, debited=debited, delivered=delivered)
    else:
        # Below zero where somebody else has paid into the receiver as well.
        cost = debited - delivered
        lines = [(source, -delivered), (destination, delivered)]
        if cost:
            lines += [
                (cost_bearer or source, -cost),
                (refs.wallet_cost(source.asset), cost),
            ]
    return post(reason=PAYMENT, at=at, lines=lines, payment=payment)


def debited_value(payment: Payment) -> int:
    """What the sender was debited for what arrived, in the sender's asset, by the quote's price.

    A part that arrived costs its part of the quote, rounded up: the wallet returns the rest.
    """
    assert payment.debit_value and payment.receive_value, "what was sent was quoted before"
    if payment.status == PaymentStatus.COMPLETED:
        return payment.debit_value
    return -(-payment.debit_value * payment.delivered_value // payment.receive_value)


def promise(
    *,
    payer_id: UUID,
    worker_id: UUID,
    amount: Amount,
    allocation_id: UUID,
    suffix: str,
    at: datetime,
) -> Transfer:
    """Book that `payer_id` has secured `amount` for a worker, who is not paid yet.

    `suffix` tells the promises of one allocation apart; the same one is booked once.
    """
    lines = _promised(payer_id, worker_id, amount)
    return post(reason=f"PROMISE:{suffix}", subject=allocation_id, at=at, lines=lines)


def release_promise(
    *,
    payer_id: UUID,
    worker_id: UUID,
    amount: Amount,
    allocation_id: UUID,
    suffix: str,
    at: datetime,
) -> Transfer:
    """Book that `amount` of a promise is over: it was paid, or is not owed any more.

    `suffix` tells the releases of one allocation apart; the same one is booked once.
    """
    lines = [(account, -value) for account, value in _promised(payer_id, worker_id, amount)]
    return post(reason=f"RELEASE:{suffix}", subject=allocation_id, at=at, lines=lines)


def _promised(payer_id: UUID, worker_id: UUID, amount: Amount) -> list[Line]:
    asset = Asset(amount.asset_code, amount.asset_scale)
    return [
        (refs.promises_given(payer_id, asset), -amount.value),
        (refs.promises_received(worker_id, asset), amount.value),
    ]


def _exchanged(
    source: AccountRef, destination: AccountRef, *, debited: int, delivered: int
) -> list[Line]:
    pair = {"source": source.asset, "target": destination.asset}
    return [
        (source, -debited),
        (refs.exchange(source.asset, **pair), debited),
        (refs.exchange(destination.asset, **pair), -delivered),
        (destination, delivered),
    ]


def _received_in(payment: Payment) -> Asset:
    return Asset(payment.receive_asset_code, payment.receive_asset_scale)
