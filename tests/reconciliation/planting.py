"""What can go wrong behind our back, and how each of it is put right again.

A plant is done to a job that was paid through the treasury, to one of its payouts. It returns its
repair, and what the finding has to say.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pgtrigger
from django.db import connection, transaction

from backend.accounts.models import Asset, WalletAddress
from backend.events.models import Event
from backend.funding.models import Allocation, Funding
from backend.funding.services import fund_job
from backend.funding.status import FundingMode
from backend.ids import new_id
from backend.jobs.models import Job
from backend.jobs.status import JobStatus
from backend.ledger import refs
from backend.ledger.bookings import book_payment
from backend.ledger.models import Transfer
from backend.ledger.posting import post
from backend.payments.models import Attempt, HeldGrant, Payment, PaymentTransition
from backend.payments.paying import announce
from backend.payments.status import GrantScope, PaymentPurpose, PaymentStatus
from backend.reconciliation.findings import Kind
from tests.ledger.books import behind_their_back
from tests.simulation.market import RETURN, Market

USD = Asset("USD", 2)


class Planted(NamedTuple):
    repair: Callable[[], object]
    expected: str
    actual: str


Plant = Callable[[Market, Payment], Planted]


class Wallets:
    """The sandbox's own database, where a wallet's operator could do what we cannot."""

    def __init__(self, market: Market, payment: Payment) -> None:
        self.db: sqlite3.Connection = market.world.bank.db
        attempt = payment.attempts.latest("number")
        self.attempt = attempt
        self.incoming = attempt.incoming_payment_url.rpartition("/")[2]
        self.outgoing = attempt.outgoing_payment_url.rpartition("/")[2]

    def row(self) -> sqlite3.Row:
        found = self.db.execute("SELECT * FROM outgoing WHERE id = ?", (self.outgoing,))
        row: sqlite3.Row = found.fetchone()
        return row

    def receive(self, more: int) -> Callable[[], object]:
        def change(by: int) -> object:
            return self.db.execute(
                "UPDATE incoming SET incoming_value = incoming_value + max(?, 0),"
                " received_value = received_value + ? WHERE id = ?",
                (by, by, self.incoming),
            )

        change(more)
        return lambda: change(-more)

    def change_outgoing(self, column: str, value: object) -> Callable[[], object]:
        def change(to: object) -> object:
            statement = f"UPDATE outgoing SET {column} = ? WHERE id = ?"
            return self.db.execute(statement, (to, self.outgoing))

        before = self.row()[column]
        change(value)
        return lambda: change(before)

    def add_outgoing(self, **changed: object) -> Callable[[], object]:
        self._insert({**dict(self.row()), "seq": None, "id": f"{self.outgoing}-2", **changed})
        return lambda: self.db.execute("DELETE FROM outgoing WHERE id = ?", (f"{self.outgoing}-2",))

    def remove_outgoing(self) -> Callable[[], object]:
        row = dict(self.row())
        self.db.execute("DELETE FROM outgoing WHERE id = ?", (self.outgoing,))
        return lambda: self._insert(row)

    def _insert(self, row: dict[str, Any]) -> None:
        names, places = ", ".join(row), ", ".join("?" * len(row))
        statement = f"INSERT INTO outgoing ({names}) VALUES ({places})"
        self.db.execute(statement, tuple(row.values()))


# --- the receivers' wallets -----------------------------------------------------------------------


def delivered_less(market: Market, payment: Payment) -> Planted:
    return Planted(Wallets(market, payment).receive(-100), "1250 USD/2", "1150")


def delivered_more(market: Market, payment: Payment) -> Planted:
    # Both wallets agree on it.
    wallets = Wallets(market, payment)
    back = wallets.receive(100)
    undo = wallets.change_outgoing("receive_value", 1350)
    return Planted(lambda: (back(), undo()), "1250 USD/2", "1350")


def delivered_other_asset(market: Market, payment: Payment) -> Planted:
    Payment.objects.filter(id=payment.id).update(receive_asset_code="EUR")
    return Planted(
        lambda: Payment.objects.filter(id=payment.id).update(receive_asset_code="USD"),
        "EUR/2",
        "1250 USD/2",
    )


def late_credit(market: Market, payment: Payment) -> Planted:
    """A payment that its payer declined, whose receiver was paid all the same."""
    declined = _declined(market)
    return Planted(Wallets(market, declined).receive(40), "0 USD/2", "40")


def paid_by_stranger(market: Market, payment: Payment) -> Planted:
    return Planted(Wallets(market, payment).receive(30), "1250 USD/2", "1280")


def other_wallet(market: Market, payment: Payment) -> Planted:
    wallet = WalletAddress.objects.filter(id=payment.receiver_id)
    before = wallet.get().auth_server
    elsewhere = "http://elsewhere.example/auth"
    other = WalletAddress.objects.create(
        owner=None,
        url=f"http://elsewhere.example/{new_id()}",
        asset_code="USD",
        asset_scale=2,
        auth_server=elsewhere,
        resource_server="http://elsewhere.example",
        checked_at=market.now,
    )
    Payment.objects.filter(id=payment.id).update(receiver=other)
    return Planted(
        lambda: Payment.objects.filter(id=payment.id).update(receiver=payment.receiver_id),
        elsewhere,
        before,
    )


# --- the sender's wallet --------------------------------------------------------------------------


def unknown_outgoing(market: Market, payment: Payment) -> Planted:
    undo = Wallets(market, payment).add_outgoing(
        quote="not-ours", receiver="http://sandbox.example/incoming-payments/x", debit_value=77
    )
    return Planted(undo, "0 outgoing payments that we do not know", "1, of 77 USD/2")


def two_outgoing_payments(market: Market, payment: Payment) -> Planted:
    undo = Wallets(market, payment).add_outgoing()
    return Planted(undo, "1 outgoing payment", "2 outgoing payments")


def order_missing(market: Market, payment: Payment) -> Planted:
    return Planted(Wallets(market, payment).remove_outgoing(), "1 outgoing payment", "none")


def other_receiver(market: Market, payment: Payment) -> Planted:
    wallets = Wallets(market, payment)
    elsewhere = "http://sandbox.example/incoming-payments/elsewhere"
    undo = wallets.change_outgoing("receiver", elsewhere)
    return Planted(undo, wallets.attempt.incoming_payment_url, elsewhere)


def debit_above_quote(market: Market, payment: Payment) -> Planted:
    wallets = Wallets(market, payment)
    quoted = wallets.row()["debit_value"]
    undo = wallets.change_outgoing("debit_value", quoted + 9)
    return Planted(undo, f"{quoted} USD/2", str(quoted + 9))


def failed_after_completed(market: Market, payment: Payment) -> Planted:
    undo = Wallets(market, payment).change_outgoing("state", "FAILED")
    return Planted(undo, "not failed", "failed")


def payer_debited(market: Market, payment: Payment) -> Planted:
    """An attempt that was given up for dead, and whose order was carried out all the same."""
    wallets = Wallets(market, payment)
    dead = Attempt.objects.create(
        payment=payment,
        number=99,
        started_at=market.now,
        dead_at=market.now,
        outgoing_payment_url=f"{wallets.attempt.outgoing_payment_url}-2",
        quote_debit_value=2000,
    )
    take_back = wallets.add_outgoing(
        quote="of-the-dead", receiver="http://sandbox.example/y", debit_value=1500, sent_value=1500
    )
    return Planted(lambda: (take_back(), dead.delete()), "0 USD/2 sent", "1500 sent")


def grant_spent_differs(market: Market, payment: Payment) -> Planted:
    db: sqlite3.Connection = market.world.bank.db
    held = HeldGrant.objects.get(scope=GrantScope.TREASURY)
    (grant_id,) = db.execute("SELECT DISTINCT grant_id FROM outgoing WHERE wallet = 'treasury'")
    change = "UPDATE spending SET debit_value = debit_value + ? WHERE grant_id = ?"
    db.execute(change, (5, *grant_id))
    return Planted(
        lambda: db.execute(change, (-5, *grant_id)),
        f"{held.reserved_value} USD/2 spent",
        str(held.reserved_value + 5),
    )


# --- our rows -------------------------------------------------------------------------------------


def two_live_attempts(market: Market, payment: Payment) -> Planted:
    # The database itself refuses this: it can only be where somebody has taken that away.
    (alone,) = [each for each in Attempt._meta.constraints if each.name == "attempt_one_alive"]
    with connection.schema_editor() as editor:
        editor.remove_constraint(Attempt, alone)
    second = Attempt.objects.create(payment=payment, number=98, started_at=market.now)

    def repair() -> None:
        second.delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(Attempt, alone)

    return Planted(repair, "1 live attempt", "2 live attempts")


def status_not_logged(market: Market, payment: Payment) -> Planted:
    mine = Payment.objects.filter(purpose=PaymentPurpose.FUND, status=PaymentStatus.COMPLETED)
    mine = Payment.objects.filter(id=mine.get().id)
    mine.update(status=PaymentStatus.EXPIRED)
    repair = lambda: mine.update(status=PaymentStatus.COMPLETED)  # noqa: E731
    return Planted(repair, "COMPLETED", "EXPIRED")


def transition_without_event(market: Market, payment: Payment) -> Planted:
    event = Event.objects.get(subject_id=payment.id, payload__status="SENT")
    kept = (
        pgtrigger.ignore("events.Event:keep")
        if connection.vendor == "postgresql"
        else nullcontext()
    )
    with transaction.atomic(), kept:
        Event.objects.filter(id=event.id).delete()
    return Planted(lambda: event.save(force_insert=True), "an event of SENDING → SENT", "none")


def past_deadline(market: Market, payment: Payment) -> Planted:
    waiting = _asked(market)
    market.clock.advance((waiting.deadline_at - market.now).total_seconds() + 3600)

    def repair() -> None:
        market.settle_down(lambda: waiting.transitions.filter(new="EXPIRED").exists())

    return Planted(repair, f"over by {waiting.deadline_at.isoformat()}", "AWAITING_APPROVAL")


def allocation_sum(market: Market, payment: Payment) -> Planted:
    allocations = Allocation.objects.filter(funding__job=market.job)
    mine = Allocation.objects.filter(id=allocations.order_by("id").values("id")[:1])
    mine.update(released_value=1200)
    rest = 1250 * (len(market.workers) - 1)
    return Planted(
        lambda: mine.update(released_value=1250),
        f"{rest + 1200} USD/2 released, by allocations",
        str(rest + 1250),
    )


# --- the books ------------------------------------------------------------------------------------


def not_booked(market: Market, payment: Payment) -> Planted:
    """A payment whose end came past the workflow, and so past the books."""
    other = Payment.objects.get(id=payment.id)
    other.id, other.reference, other.under = new_id(), new_id(), None
    with transaction.atomic():
        other.save(force_insert=True)
        PaymentTransition.objects.create(
            payment=other, old="SENT", new="COMPLETED", fence=1, at=market.now
        )
        announce(other, previous=PaymentStatus.SENT, at=market.now)
    source, destination = refs.payer(market.payer.pk, USD), refs.payee(market.payer.pk, USD)
    return Planted(
        lambda: book_payment(other, source=source, destination=destination, at=market.now),
        "1250 USD/2 booked",
        "0 booked",
    )


def booked_without_payment(market: Market, payment: Payment) -> Planted:
    declined = _declined(market)
    source, destination = refs.payer(market.payer.pk, USD), refs.payee(market.payer.pk, USD)

    def move(value: int, reason: str) -> object:
        lines = [(source, -value), (destination, value)]
        return post(reason=reason, at=market.now, payment=declined, lines=lines)

    move(60, "PAYMENT")
    return Planted(
        lambda: move(-60, "TAKEN BACK"),
        "something that PAYMENT is for",
        "REJECTED, nothing delivered",
    )


def escrow_differs(market: Market, payment: Payment) -> Planted:
    funding = Funding.objects.filter(job=market.job).earliest("id")
    escrow = refs.escrow(funding.payer_id, funding.id, USD)

    def move(value: int, reason: str) -> object:
        lines = [(escrow, value), (refs.fees(USD), -value)]
        return post(reason=reason, at=market.now, lines=lines)

    move(50, "TEST")
    return Planted(lambda: move(-50, "TEST BACK"), "0 USD/2 held", "50 in the books")


def books_broken(market: Market, payment: Payment) -> Planted:
    last = Transfer.objects.latest("seq")

    def write(at: datetime) -> None:
        with behind_their_back() as execute:
            execute("UPDATE ledger_transfer SET at = %s WHERE id = %s", at, last.id)

    write(last.at + timedelta(days=1))
    return Planted(
        lambda: write(last.at),
        "each row as it was written",
        f"transfer {last} ({last.id}) or one of its entries is not as written",
    )


PLANTS: dict[Kind, Plant] = {
    Kind.DELIVERED_LESS: delivered_less,
    Kind.DELIVERED_MORE: delivered_more,
    Kind.DELIVERED_OTHER_ASSET: delivered_other_asset,
    Kind.LATE_CREDIT: late_credit,
    Kind.PAID_BY_STRANGER: paid_by_stranger,
    Kind.OTHER_WALLET: other_wallet,
    Kind.UNKNOWN_OUTGOING: unknown_outgoing,
    Kind.TWO_OUTGOING_PAYMENTS: two_outgoing_payments,
    Kind.ORDER_MISSING: order_missing,
    Kind.OTHER_RECEIVER: other_receiver,
    Kind.DEBIT_ABOVE_QUOTE: debit_above_quote,
    Kind.FAILED_AFTER_COMPLETED: failed_after_completed,
    Kind.PAYER_DEBITED: payer_debited,
    Kind.GRANT_SPENT_DIFFERS: grant_spent_differs,
    Kind.TWO_LIVE_ATTEMPTS: two_live_attempts,
    Kind.STATUS_NOT_LOGGED: status_not_logged,
    Kind.TRANSITION_WITHOUT_EVENT: transition_without_event,
    Kind.ALLOCATION_SUM: allocation_sum,
    Kind.NOT_BOOKED: not_booked,
    Kind.BOOKED_WITHOUT_PAYMENT: booked_without_payment,
    Kind.ESCROW_DIFFERS: escrow_differs,
    Kind.BOOKS_BROKEN: books_broken,
    # The last one: others of the payer's payments would end while time passes.
    Kind.PAST_DEADLINE: past_deadline,
}


# --- other payments of the same payer -------------------------------------------------------------


def _declined(market: Market) -> Payment:
    market.approve = False
    payment = _another(market)
    market.settle_down(lambda: payment.transitions.filter(new="REJECTED").exists())
    return payment


def _asked(market: Market) -> Payment:
    payment = _another(market)
    while not payment.transitions.filter(new="AWAITING_APPROVAL").exists():
        if not market.work():
            market.wait()
    payment.refresh_from_db()
    return payment


def _another(market: Market) -> Payment:
    job = Job.objects.get(id=market.job.id)
    job.id, job.status, job.money_moving = new_id(), JobStatus.RECRUITING, False
    job.save(force_insert=True)
    funded = fund_job(
        payer=market.payer,
        job_id=job.id,
        mode=FundingMode.DIRECT,
        seller=None,
        payer_wallet_id=None,
        expected_total=None,
        return_url=RETURN,
        idempotency_key=new_id(),
        now=market.now,
    )
    return Payment.objects.get(reference=funded.funding.id)
