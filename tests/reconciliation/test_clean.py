"""Where everything adds up, nothing is found."""

import httpx
import pytest
from django.db import connection

from backend.funding.models import Payable
from backend.funding.status import FundingMode
from backend.jobs.status import Pricing, ReviewDecision
from backend.payments.models import Discrepancy, Grant, HeldGrant, Payment
from backend.payments.status import GrantScope
from backend.reconciliation.findings import Kind
from tests.reconciliation.conftest import Play, run
from tests.simulation import market_histories
from tests.simulation.market import Market
from tests.simulation.sizes import SEED

HISTORIES = 2

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("mode", [FundingMode.PREAPPROVED, FundingMode.ESCROW])
def test_a_job_that_went_well_has_no_discrepancy(mode: FundingMode, play: Play) -> None:
    report = run(play(mode))

    assert (dict(report.found), Discrepancy.objects.count()) == ({}, 0)
    assert report.checked["payments"] == report.checked["receivers"] >= 2
    # Whose consent is given back lets nobody look into their wallet any more.
    assert report.checked["senders"] == (mode is FundingMode.ESCROW)
    assert HeldGrant.objects.filter(scope=GrantScope.TREASURY).count() == (
        mode is FundingMode.ESCROW
    )


@pytest.mark.parametrize("mode", [FundingMode.PREAPPROVED, FundingMode.ESCROW])
@pytest.mark.parametrize(("part", "status"), [(5328, "STUCK"), (21311, "PAID")])
def test_a_part_of_a_sum_that_is_sent_is_no_discrepancy(
    part: int, status: str, mode: FundingMode
) -> None:
    market = Market(mode=mode, pricing=Pricing.FIXED_SEND, workers=1)
    market.secure()
    market.fault(call="create-outgoing-payment", act="partial_delivery", value=part)
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    market.settle_down(lambda: Payable.objects.get().status == status)

    report = run(market)

    assert Payable.objects.get().status == status
    assert Kind.ALLOCATION_SUM not in report.found


def test_wallets_are_only_read_and_never_inside_a_transaction(escrow: Market) -> None:
    asked = []

    def look(request: httpx.Request) -> None:
        asked.append((request.method, connection.in_atomic_block))

    escrow.before_each_call = look
    run(escrow)

    assert set(asked) == {("GET", False)}


def test_a_silent_wallet_is_asked_once_and_what_it_hides_is_told(escrow: Market) -> None:
    receivers = Payment.objects.exclude(attempts__incoming_payment_url="").count()
    escrow.fault(call="get-public-incoming-payment", act="reset", times=9)

    report = run(escrow)

    assert dict(report.found) == {}
    assert report.checked["receivers"] == 0
    assert report.skipped[Kind.DELIVERED_LESS] == receivers
    told = escrow.world.bank.db.execute("SELECT sum(fired) FROM faults").fetchone()
    assert tuple(told) == (1,)


def test_a_token_that_has_run_out_is_not_renewed(escrow: Market) -> None:
    Grant.objects.filter(held_grant__isnull=False).update(token_expires_at=escrow.now)

    report = run(escrow)

    assert (report.checked["senders"], report.checked["consents"]) == (0, 0)
    assert report.skipped[Kind.UNKNOWN_OUTGOING] == report.checked["payments"]


def test_a_token_whose_key_is_lost_keeps_nothing_else_from_being_looked_at(escrow: Market) -> None:
    sealed = Grant.objects.filter(held_grant__isnull=False).exclude(secrets="")
    sealed.update(secrets="v1.gone.AAAA.BBBB")

    report = run(escrow)

    assert (dict(report.found), report.checked["senders"]) == ({}, 0)
    assert report.checked["receivers"] == report.checked["payments"] > 0


@pytest.mark.parametrize("seed", [SEED + number for number in range(HISTORIES)])
def test_after_lost_answers_and_dead_workers_nothing_is_found(seed: int) -> None:
    market, rng = market_histories.world_of(seed)
    assert market_histories.play_in(market, rng).problems == []

    report = run(market)

    # What the workflow noted on its way, it notes where it cannot be put right.
    assert dict(report.found) == {}
    left = Discrepancy.objects.filter(resolved_at=None).values_list("kind", flat=True)
    assert set(left) <= {"PARTIALLY_DELIVERED", "ESCROW_SHORT"}
