"""What people's feeds, and a job's, say about the money behind it."""

from itertools import product

import pytest
from django.conf import LazySettings
from django.db import transaction

from backend.events.models import Event
from backend.funding.models import Funding
from backend.funding.queries import GIVEN_BY, assurance_of
from backend.funding.status import (
    FundingAssurance,
    FundingMode,
    FundingStatus,
    assured_by,
    relied_on,
)
from backend.jobs.recruiting import decide_applications
from backend.jobs.status import ReviewDecision
from tests.simulation.market import Market
from tests.simulation.simulator import BASE_URL

pytestmark = pytest.mark.django_db(transaction=True)

MODES = [FundingMode.PREAPPROVED, FundingMode.ESCROW]


@pytest.fixture(autouse=True)
def _treasury(settings: LazySettings) -> None:
    settings.TREASURY_WALLET_ADDRESS_URL = f"{BASE_URL}/treasury"


def secured(mode: FundingMode = FundingMode.PREAPPROVED) -> Market:
    market = Market(mode=mode, workers=1)
    market.secure()
    return market


def told(topic: str, type: str = "funding.status", *, key: str = "status") -> list[str]:
    events = Event.objects.filter(topic=topic, type=type).order_by("seq")
    return [event.payload[key] for event in events]


def told_to_both(market: Market) -> list[list[str]]:
    return [told(f"user:{person.pk}") for person in (market.payer, market.workers[0])]


@pytest.mark.parametrize("mode", MODES)
def test_payer_and_worker_are_told_that_the_money_is_secured(mode: FundingMode) -> None:
    market = secured(mode)

    assert told_to_both(market) == [["SECURED"], ["SECURED"]]


def test_whoever_heard_that_a_consent_lapsed_hears_that_it_came_back() -> None:
    market = secured()
    with transaction.atomic():
        Funding.objects.get().move_to(FundingStatus.LAPSED, at=market.now)

    market.renew()
    market.settle_down(lambda: Funding.objects.get().status == FundingStatus.SECURED)

    assert told_to_both(market) == [["SECURED", "SECURED"], ["SECURED", "SECURED"]]


def test_the_payer_is_told_of_money_that_is_there_before_anybody_works() -> None:
    market = Market(mode=FundingMode.ESCROW, workers=1, pooled=True)
    market.open_treasury()
    market.job.applications.update(status="PENDING")

    market.fund()
    market.settle_down(lambda: Funding.objects.get().status == FundingStatus.SECURED)

    assert told_to_both(market) == [["SECURED"], []]


@pytest.mark.parametrize("mode", MODES)
def test_the_payer_is_told_that_all_of_it_is_paid(mode: FundingMode) -> None:
    market = secured(mode)

    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    market.settle_down(market.is_over)

    assert told(f"user:{market.payer.pk}")[-1] == "SETTLED"


def test_a_jobs_feed_tells_what_its_workers_may_rely_on_each_time_that_changes() -> None:
    market = secured()
    with transaction.atomic():
        Funding.objects.get().move_to(FundingStatus.LAPSED, at=market.now)
    market.renew()
    market.settle_down(lambda: Funding.objects.get().status == FundingStatus.SECURED)
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)

    market.settle_down(market.is_over)

    of_the_job = told(f"job:{market.job.id}", "job.assurance", key="assurance")
    assert of_the_job == ["AUTHORIZED", "NONE", "AUTHORIZED", "PAID"]


def test_a_job_that_other_money_stands_behind_as_well_tells_nothing() -> None:
    market = secured()
    other = Funding.objects.get()
    other.pk = None
    other.save(force_insert=True)

    with transaction.atomic():
        other.move_to(FundingStatus.CANCELED, at=market.now)

    assert told(f"job:{market.job.id}", "job.assurance", key="assurance") == ["AUTHORIZED"]


def test_what_lapses_is_told_whatever_else_stands_behind_the_job() -> None:
    market = secured()
    other = Funding.objects.get()
    other.pk = None
    other.mode = FundingMode.ESCROW
    other.save(force_insert=True)

    with transaction.atomic():
        Funding.objects.exclude(pk=other.pk).get().move_to(FundingStatus.LAPSED, at=market.now)

    said = told(f"job:{market.job.id}", "job.assurance", key="assurance")
    assert said == ["AUTHORIZED", "NONE"]
    assert assurance_of([market.job.id])[market.job.id] == FundingAssurance.NONE


@pytest.mark.parametrize(("mode", "status"), list(product(FundingMode, FundingStatus)))
def test_one_funding_gives_what_the_list_of_jobs_says(
    mode: FundingMode, status: FundingStatus
) -> None:
    row = {"mode": mode.value, "status": status.value}

    given = [each for each, given_by in GIVEN_BY.items() if given_by.check(row)]

    assert assured_by(mode, status) == (given[0] if given else None)
    assert len(given) <= 1


def test_of_several_the_same_one_counts_for_rows_and_for_what_is_told() -> None:
    for number, first in enumerate(GIVEN_BY):
        for second in list(GIVEN_BY)[number:]:
            assert relied_on([second, first]) == first
    assert relied_on([]) == FundingAssurance.NONE


@pytest.mark.parametrize("pooled", [False, True])
def test_the_payer_is_told_that_all_is_over(pooled: bool) -> None:
    market = Market(workers=2, pooled=pooled)
    if pooled:
        market.fund()
        market.settle_down(lambda: Funding.objects.get().status == FundingStatus.SECURED)
    decide_applications(
        user=market.payer, job_id=market.job.id, reset=[market.applications[1].id], now=market.now
    )
    market.secure()

    part = None if pooled else 500  # of a pool the second reward is left
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT, value=part)
    market.days_pass(60)
    market.settle_down(market.is_over)

    assert Funding.objects.get().status == FundingStatus.SETTLED
    heard = told(f"user:{market.payer.pk}")
    assert (heard[-1], heard.count("SETTLED")) == ("SETTLED", 1)
