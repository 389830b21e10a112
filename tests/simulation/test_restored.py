"""A backup is restored that lacks what was paid since: nobody is paid twice.

The backup is taken at every commit of a payout's life; the wallets go on to the end before it is
restored, and then the restored database does.
"""

import os
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from pytest_django import Settings

from backend.accounts.models import WalletAddress
from backend.funding.models import Payable
from backend.funding.status import FundingMode, PayableStatus
from backend.jobs.status import Pricing, ReviewDecision
from backend.payments import standstill
from backend.payments.models import Discrepancy, HeldGrant, Payment
from backend.payments.status import TERMINAL
from tests.payments.test_lies import let_lie
from tests.simulation.crashes import CrashPoints
from tests.simulation.market import Market
from tests.simulation.restoring import AfterEveryCommit, Rows, backup, restore
from tests.simulation.simulator import BASE_URL, Simulation

pytestmark = pytest.mark.django_db(transaction=True)
PAYOUTS = int(os.environ.get("RESTORED_PAYOUTS", "5"))
# A consent's token lives for ten minutes.
SOON, LATER = timedelta(minutes=2), timedelta(hours=3)


@pytest.fixture(autouse=True)
def _platform(settings: Settings) -> None:
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"


@pytest.mark.parametrize("after", [SOON, LATER])
@pytest.mark.parametrize("mode", [FundingMode.PREAPPROVED, FundingMode.ESCROW])
def test_whenever_the_backup_was_taken_the_worker_is_paid_once(
    mode: FundingMode, after: timedelta
) -> None:
    # The other worker's pay is room under the consent, which a second order could use.
    market = a_market(mode, workers=2)
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    backups = [backup(at=market.clock.now())]
    market.points = AfterEveryCommit(lambda: backups.append(backup(at=market.clock.now())))
    assert market.settle_down(all_paid)
    market.points = CrashPoints()
    assert len(backups) >= 7, "one for each step"
    problems = []

    for number, rows in enumerate(backups):
        come_back(market, rows, after=after)
        if not market.settle_down(all_paid):
            problems.append(f"{number}: not paid: {stories()}")
        twice = paid_twice(market)
        if twice:
            problems.append(f"{number}: {twice} {stories()}")
            break
    assert problems == []


@pytest.mark.parametrize("mode", [FundingMode.PREAPPROVED, FundingMode.ESCROW])
def test_a_payout_whose_payment_the_backup_lacks_is_found_by_what_it_was_for(
    mode: FundingMode,
) -> None:
    market = a_market(mode, workers=2)
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    rows = backup(at=market.clock.now())
    assert market.settle_down(all_paid)

    come_back(market, without_payouts(rows, due_at=market.clock.now()), after=SOON)
    assert market.settle_down(all_paid)

    assert paid_twice(market) == []


def keep_no_metadata(request: httpx.Request, body: dict[str, Any]) -> None:
    for each in body.get("result", []):
        each.pop("metadata", None)


def leave_receivers_out(request: httpx.Request, body: dict[str, Any]) -> None:
    if request.url.path.endswith("/incoming-payments") and "result" in body:
        body["result"] = []


@pytest.mark.parametrize("lie", [keep_no_metadata, leave_receivers_out])
@pytest.mark.parametrize("mode", [FundingMode.PREAPPROVED, FundingMode.ESCROW])
def test_a_payout_that_only_the_senders_wallet_tells_of_waits_for_a_person(
    mode: FundingMode, lie: Callable[[httpx.Request, dict[str, Any]], None]
) -> None:
    # Its token outlives what is waited for another payment that the order may be of.
    market = a_market(mode, workers=2, token_life_s=86_400)
    let_lie(market, lie)
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    rows = backup(at=market.clock.now())
    assert market.settle_down(all_paid)

    come_back(market, without_payouts(rows, due_at=market.clock.now()), after=SOON)
    assert market.settle_down(Discrepancy.objects.filter(kind="CANNOT_LOOK_UP").exists)
    market.clock.at += timedelta(hours=1)
    market.settle_down(all_paid, rounds=30)

    assert paid_twice(market) == []
    assert not all_paid()


@pytest.mark.parametrize("mode", [FundingMode.PREAPPROVED, FundingMode.ESCROW])
@pytest.mark.parametrize(
    ("pricing", "paid", "named"),
    [(Pricing.FIXED_RECEIVE, "shop", "pobre"), (Pricing.FIXED_SEND, "carmen", "bob")],
)
def test_what_was_paid_into_another_wallet_of_the_worker_is_not_paid_again(
    mode: FundingMode, pricing: Pricing, paid: str, named: str
) -> None:
    market = a_market(mode, workers=2, pricing=pricing, token_life_s=86_400)
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    other = WalletAddress.objects.create(owner=market.workers[0], **market._wallet(named))
    # Another name of the server, as if another provider ran this wallet.
    there = other.resource_server.replace(BASE_URL, f"{BASE_URL}:80")
    WalletAddress.objects.filter(id=other.id).update(resource_server=there)
    rows = backup(at=market.clock.now())
    assert market.settle_down(all_paid)

    come_back(market, without_payouts(rows, due_at=market.clock.now()), after=SOON)
    Payable.objects.update(receiver=other)
    assert market.settle_down(Discrepancy.objects.filter(kind="CANNOT_LOOK_UP").exists)
    market.clock.at += timedelta(hours=1)
    market.settle_down(all_paid, rounds=30)

    assert delivered(market)[paid] > 0
    assert delivered(market)[named] == 0
    assert not all_paid()


@pytest.mark.parametrize("after", [SOON, LATER])
def test_wallets_that_list_what_is_oldest_first_are_read_to_the_end(after: timedelta) -> None:
    market = a_market(FundingMode.PREAPPROVED, workers=3, token_life_s=86_400)
    market.options(oldest_first=True, most_per_page=1)
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    assert market.settle_down(all_paid)
    market.clock.at += timedelta(hours=2)
    # To the same wallet, which shows the earlier payment before this one.
    market.review(market.submit(market.workers[2]), ReviewDecision.ACCEPT)
    rows = backup(at=market.clock.now())
    assert market.settle_down(all_paid)

    come_back(market, rows, after=after)
    assert market.settle_down(all_paid), stories()

    assert paid_twice(market) == []


@pytest.mark.parametrize("mode", [FundingMode.PREAPPROVED, FundingMode.ESCROW])
def test_a_consent_whose_token_was_renewed_since_is_lost_and_still_nobody_is_paid_twice(
    mode: FundingMode,
) -> None:
    market = a_market(mode, workers=2)
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    market.clock.at += timedelta(minutes=20)
    rows = backup(at=market.clock.now())
    assert market.settle_down(all_paid)

    come_back(market, rows, after=SOON)
    assert market.settle_down(all_paid)

    assert paid_twice(market) == []
    assert HeldGrant.objects.filter(status__in=["LOST", "REVOKED"]).exists()


@pytest.mark.parametrize("after", [SOON, LATER])
def test_whenever_the_backup_was_taken_a_payer_pays_once(after: timedelta) -> None:
    payer = Simulation(temperament="strict")
    backups = [backup(at=payer.clock.now())]
    payer.points = AfterEveryCommit(lambda: backups.append(backup(at=payer.clock.now())))
    assert payer.run().problems == []
    payer.points = CrashPoints()
    problems = []

    for number, rows in enumerate(backups):
        come_back(payer, rows, after=after)
        verdict = payer.run()
        problems += [f"{number}: {each} {verdict.history}" for each in verdict.problems]
        debits = payer._control("GET", "ledger")["totals"]["delivered"]
        if debits != {"USD/2": 2500}:
            problems.append(f"{number}: {debits} {verdict.history}")
            break
    assert problems == []


@pytest.mark.parametrize("mode", [FundingMode.PREAPPROVED, FundingMode.ESCROW])
def test_all_who_were_paid_since_the_backup_are_paid_once(mode: FundingMode) -> None:
    market = a_market(mode, workers=PAYOUTS)
    market.accept_all()
    rows = backup(at=market.clock.now())
    assert market.settle_down(all_paid, rounds=60 * PAYOUTS)

    come_back(market, rows, after=timedelta(minutes=10))
    assert market.settle_down(all_paid, rounds=60 * PAYOUTS)

    assert paid_twice(market) == []


def test_where_the_payer_fixed_what_is_sent_what_had_arrived_is_what_is_booked() -> None:
    market = a_market(FundingMode.PREAPPROVED, workers=2, pricing=Pricing.FIXED_SEND)
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    rows = backup(at=market.clock.now())
    assert market.settle_down(all_paid)
    first = Payment.objects.get(purpose="PAYOUT")

    come_back(market, rows, after=SOON)
    assert market.settle_down(all_paid)

    again = Payment.objects.get(purpose="PAYOUT")
    assert (again.delivered_value, again.debit_value) == (first.delivered_value, first.debit_value)
    movements = market._control("GET", "ledger")["movements"]
    assert [move["kind"] for move in movements].count("deliver") == 1


def a_market(
    mode: FundingMode,
    *,
    workers: int,
    pricing: Pricing = Pricing.FIXED_RECEIVE,
    token_life_s: int = 600,
) -> Market:
    market = Market(
        mode=mode, workers=workers, pricing=pricing, options={"token_life_s": token_life_s}
    )
    market.secure()
    return market


def without_payouts(rows: Rows, *, due_at: datetime) -> Rows:
    """The backup as it would be of a moment earlier: owed, and nothing was begun about it."""
    payouts = {row.pk for row in rows[Payment] if row.purpose == "PAYOUT"}
    for payable in rows[Payable]:
        payable.status, payable.due_at = PayableStatus.OWED, due_at
    kept = {
        model: [row for row in saved if getattr(row, "payment_id", None) not in payouts]
        for model, saved in rows.items()
    }
    kept[Payment] = [row for row in rows[Payment] if row.pk not in payouts]
    return kept


def come_back(market: Simulation, rows: Rows, *, after: timedelta) -> None:
    market.clock.at += after
    restore(rows)
    assert standstill.notice(now=market.clock.now())
    if isinstance(market, Market):
        market._stir()


def all_paid() -> bool:
    payables = Payable.objects.all()
    open_payments = Payment.objects.exclude(status__in=sorted(TERMINAL))
    unpaid = payables.exclude(status=PayableStatus.PAID)
    return payables.exists() and not unpaid.exists() and not open_payments.exists()


def paid_twice(market: Market) -> list[str]:
    """Whom the wallets paid more than they are owed."""
    wanted: Counter[str] = Counter()
    for payable in Payable.objects.select_related("receiver"):
        wanted[payable.receiver.url.rpartition("/")[2]] += payable.value
    got = delivered(market)
    assert got
    return [f"{name}: {got[name]} of {due}" for name, due in wanted.items() if got[name] != due]


def delivered(market: Market) -> Counter[str]:
    """What the wallets say has arrived, by the name of the wallet."""
    arrived: Counter[str] = Counter()
    for move in market._control("GET", "ledger")["movements"]:
        if move["kind"] == "deliver":
            arrived[move["to"].rpartition(":")[2]] += int(move["value"])
    return arrived


def stories() -> list[str]:
    return [
        f"{payment} {payment.status} {payment.failure_code}: "
        + ", ".join(
            f"{row.old}→{row.new} {row.reason}" for row in payment.transitions.order_by("at", "id")
        )
        for payment in Payment.objects.exclude(purpose="FUND")
    ]
