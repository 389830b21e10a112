"""What a client sees of a funding."""

from typing import Any

import pytest
from django.conf import LazySettings

from backend.accounts.models import WalletAddress
from backend.funding.models import Funding
from backend.funding.status import FundingStatus
from backend.payments.models import HeldGrant
from tests.schema.client import data_of, execute
from tests.schema.world import global_id
from tests.simulation.market import Market
from tests.simulation.simulator import BASE_URL

pytestmark = pytest.mark.django_db(transaction=True)

FUNDING = "query ($id: ID!) { funding(id: $id) { failure { code message retryable } } }"


@pytest.fixture(autouse=True)
def _platform(settings: LazySettings) -> None:
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"


def failure_of(market: Market) -> Any:
    funding = Funding.objects.get(job=market.job)
    variables = {"id": global_id("Funding", funding.id)}
    answer = data_of(execute(FUNDING, variables=variables, user=market.payer))
    return answer["funding"]["failure"]


def test_a_payer_reads_for_whose_wallet_no_consent_could_be_asked() -> None:
    market = Market(workers=2)
    gone = WalletAddress.objects.filter(owner=market.workers[1])
    gone.update(url=f"{BASE_URL}/nobody", checked_at=market.now.replace(year=2025))
    market.pre_fund()
    assert failure_of(market) is None

    market.settle_down(lambda: Funding.objects.get().status == FundingStatus.FAILED, rounds=60)

    failure = failure_of(market)
    assert failure["code"] == "WALLET_REJECTED"
    assert f"{BASE_URL}/nobody" in failure["message"]
    assert "deselect" in failure["message"]


def test_a_payer_who_said_no_reads_that_and_of_no_wallet() -> None:
    market = Market(workers=1)
    market.approve = False
    market.pre_fund()

    market.settle_down(lambda: Funding.objects.get().status == FundingStatus.REJECTED)

    assert failure_of(market)["message"] == HeldGrant.objects.get().failure_message
