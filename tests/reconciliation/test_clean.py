"""Where everything adds up, nothing is found."""

import pytest

from backend.funding.status import FundingMode
from backend.payments.models import Discrepancy, HeldGrant
from backend.payments.status import GrantScope
from tests.reconciliation.conftest import Play, run

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
