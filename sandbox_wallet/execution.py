"""What happens to an outgoing payment after it was accepted: funding, sending, the end.

    FUNDING ──money held──> SENDING ──> COMPLETED | FAILED
       └────not enough────> CANCELLED

After its quote expired nothing is sent any more. A payment whose receiver is closed by then
is COMPLETED with nothing delivered, as in Rafiki: `failed: false` is not a proof of payment.
"""

import json
import sqlite3
from typing import Any

from sandbox_wallet import incoming, spending
from sandbox_wallet.bank import Bank, Wallet
from sandbox_wallet.clock import SECOND
from sandbox_wallet.ledger import NotEnoughMoney, account

FUNDING, SENDING, COMPLETED, FAILED, CANCELLED = [
    "FUNDING",
    "SENDING",
    "COMPLETED",
    "FAILED",
    "CANCELLED",
]


def start(bank: Bank, payment_id: str, now: int) -> None:
    """Hold the money of a new payment, and send it now or put the sending on the agenda."""
    payment = _payment(bank, payment_id)
    mischief = json.loads(payment["mischief"])
    act = mischief.get("act")
    if act == "stay_funding":
        return
    wallet = _wallet(bank, payment["wallet"])
    try:
        if act == "insufficient_funds":
            raise NotEnoughMoney(wallet.account)
        _move(
            bank,
            payment,
            now,
            kind="hold",
            source=wallet.account,
            target=account("hold", wallet.asset),
            value=payment["debit_value"],
        )
    except NotEnoughMoney:
        _end(bank, payment, CANCELLED, sent=0)
        spending.give_back(
            bank, payment, debit=payment["debit_value"], receive=payment["receive_value"]
        )
        return
    _end(bank, payment, SENDING, sent=0)
    settle_s = mischief.get("seconds", 60) if act == "settle_late" else bank.options.settle_s
    if settle_s == 0:
        settle(bank, payment_id, now)
        return
    bank.db.execute(
        "INSERT INTO agenda (due, what, detail) VALUES (?, 'settle', ?)",
        (now + round(settle_s * SECOND), payment_id),
    )


def settle(bank: Bank, payment_id: str, now: int) -> None:
    """Send a held payment: deliver what the receiver takes and release the rest."""
    payment = _payment(bank, payment_id)
    quote = bank.db.execute("SELECT * FROM quotes WHERE id = ?", (payment["quote"],)).fetchone()
    mischief = json.loads(payment["mischief"])
    if now >= quote["expires_at"]:
        _finish(bank, payment, quote, now, FAILED, delivered=0)
        return
    target_id = bank.resource_id(payment["receiver"], incoming.COLLECTION)
    target = incoming.find(bank, target_id)
    assert target is not None
    delivered = _deliverable(payment, target, mischief, now)
    state = FAILED if mischief.get("act") == "partial_delivery" else COMPLETED
    if delivered:
        incoming.receive(bank, target, delivered)
    _finish(bank, payment, quote, now, state, delivered=delivered, target=target)


def _deliverable(
    payment: sqlite3.Row, target: sqlite3.Row, mischief: dict[str, Any], now: int
) -> int:
    if not incoming.is_open(target, now):
        return 0
    wanted = int(payment["receive_value"])
    if mischief.get("act") in ("partial_delivery", "complete_short"):
        wanted = min(wanted, int(mischief.get("value", wanted // 2)))
    left = incoming.remaining(target)
    return wanted if left is None else min(wanted, left)


def _finish(
    bank: Bank,
    payment: sqlite3.Row,
    quote: sqlite3.Row,
    now: int,
    state: str,
    *,
    delivered: int,
    target: sqlite3.Row | None = None,
) -> None:
    debit, receive = payment["debit_value"], payment["receive_value"]
    # A part delivered costs its part of price and fee, rounded up.
    price = debit - quote["fee_value"] - quote["slack_value"]
    sent = -(-price * delivered // receive)
    fee = -(-quote["fee_value"] * delivered // receive)
    sender = _wallet(bank, payment["wallet"])
    hold = account("hold", sender.asset)
    if delivered:
        assert target is not None
        _deliver(bank, payment, now, sender, _wallet(bank, target["wallet"]), sent, delivered)
    _move(
        bank, payment, now, kind="fee", source=hold, target=account("fee", sender.asset), value=fee
    )
    _move(
        bank,
        payment,
        now,
        kind="release",
        source=hold,
        target=sender.account,
        value=debit - sent - fee,
    )
    _end(bank, payment, state, sent=sent)
    if state == FAILED:
        spending.give_back(bank, payment, debit=debit, receive=receive)
    else:
        spending.give_back(bank, payment, debit=0, receive=receive - delivered)


def _deliver(
    bank: Bank,
    payment: sqlite3.Row,
    now: int,
    sender: Wallet,
    receiver: Wallet,
    sent: int,
    delivered: int,
) -> None:
    hold, pool = account("hold", sender.asset), account("fx", sender.asset)
    if sender.asset == receiver.asset:
        source = hold
    else:
        _move(bank, payment, now, kind="exchange", source=hold, target=pool, value=sent)
        source = account("fx", receiver.asset)
    _move(
        bank,
        payment,
        now,
        kind="deliver",
        source=source,
        target=receiver.account,
        value=delivered,
        asset=receiver,
    )


def _move(
    bank: Bank,
    payment: sqlite3.Row,
    now: int,
    *,
    kind: str,
    source: str,
    target: str,
    value: int,
    asset: Wallet | None = None,
) -> None:
    wallet = _wallet(bank, payment["wallet"])
    bank.ledger.move(
        kind,
        source=source,
        target=target,
        asset=(asset or wallet).asset,
        value=value,
        t=now,
        outgoing=bank.resource_url(wallet, "outgoing-payments", payment["id"]),
        quote=bank.resource_url(wallet, "quotes", payment["quote"]),
        receiver=payment["receiver"],
        client=payment["client"],
    )


def _end(bank: Bank, payment: sqlite3.Row, state: str, *, sent: int) -> None:
    bank.db.execute(
        "UPDATE outgoing SET state = ?, sent_value = ? WHERE id = ?", (state, sent, payment["id"])
    )


def _payment(bank: Bank, payment_id: str) -> sqlite3.Row:
    row: sqlite3.Row = bank.db.execute(
        "SELECT * FROM outgoing WHERE id = ?", (payment_id,)
    ).fetchone()
    return row


def _wallet(bank: Bank, name: str) -> Wallet:
    wallet = bank.wallet(name)
    assert wallet is not None
    return wallet
