"""Where a job fixes what is sent: the payer's wallet does not decide alone what counts as paid."""

import pytest

from backend.accounts.models import User, WalletAddress
from backend.errors import ErrorCode
from backend.funding import returning
from backend.funding.models import Allocation, Funding, Payable
from backend.funding.rates import least_that_arrives
from backend.funding.status import FundingMode, PayableStatus
from backend.ids import new_id
from backend.jobs.status import Pricing
from backend.payments.models import HeldGrant, HeldGrantLine, Payment
from tests.simulation.market import Market

pytestmark = pytest.mark.django_db(transaction=True)


def at_work(mode: FundingMode = FundingMode.PREAPPROVED, *, workers: int = 1) -> Market:
    market = Market(mode=mode, pricing=Pricing.FIXED_SEND, workers=workers)
    market.secure()
    return market


def accept(market: Market) -> None:
    market.accept_all()


def payouts() -> list[Payment]:
    return list(Payment.objects.filter(purpose="PAYOUT").order_by("created_at", "id"))


def retry(market: Market, by: User) -> None:
    returning.retry_payment(
        user=by, payment_id=payouts()[-1].id, idempotency_key=new_id(), now=market.now
    )


def wait_for(status: PayableStatus, market: Market) -> None:
    market.settle_down(lambda: Payable.objects.get().status == status)
    assert Payable.objects.get().status == status


def at_a_hundredth_of_the_rate() -> Market:
    market = at_work()
    market.set_rates("USD", "0.01")
    accept(market)
    return market


def test_pay_of_which_next_to_nothing_would_arrive_is_not_sent() -> None:
    market = at_a_hundredth_of_the_rate()

    wait_for(PayableStatus.STUCK, market)

    # It was tried by itself, after 1, 6 and 24 hours.
    assert {payment.failure_code for payment in payouts()} == {ErrorCode.RATE_TOO_LOW}
    assert len(payouts()) == 4
    assert not [each for each in market.movements() if each["kind"] == "deliver"]
    assert HeldGrant.objects.get(payer=market.payer).reserved_value == 0


def test_it_is_paid_by_itself_once_the_rate_is_back() -> None:
    market = at_a_hundredth_of_the_rate()
    market.settle_down(lambda: Payable.objects.get().failures > 0)
    market.set_rates("USD", "1")

    market.settle_down(market.is_over)

    assert [payment.failure_code for payment in payouts()] == [ErrorCode.RATE_TOO_LOW, ""]
    assert market.verdict().problems == []


def test_only_an_operator_has_it_paid_at_such_a_rate() -> None:
    market = at_a_hundredth_of_the_rate()
    wait_for(PayableStatus.STUCK, market)

    retry(market, by=market.payer)
    wait_for(PayableStatus.OWED, market)
    assert payouts()[-1].failure_code == ErrorCode.RATE_TOO_LOW

    retry(market, by=market.operator)
    market.settle_down(market.is_over)
    assert payouts()[-1].status == "COMPLETED"
    assert market.verdict().problems == []


def test_an_operator_accepts_the_rate_that_they_saw_and_none_that_is_far_below_it() -> None:
    market = at_a_hundredth_of_the_rate()
    wait_for(PayableStatus.STUCK, market)
    market.set_rates("USD", "0.001")

    retry(market, by=market.operator)

    wait_for(PayableStatus.OWED, market)
    seen, now = payouts()[-2].refused_receive_value, payouts()[-1].refused_receive_value
    assert seen is not None
    assert now is not None
    assert now * 9 < seen
    assert payouts()[-1].failure_code == ErrorCode.RATE_TOO_LOW


def test_a_payer_lowers_the_rate_that_was_seen_by_no_try_of_their_own() -> None:
    market = at_a_hundredth_of_the_rate()
    wait_for(PayableStatus.STUCK, market)
    seen = payouts()[-1]
    market.set_rates("USD", "0.001")
    retry(market, by=market.payer)
    wait_for(PayableStatus.OWED, market)

    begun = returning.retry_payment(
        user=market.operator, payment_id=seen.id, idempotency_key=new_id(), now=market.now
    )

    assert seen.refused_receive_value is not None
    assert (begun.least_receive_value or 0) * 20 >= seen.refused_receive_value * 19


def test_nor_has_an_operator_who_is_the_payer() -> None:
    market = at_a_hundredth_of_the_rate()
    wait_for(PayableStatus.STUCK, market)
    market.payer.is_staff = True
    market.payer.save()

    retry(market, by=market.payer)

    wait_for(PayableStatus.OWED, market)
    assert payouts()[-1].failure_code == ErrorCode.RATE_TOO_LOW


def test_another_consent_at_a_worse_rate_changes_nothing() -> None:
    market = at_a_hundredth_of_the_rate()
    wait_for(PayableStatus.STUCK, market)

    market.renew()
    consents = HeldGrant.objects.filter(payer=market.payer)
    market.settle_down(lambda: consents.latest("created_at").status == "HELD")
    retry(market, by=market.payer)

    wait_for(PayableStatus.OWED, market)
    assert payouts()[-1].under != payouts()[0].under
    assert payouts()[-1].failure_code == ErrorCode.RATE_TOO_LOW


@pytest.mark.parametrize("mode", [FundingMode.PREAPPROVED, FundingMode.ESCROW])
def test_rates_move(mode: FundingMode) -> None:
    market = at_work(mode, workers=2)
    # What the treasury's own wallet says is believed.
    market.set_rates("USD", "0.6" if mode is FundingMode.PREAPPROVED else "0.1")

    accept(market)
    market.settle_down(market.is_over)

    assert {payment.status for payment in payouts()} == {"COMPLETED"}
    assert market.verdict().problems == []


def owed(market: Market, value: int) -> Payable:
    return Payable(
        funding=Funding.objects.select_related("job").get(),
        purpose="PAYOUT",
        receiver=WalletAddress.objects.get(owner=market.workers[0]),
        value=value,
    )


def test_half_of_what_was_quoted_is_enough_and_charges_may_take_what_is_little() -> None:
    market = at_work()
    line, under = HeldGrantLine.objects.get(), HeldGrant.objects.get()
    assert line.send_value is not None
    HeldGrantLine.objects.update(quoted_receive_value=17 * line.send_value)

    least = {value: least_that_arrives(owed(market, value), under) for value in (1250, 180, 100, 1)}

    assert least == {1250: 17 * 625, 180: 17 * 80, 100: None, 1: None}


def test_of_a_part_its_part_has_to_arrive_however_small_it_is() -> None:
    market = at_work()
    HeldGrantLine.objects.update(quoted_receive_value=17 * 1250)
    under, allocation = HeldGrant.objects.get(), Allocation.objects.get()

    least = {}
    for value in (1250, 100, 3):
        payable = owed(market, value)
        payable.allocation = allocation
        least[value] = least_that_arrives(payable, under)

    assert least == {1250: 17 * 625, 100: 17 * 50, 3: 17}


def test_what_somebody_else_was_quoted_does_not_lower_it() -> None:
    market = at_work(workers=3)
    lines = list(HeldGrantLine.objects.order_by("id"))
    # The first and the third are in one currency.
    assert lines[0].receiver.asset == lines[2].receiver.asset
    HeldGrantLine.objects.filter(id=lines[0].id).update(quoted_receive_value=1)
    HeldGrantLine.objects.filter(id=lines[2].id).update(quoted_receive_value=17 * 1250)

    assert least_that_arrives(owed(market, 1250), HeldGrant.objects.get()) == 17 * 625


def test_in_one_asset_it_is_half_of_the_sum_whatever_was_quoted() -> None:
    market = at_work()
    HeldGrantLine.objects.update(quoted_receive_value=1)
    under = HeldGrant.objects.select_related("sender").get()
    payable = owed(market, 1250)
    payable.receiver = under.sender

    assert least_that_arrives(payable, under) == 625


def test_where_nobody_ever_quoted_there_is_no_bound() -> None:
    market = at_work()
    HeldGrantLine.objects.update(quoted_receive_value=None)

    assert least_that_arrives(owed(market, 1250), HeldGrant.objects.get()) is None


def test_a_payment_before_the_bound_was_known_has_none() -> None:
    """Rows of an earlier version go on as they were."""
    market = at_work()
    market.set_rates("USD", "0.01")
    HeldGrantLine.objects.update(quoted_receive_value=None)

    accept(market)
    market.settle_down(market.is_over)

    assert payouts()[-1].status == "COMPLETED"
