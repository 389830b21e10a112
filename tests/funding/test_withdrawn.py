"""Somebody selected goes while the payer is being asked: what comes is there, and can go back."""

from uuid import UUID

import pytest
from django.conf import LazySettings

from backend.funding import returning
from backend.funding.models import Allocation, Funding
from backend.funding.status import FundingMode, FundingStatus
from backend.ids import new_id
from backend.jobs import recruiting
from backend.jobs.models import Job
from backend.jobs.status import JobStatus, ReviewDecision
from backend.ledger.verification import verify
from tests.simulation.market import Market
from tests.simulation.simulator import BASE_URL

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _treasury(settings: LazySettings) -> None:
    settings.TREASURY_WALLET_ADDRESS_URL = f"{BASE_URL}/treasury"


def a_market_that_asks(mode: FundingMode, *, workers: int) -> Market:
    market = Market(mode=mode, workers=workers)
    if mode is FundingMode.ESCROW:
        market.open_treasury()
    market.pre_fund()
    return market


def withdraw(market: Market, number: int) -> None:
    recruiting.withdraw_application(
        user=market.workers[number],
        application_id=market.applications[number].id,
        now=market.now,
    )


def job_of(market: Market) -> Job:
    return Job.objects.get(id=market.job.id)


@pytest.mark.parametrize("mode", [FundingMode.PREAPPROVED, FundingMode.ESCROW])
def test_money_is_secured_though_the_only_worker_has_withdrawn(mode: FundingMode) -> None:
    market = a_market_that_asks(mode, workers=1)
    withdraw(market, 0)

    market.settle_down(lambda: not job_of(market).money_moving)

    funding = Funding.objects.get(job=market.job)
    assert funding.status == FundingStatus.SECURED
    assert job_of(market).status == JobStatus.SELECTING
    returning.cancel_funding(
        user=market.payer, funding_id=funding.id, idempotency_key=new_id(), now=market.now
    )
    funding_is_over = ("REFUNDED", "CANCELED")
    market.settle_down(lambda: Funding.objects.get(id=funding.id).status in funding_is_over)
    funding.refresh_from_db()
    assert funding.refunded_value == funding.total_value


@pytest.mark.parametrize("goes", ["withdraws", "is put back"])
def test_nothing_is_promised_to_whoever_is_not_selected_any_more(goes: str) -> None:
    market = a_market_in_which_one_of_two_is_covered()
    covered = Allocation.objects.get()
    assert (covered.application, covered.status) == (market.applications[0], "RESERVED")

    if goes == "withdraws":
        withdraw(market, 0)
    else:
        put_back(market, 0)

    covered.refresh_from_db()
    assert covered.status == "RETURNED"
    assert verify().broken == ""


def test_whoever_is_selected_again_is_promised_their_pay_again() -> None:
    market = a_market_in_which_one_of_two_is_covered()
    put_back(market, 0)
    put_back(market, 1)
    decide(market, select=[market.applications[0].id])

    market.pre_fund()

    assert job_of(market).status == JobStatus.SUBMITTING
    assert Funding.objects.count() == 1
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    market.settle_down(market.is_over)
    assert market.verdict().problems == []
    assert verify().broken == ""


def a_market_in_which_one_of_two_is_covered() -> Market:
    """The second one is selected while the payer is asked for the pay of the first."""
    market = Market(mode=FundingMode.PREAPPROVED, workers=2)
    put_back(market, 1)
    market.pre_fund()
    decide(market, select=[market.applications[1].id])
    market.settle_down(lambda: Funding.objects.get().status == FundingStatus.SECURED)
    assert job_of(market).status == JobStatus.SELECTING
    return market


def put_back(market: Market, number: int) -> None:
    decide(market, reset=[market.applications[number].id])


def decide(
    market: Market, *, select: list[UUID] | None = None, reset: list[UUID] | None = None
) -> None:
    recruiting.decide_applications(
        user=market.payer,
        job_id=market.job.id,
        select=select or [],
        reset=reset or [],
        now=market.now,
    )


def test_the_pay_of_who_has_withdrawn_is_free_while_the_others_work() -> None:
    market = a_market_that_asks(FundingMode.ESCROW, workers=2)
    withdraw(market, 1)

    market.settle_down(lambda: job_of(market).status == JobStatus.SUBMITTING)

    funding = Funding.objects.get(job=market.job)
    returning.refund_funding(
        user=market.payer,
        funding_id=funding.id,
        amount=None,
        idempotency_key=new_id(),
        now=market.now,
    )
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    market.settle_down(market.is_over)
    funding.refresh_from_db()
    assert (funding.released_value, funding.refunded_value) == (1250, 1250)
    assert market.verdict().problems == []
