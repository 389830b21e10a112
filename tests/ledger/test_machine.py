"""Whatever is booked in whatever order, the books agree with a few lines of arithmetic.

sizes.py says how to play more.
"""

import time
from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import Sum
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    rule,
    run_state_machine_as_test,
)

from backend.accounts.models import Asset
from backend.ids import new_id
from backend.ledger import refs
from backend.ledger.bookings import book_payment, promise, release_promise
from backend.ledger.errors import AlreadyPosted, Overdrawn, Unbalanced
from backend.ledger.kinds import AccountKind
from backend.ledger.models import Account, Entry, Transfer
from backend.ledger.posting import Line, post
from backend.ledger.refs import AccountRef
from backend.ledger.verification import verify
from backend.open_payments.types import Amount
from backend.payments.models import Payment
from backend.payments.status import PaymentStatus
from tests.jobs.people import NOON
from tests.ledger.books import EUR, USD, a_payment
from tests.ledger.sizes import EXAMPLES, OPERATIONS, STEPS

pytestmark = pytest.mark.django_db(transaction=True)

Promised = tuple[UUID, UUID, UUID, Asset, int]
people = st.sampled_from([new_id() for _ in range(3)])
assets = st.sampled_from([USD, EUR, Asset("MXN", 2)])
amounts = st.integers(1, 10_000)
played: Counter[str] = Counter()


class Books(RuleBasedStateMachine):
    """Random fundings, payouts, refunds, promises and attempts to take too much."""

    escrows = Bundle("escrows")
    promises = Bundle("promises")
    payment: Payment

    def __init__(self) -> None:
        super().__init__()
        self.payer, self.payee, self.worker = new_id(), new_id(), new_id()
        self.expected: Counter[AccountRef] = Counter()
        self.posted: list[dict[str, Any]] = []

    def book(self, lines: list[Line], **fields: Any) -> None:
        """Post, twice now and then, and expect the balances to follow."""
        arguments: dict[str, Any] = {"at": NOON, "lines": lines, **fields}
        first = post(**arguments)
        if fields.get("subject"):
            self.posted.append(arguments)
            assert post(**arguments) == first
        self.expect(lines)

    def expect(self, lines: list[Line]) -> None:
        for account, amount in lines:
            self.expected[account] += amount
        self.compare(account for account, _ in lines)

    def compare(self, accounts: Iterable[AccountRef]) -> None:
        """See that the books say what we expect of accounts that only this history uses."""
        own = {account.id: self.expected[account] for account in accounts if account.owner}
        assert dict(Account.objects.filter(id__in=own).values_list("id", "balance")) == own

    @rule(value=amounts, cost=st.integers(0, 50), asset=assets)
    def pay_a_seller(self, value: int, cost: int, asset: Asset) -> None:
        played["paid a seller"] += 1
        lines: list[Line] = [
            (refs.payer(self.payer, asset), -value - cost),
            (refs.seller(new_id(), asset), value),
        ]
        if cost:
            lines.append((refs.wallet_cost(asset), cost))
        self.book(lines, reason="PAYMENT", subject=new_id())

    @rule(debit=amounts, delivered=amounts, sent=assets, got=assets)
    def exchange(self, debit: int, delivered: int, sent: Asset, got: Asset) -> None:
        played["exchanged"] += 1
        payment = a_copy(self.payment, debit=debit, delivered=delivered)
        payer, payee = refs.payer(self.payer, sent), refs.payee(self.payee, got)
        book_payment(payment, source=payer, destination=payee, at=NOON)
        self.expect([(payer, -debit), (payee, delivered)])

    @rule(target=escrows, value=amounts, asset=assets)
    def fund(self, value: int, asset: Asset) -> AccountRef:
        played["funded"] += 1
        escrow = refs.escrow(self.payer, new_id(), asset)
        self.book([(refs.payer(self.payer, asset), -value), (escrow, value)], reason="FUND")
        return escrow

    @rule(escrow=escrows, value=amounts, cost=st.integers(0, 50))
    def pay_out(self, escrow: AccountRef, value: int, cost: int) -> None:
        payee = refs.payee(self.payee, escrow.asset)
        payment = a_copy(self.payment, debit=value + cost, delivered=value)
        bearer = refs.fees(escrow.asset)
        arguments: dict[str, Any] = {"source": escrow, "destination": payee, "at": NOON}
        if value > self.expected[escrow]:
            played["refused: overdrawn"] += 1
            with pytest.raises(Overdrawn):
                book_payment(payment, cost_bearer=bearer, **arguments)
            value = 0
        else:
            played["paid out"] += 1
            book_payment(payment, cost_bearer=bearer, **arguments)
        self.expect([(escrow, -value), (payee, value)] if value else [])

    @rule(escrow=consumes(escrows))
    def refund(self, escrow: AccountRef) -> None:
        played["refunded"] += 1
        rest, payer = self.expected[escrow], refs.payer(self.payer, escrow.asset)
        with pytest.raises(Overdrawn):
            post(reason="REFUND", at=NOON, lines=[(escrow, -rest - 1), (payer, rest + 1)])
        if rest:
            self.book([(escrow, -rest), (payer, rest)], reason="REFUND", subject=escrow.subject)

    @rule(target=promises, value=amounts, asset=assets)
    def promise_pay(self, value: int, asset: Asset) -> Promised:
        played["promised"] += 1
        promised = self.payer, self.worker, new_id(), asset, value
        promise(suffix="1", at=NOON, **terms(promised))
        self.expect_promise(promised, value)
        return promised

    @rule(promised=consumes(promises))
    def release(self, promised: Promised) -> None:
        played["released"] += 1
        release_promise(suffix="1", at=NOON, **terms(promised))
        self.expect_promise(promised, -promised[-1])

    def expect_promise(self, promised: Promised, value: int) -> None:
        payer, worker, _, asset, _ = promised
        given, received = refs.promises_given(payer, asset), refs.promises_received(worker, asset)
        self.expect([(given, -value), (received, value)])

    @rule(payer=people, value=amounts, wrong=st.integers(-3, 3).filter(bool), asset=assets)
    def lose_some(self, payer: UUID, value: int, wrong: int, asset: Asset) -> None:
        played["refused: unbalanced"] += 1
        lines = [(refs.payer(payer, asset), -value), (refs.payee(payer, asset), value + wrong)]
        with pytest.raises(Unbalanced):
            post(reason="TEST", at=NOON, lines=lines)

    @rule(data=st.data())
    def post_otherwise(self, data: st.DataObject) -> None:
        if not self.posted:
            return
        played["refused: posted before"] += 1
        before = data.draw(st.sampled_from(self.posted))
        lines = [(account, 2 * amount) for account, amount in before["lines"]]
        with pytest.raises(AlreadyPosted):
            post(**{**before, "lines": lines})

    def teardown(self) -> None:
        self.compare(self.expected)
        assert nothing_appeared_or_disappeared()


def a_copy(payment: Payment, *, debit: int, delivered: int) -> Payment:
    """Another completed payment, of which only the values matter to the books."""
    payment.pk = new_id()
    payment.reference = new_id()
    payment.status = PaymentStatus.COMPLETED
    payment.debit_value, payment.receive_value, payment.delivered_value = (
        debit,
        delivered,
        delivered,
    )
    payment._state.adding = True
    payment.save(force_insert=True)
    return payment


def terms(promised: Promised) -> dict[str, Any]:
    payer, worker, allocation, asset, value = promised
    amount = Amount(value=value, asset_code=asset.code, asset_scale=asset.scale)
    return {
        "payer_id": payer,
        "worker_id": worker,
        "allocation_id": allocation,
        "amount": amount,
    }


def nothing_appeared_or_disappeared() -> bool:
    by_asset = Account.objects.values("asset_code", "asset_scale").annotate(total=Sum("balance"))
    overdrawn = Account.objects.filter(kind=AccountKind.ESCROW, balance__lt=0)
    return not any(row["total"] for row in by_asset) and not overdrawn.exists()


def test_random_books_balance_and_never_hold_less_than_nothing() -> None:
    Books.payment = a_payment()
    started = time.monotonic()

    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )

    booked = time.monotonic()
    verified = verify()
    print(
        f"\n{sum(played.values())} operations on {connection.vendor} (asked for {OPERATIONS}): "
        f"{Transfer.objects.count()} transfers, {Entry.objects.count()} entries, "
        f"{Account.objects.count()} accounts in {booked - started:.0f} s, "
        f"verified in {time.monotonic() - booked:.1f} s; {dict(played.most_common())}"
    )
    assert verified.broken == ""
    assert nothing_appeared_or_disappeared()
