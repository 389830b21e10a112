"""Reconciliation knows the platform's fee: silent where it is right, and not where it is not."""

import pytest

from backend.funding.models import Funding, Payable
from backend.funding.status import FundingMode, PayableStatus
from backend.ledger import refs
from backend.ledger.posting import post
from backend.payments.models import Discrepancy
from backend.payments.status import PaymentPurpose
from backend.reconciliation.findings import Kind
from tests.reconciliation.conftest import run
from tests.reconciliation.planting import USD
from tests.simulation.market import Market

pytestmark = pytest.mark.django_db(transaction=True)


def paid(mode: FundingMode, fee_wallet: str = "platform") -> Market:
    market = Market(mode=mode, fee_bps=1000, fee_wallet=fee_wallet)
    market.secure()
    market.accept_all()
    market.settle_down(market.is_over)
    return market


def told() -> list[tuple[str, str]]:
    return list(Discrepancy.objects.values_list("expected", "actual"))


@pytest.mark.parametrize("fee_wallet", ["platform", "treasury"])
@pytest.mark.parametrize("mode", [FundingMode.PREAPPROVED, FundingMode.ESCROW])
def test_a_fee_that_was_paid_or_kept_is_no_discrepancy(mode: FundingMode, fee_wallet: str) -> None:
    assert dict(run(paid(mode, fee_wallet)).found) == {}


def test_a_fee_that_is_owed_for_nothing_is_found() -> None:
    market = paid(FundingMode.PREAPPROVED)
    funding = Funding.objects.get(job=market.job)
    assert funding.fee_wallet is not None
    Payable.objects.create(
        funding=funding,
        purpose=PaymentPurpose.PLATFORM_FEE,
        receiver=funding.fee_wallet,
        value=10,
        status=PayableStatus.STUCK,
        created_at=market.now,
        updated_at=market.now,
    )

    assert dict(run(market).found) == {Kind.ALLOCATION_SUM: 1}
    assert told() == [("250 USD/2 owed or paid as a fee", "260")]


def test_a_fee_that_was_forgotten_is_found() -> None:
    market = paid(FundingMode.ESCROW, "treasury")
    Payable.objects.filter(purpose=PaymentPurpose.PLATFORM_FEE).earliest("created_at").delete()

    found = dict(run(market).found)

    # Its booking has lost what it was for as well.
    assert found == {Kind.ALLOCATION_SUM: 1, Kind.BOOKED_WITHOUT_PAYMENT: 1}


def test_money_that_was_booked_away_as_a_fee_is_found() -> None:
    market = paid(FundingMode.ESCROW)
    payout = Payable.objects.filter(purpose=PaymentPurpose.PAYOUT).earliest("created_at")
    lines = [(refs.fees(USD), -5), (refs.platform_fee(payout.receiver_id, USD), 5)]
    post(reason="FEE_KEPT", at=market.now, lines=lines, subject=payout.id)

    assert dict(run(market).found) == {Kind.BOOKED_WITHOUT_PAYMENT: 1}
