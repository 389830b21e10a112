"""What a preview says, and that it leaves nothing behind."""

from fractions import Fraction
from typing import Any

import httpx
import pytest
from django.conf import LazySettings

from backend.accounts.errors import WalletUnusable
from backend.errors import AssetMismatch, Forbidden
from backend.funding.models import Funding
from backend.funding.previewing import Preview, preview_funding
from backend.funding.status import FundingMode
from backend.jobs.errors import NoSelectedWorkers
from backend.jobs.models import Application
from backend.jobs.status import Pricing
from backend.open_payments import Answer, Client, Operation
from backend.payments.models import HeldGrant, Payment
from tests.simulation.market import Market
from tests.simulation.simulator import BASE_URL

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _treasury(settings: LazySettings) -> None:
    settings.TREASURY_WALLET_ADDRESS_URL = f"{BASE_URL}/treasury"


def preview(market: Market, **changes: Any) -> Preview:
    arguments: dict[str, Any] = {
        "user": market.payer,
        "job_id": market.job.id,
        "mode": FundingMode.PREAPPROVED,
        "client": market.client,
        "now": market.now,
        **changes,
    }
    return preview_funding(**arguments)


def open_receivers(market: Market) -> int:
    """How many incoming payments of the sandbox could still be paid."""
    rows = market.world.bank.db.execute("SELECT COUNT(*) FROM incoming WHERE NOT completed")
    return int(rows.fetchone()[0])


def test_a_preview_has_a_line_for_each_worker_with_its_cost() -> None:
    market = Market(options={"fees": {"bps": 100, "fixed": 25}})

    found = preview(market)

    assert [line.payee for line in found.lines] == market.workers
    for line in found.lines:
        assert (line.receive.value, line.debit.value) == (1250, 1288)
        assert line.cost and line.cost.value == 38
        assert line.implied_rate is None
    assert (found.total.value, found.debit.value, found.max_debit.value) == (2500, 2576, 2576)
    assert found.quotes_expire_at is not None and found.quotes_expire_at > market.now


def test_between_two_currencies_the_cost_is_in_the_rate_and_the_limit_has_room() -> None:
    market = Market(payer_wallet="bob")

    found = preview(market)

    line = found.lines[0]
    assert line.debit.asset_code == "EUR" and line.receive.asset_code == "USD"
    assert line.cost is None
    assert line.implied_rate == Fraction(line.receive.value, line.debit.value)
    assert found.max_debit.value > found.debit.value


def test_where_the_sent_sum_is_fixed_workers_see_what_it_makes() -> None:
    market = Market(pricing=Pricing.FIXED_SEND)

    found = preview(market)

    assert {line.receive.asset_code for line in found.lines} == {"MXN", "EUR"}
    assert all(line.debit.value <= 1250 for line in found.lines)
    assert found.max_debit == found.debit


def test_what_was_previewed_is_what_the_payer_is_asked_for() -> None:
    market = Market(payer_wallet="bob", options={"fees": {"bps": 100, "fixed": 25}})
    found = preview(market)

    market.pre_fund()
    market.work_until(lambda: HeldGrant.objects.get(payer=market.payer).limit_value is not None)

    limit = HeldGrant.objects.get(payer=market.payer).limit
    assert limit is not None
    # Each line is rounded up by itself.
    assert 0 <= limit.value - found.max_debit.value <= len(found.lines)


def test_a_preview_leaves_nothing_behind() -> None:
    market = Market()

    preview(market)

    assert open_receivers(market) == 0
    assert not Funding.objects.exists()
    assert not Payment.objects.exists()
    assert not HeldGrant.objects.filter(payer=market.payer).exists()


def test_a_preview_of_the_treasury_asks_for_the_sum_at_once() -> None:
    market = Market(mode=FundingMode.ESCROW)
    market.open_treasury()

    [line] = preview(market, mode=FundingMode.ESCROW).lines

    assert (line.payee, line.receive.value) == (None, 2500)


def test_a_preview_is_refused_like_the_funding_would_be() -> None:
    market = Market(workers=1)
    with pytest.raises(Forbidden):
        preview(market, user=market.workers[0])
    Application.objects.update(status="PENDING")
    with pytest.raises(NoSelectedWorkers):
        preview(market)
    mismatched = Market(workers=1, pricing=Pricing.FIXED_SEND, payer_wallet="bob")
    with pytest.raises(AssetMismatch):
        preview(mismatched)


def test_a_silent_wallet_is_said_to_be_unreachable() -> None:
    market = Market()
    market.fault(call="create-quote", when="before", act="status_500_text", times=9)

    with pytest.raises(WalletUnusable):
        preview(market)


def test_a_preview_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(WalletUnusable):
        preview(Market(), within_seconds=0)


def test_no_call_of_a_preview_lasts_longer_than_what_is_left_of_its_time() -> None:
    market = Market()
    left: list[float] = []

    class Watched(Client):
        def exchange(
            self, operation: Operation[Any], *, within_seconds: float | None = None
        ) -> Answer:
            assert within_seconds is not None
            left.append(within_seconds)
            return market.client.exchange(operation)

    preview(market, client=Watched(httpx.Client()), within_seconds=5)

    assert len(left) >= 5
    assert left == sorted(left, reverse=True) and max(left) <= 5
