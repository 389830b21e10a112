"""The whole story of a job's money, with and without trouble.

sizes.py says how to play more histories, or one of them again.
"""

import pytest
from django.conf import LazySettings

from backend.funding.models import Funding, Payable
from backend.funding.status import FundingMode, FundingStatus, PayableStatus
from backend.jobs.models import Job
from backend.jobs.status import JobStatus, Pricing, ReviewDecision
from backend.payments.models import HeldGrant, Payment
from backend.payments.status import HeldGrantStatus
from tests.simulation import market_histories
from tests.simulation.market import Market
from tests.simulation.simulator import BASE_URL
from tests.simulation.sizes import MARKET_HISTORY, MARKET_SEEDS, SEED

# Parts that pytest-xdist can hand out.
PARTS = 40

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _platform(settings: LazySettings) -> None:
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"
    settings.TREASURY_WALLET_ADDRESS_URL = f"{BASE_URL}/treasury"


def status_of(market: Market) -> str:
    return str(Job.objects.get(id=market.job.id).status)


@pytest.mark.parametrize("mode", [FundingMode.PREAPPROVED, FundingMode.ESCROW])
@pytest.mark.parametrize("payer_wallet", ["alice", "bob"])
def test_two_workers_are_paid_from_what_their_owner_secured(
    mode: FundingMode, payer_wallet: str
) -> None:
    market = Market(mode=mode, payer_wallet=payer_wallet)
    if mode is FundingMode.ESCROW:
        market.open_treasury()

    market.pre_fund()
    assert status_of(market) == "SELECTING"
    market.settle_down(lambda: status_of(market) == "SUBMITTING")
    market.accept_all()
    market.settle_down(lambda: status_of(market) == "COMPLETE")
    market.settle_down(market.is_over)

    verdict = market.verdict()
    assert (verdict.job, verdict.problems) == ("COMPLETE", [])
    assert Funding.objects.get(job=market.job).status == FundingStatus.SETTLED
    assert verdict.payments["PAYOUT COMPLETED"] == 2


def test_where_the_sent_sum_is_fixed_workers_get_what_it_makes_in_their_currency() -> None:
    market = Market(pricing=Pricing.FIXED_SEND)

    market.secure()
    market.accept_all()
    market.settle_down(market.is_over)

    assert market.verdict().problems == []
    for payment in Payment.objects.filter(purpose="PAYOUT"):
        assert payment.send_value == market.job.reward_value
        assert (payment.debit_value or 0) <= payment.send_value
        assert payment.receive_asset_code in {"MXN", "EUR"}


def test_a_part_is_paid_and_the_rest_goes_back() -> None:
    market = Market(mode=FundingMode.ESCROW, workers=1)
    market.secure()

    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT, value=500)
    market.settle_down(lambda: not Payable.objects.exclude(status=PayableStatus.PAID).exists())
    market.days_pass(45)
    market.settle_down(market.is_over)

    funding = Funding.objects.get(job=market.job)
    assert market.verdict().problems == []
    assert (funding.released_value, funding.refunded_value) == (500, 750)
    assert Payment.objects.get(purpose="REFUND").delivered_value == 750


def test_a_consent_is_revoked_at_the_wallet_when_nothing_needs_it_any_more() -> None:
    market = Market(workers=1)
    market.secure()
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    market.settle_down(market.is_over)

    held = HeldGrant.objects.get(payer=market.payer)
    assert held.status == HeldGrantStatus.ENDED
    assert held.grants.get().secrets == ""
    assert held.calls.filter(operation="cancel-grant", status=204).count() == 1


def test_a_job_whose_payer_declines_stays_where_it_is() -> None:
    market = Market()
    market.approve = False
    market.pre_fund()

    market.settle_down(lambda: not Job.objects.get(id=market.job.id).money_moving)

    assert Funding.objects.get(job=market.job).status == FundingStatus.REJECTED
    assert status_of(market) == JobStatus.SELECTING


@pytest.mark.parametrize("part", range(PARTS))
def test_no_history_of_a_job_loses_or_doubles_money(part: int) -> None:
    troubled = []
    for number, seed in enumerate(chosen_histories()[part::PARTS]):
        verdict = market_histories.play(seed, closely=number == 0)
        if verdict.problems:
            troubled.append((f"MARKET_HISTORY={seed}", verdict.problems, verdict.history))

    assert troubled == []


def test_the_same_seed_plays_the_same_history() -> None:
    assert market_histories.play(SEED) == market_histories.play(SEED)


def chosen_histories() -> list[int]:
    if MARKET_HISTORY:
        return [int(MARKET_HISTORY)]
    return [SEED + number for number in range(MARKET_SEEDS)]
