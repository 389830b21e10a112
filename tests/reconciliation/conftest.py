"""A job that was paid for, in a world that is still there to be asked."""

from datetime import datetime
from typing import Protocol

import pytest
from django.conf import LazySettings

from backend.funding.status import FundingMode
from backend.jobs.models import Job
from backend.payments.models import Discrepancy
from backend.reconciliation.findings import Report
from backend.reconciliation.reconciling import reconcile
from tests.simulation.market import Market
from tests.simulation.simulator import BASE_URL

YEAR_S = 365 * 86_400


class Play(Protocol):
    def __call__(self, mode: FundingMode, *, workers: int = 2) -> Market: ...


@pytest.fixture(autouse=True)
def _platform(settings: LazySettings) -> None:
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"
    settings.TREASURY_WALLET_ADDRESS_URL = f"{BASE_URL}/treasury"


@pytest.fixture
def play() -> Play:
    """Play a job whose workers are all paid; the treasury's consent can still be used then."""

    def played(mode: FundingMode, *, workers: int = 2) -> Market:
        market = Market(mode=mode, workers=workers, options={"token_life_s": YEAR_S})
        market.secure()
        market.accept_all()
        market.settle_down(market.is_over)
        return market

    return played


@pytest.fixture
def escrow(play: Play) -> Market:
    """A job that was paid through the treasury."""
    return play(FundingMode.ESCROW)


def status_of(market: Market) -> str:
    return str(Job.objects.get(id=market.job.id).status)


def run(market: Market, *, since: datetime | None = None) -> Report:
    """Reconcile as of the market's time."""
    return reconcile(now=market.now, client=market.client, since=since, clock=market.clock)


def open_kinds() -> list[str]:
    found = Discrepancy.objects.filter(resolved_at=None)
    return sorted(found.values_list("kind", flat=True))
