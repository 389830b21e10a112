"""What a client sees of the platform's fee before anybody consents, and afterwards."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.accounts.models import User
from backend.funding.models import Funding
from backend.ids import new_id
from backend.jobs.models import Job
from tests.jobs.people import a_job, a_person
from tests.schema.client import bearer_of, data_of, execute
from tests.schema.world import global_id
from tests.simulation.market import RETURN, Market
from tests.simulation.simulator import BASE_URL

pytestmark = pytest.mark.django_db(transaction=True)

JOB = "query ($id: ID!) { job(id: $id) { totalBudget { value } platformFee { value assetCode } } }"
JOBS = "{ jobs(first: 20) { edges { node { platformFee { value } } } } }"
FUND = """mutation ($input: PreFundJobInput!) { preFundJob(input: $input) {
  funding { total { value } fee { value } feePaid { value } released { value } }
  errors { code ... on AmountChangedError { actual { value } } } } }"""


@pytest.fixture
def market(settings: LazySettings) -> Market:
    settings.PLATFORM_FEE_BPS = 1000
    settings.PLATFORM_FEE_WALLET_ADDRESS_URLS = [f"{BASE_URL}/platform"]
    return Market(fee_bps=1000)


def asked(query: str, user: User, **variables: Any) -> Any:
    return data_of(execute(query, variables=variables, bearer=bearer_of(user)))


def test_a_job_shows_the_fee_beside_its_budget(market: Market) -> None:
    job = asked(JOB, market.payer, id=global_id("Job", market.job.id))["job"]

    assert job["totalBudget"] == {"value": "2500"}
    assert job["platformFee"] == {"value": "250", "assetCode": "USD"}


def test_a_job_in_an_asset_without_a_fee_wallet_shows_none(market: Market) -> None:
    job = a_job(market.payer)
    Job.objects.filter(id=job.id).update(asset_code="MXN")

    answer = asked(JOB, market.payer, id=global_id("Job", job.id))["job"]

    assert answer["platformFee"] == {"value": "0", "assetCode": "MXN"}


def test_a_list_asks_once_for_the_fees_of_its_jobs(market: Market) -> None:
    for _ in range(5):
        a_job(a_person("somebody"))

    with CaptureQueriesContext(connection) as captured:
        asked(JOBS, market.payer)

    assert sum('"funding_seller"' in each["sql"] for each in captured) == 1


def test_the_total_is_budget_and_fee_and_another_one_is_refused(market: Market) -> None:
    def fund(value: int) -> Any:
        wanted = {
            "jobId": global_id("Job", market.job.id),
            "returnUrl": RETURN,
            "idempotencyKey": str(new_id()),
            "expectedTotal": {"value": str(value), "assetCode": "USD", "assetScale": 2},
        }
        return asked(FUND, market.payer, input=wanted)["preFundJob"]

    refused, funded = fund(2500), fund(2750)

    assert refused["errors"] == [{"code": "AMOUNT_CHANGED", "actual": {"value": "2750"}}]
    assert funded == {
        "funding": {
            "total": {"value": "2750"},
            "fee": {"value": "250"},
            "feePaid": {"value": "0"},
            "released": {"value": "0"},
        },
        "errors": [],
    }
    assert Funding.objects.count() == 1
