"""Each kind of discrepancy, planted: found once, with its figures, and resolved by its repair."""

import pytest

from backend.funding.models import Funding, Payable
from backend.funding.status import FundingMode
from backend.payments.models import Discrepancy, Payment
from backend.payments.status import PaymentPurpose
from backend.reconciliation.findings import Kind
from tests.reconciliation.conftest import Play, open_kinds, run
from tests.reconciliation.planting import PLANTS
from tests.simulation.market import Market

pytestmark = pytest.mark.django_db(transaction=True)


def payouts() -> list[Payment]:
    paid = Payment.objects.filter(purpose=PaymentPurpose.PAYOUT).select_related("receiver")
    return list(paid.order_by("id"))


def test_every_kind_is_planted() -> None:
    assert set(PLANTS) == set(Kind)


@pytest.mark.parametrize("kind", list(PLANTS), ids=str)
def test_a_planted_discrepancy_is_found_alone_and_resolved_by_its_repair(
    kind: Kind, escrow: Market
) -> None:
    planted = PLANTS[kind](escrow, payouts()[0])
    try:
        first, second = run(escrow), run(escrow)
        rows = list(Discrepancy.objects.values_list("kind", "expected", "actual", "resolved_at"))
    finally:
        planted.repair()
    repaired = run(escrow)

    assert rows == [(kind.value, planted.expected, planted.actual, None)]
    assert dict(first.found) == dict(second.found) == {kind: 1}
    assert (dict(repaired.found), dict(repaired.resolved)) == ({}, {kind: 1})
    assert open_kinds() == []


def test_money_on_its_way_back_that_is_promised_to_a_worker_too_is_found(escrow: Market) -> None:
    funding = Funding.objects.get(job=escrow.job)
    assert funding.payer_wallet is not None
    Payable.objects.create(
        funding=funding,
        purpose=PaymentPurpose.REFUND,
        receiver=funding.payer_wallet,
        value=10,
        created_at=escrow.now,
        updated_at=escrow.now,
    )

    report = run(escrow)

    row = Discrepancy.objects.get()
    assert dict(report.found) == {Kind.ALLOCATION_SUM: 1}
    assert (row.subject, row.payment) == (funding.id, None)
    assert (row.expected, row.actual) == ("0 USD/2 left to promise", "-10")


def test_all_kinds_at_once_are_found_in_one_run(play: Play) -> None:
    market = play(FundingMode.ESCROW, workers=len(PLANTS))
    planted = {
        kind: plant(market, payment)
        for (kind, plant), payment in zip(PLANTS.items(), payouts(), strict=True)
    }
    try:
        report = run(market)
        rows = Discrepancy.objects.values_list("kind", "expected", "actual")
        found = {kind: (expected, actual) for kind, expected, actual in rows}
    finally:
        for each in reversed(planted.values()):
            each.repair()

    assert found == {kind.value: each[1:] for kind, each in planted.items()}
    assert report.found == dict.fromkeys(PLANTS, 1)
    assert run(market).resolved == dict.fromkeys(PLANTS, 1)
