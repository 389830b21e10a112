"""Where everything adds up, nothing is found."""

import pytest

from backend.funding.status import FundingMode
from backend.payments.models import Discrepancy, HeldGrant
from backend.payments.status import GrantScope
from tests.reconciliation.conftest import Play, run
from tests.simulation import market_histories
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


@pytest.mark.parametrize("seed", [SEED + number for number in range(HISTORIES)])
def test_after_lost_answers_and_dead_workers_nothing_is_found(seed: int) -> None:
    market, rng = market_histories.world_of(seed)
    assert market_histories.play_in(market, rng).problems == []

    report = run(market)

    # What the workflow noted on its way, it notes where it cannot be put right.
    assert dict(report.found) == {}
    left = Discrepancy.objects.filter(resolved_at=None).values_list("kind", flat=True)
    assert set(left) <= {"PARTIALLY_DELIVERED", "ESCROW_SHORT"}
