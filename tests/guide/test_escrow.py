"""Money set aside is said to be there when it is, and for what it is there."""

from typing import Any

import pytest

from backend.accounts.models import WalletAddress
from backend.errors import ErrorCode, FaenaError
from backend.funding.errors import AlreadyFunded, AmountChanged
from backend.funding.models import Funding
from backend.funding.services import fund_job
from backend.funding.status import FundingMode, FundingStatus
from backend.guide.escrow import SetAside, set_aside
from backend.guide.offers import Wish, payments_of_offer, start_payment
from backend.ids import global_id, new_id
from backend.jobs import endings
from backend.jobs.models import Job
from backend.jobs.status import JobStatus
from backend.payments.models import Payment
from backend.payments.status import PaymentStatus
from tests.guide.test_offers import at_once
from tests.simulation.market import RETURN, Market
from tests.simulation.simulator import Simulation

pytestmark = pytest.mark.django_db(transaction=True)
JOB = "Escrow for job: Translate"


@pytest.fixture
def world() -> Simulation:
    return Simulation(temperament="strict", funded=False)


def a_wish(world: Simulation, **changes: Any) -> Wish:
    return Wish(
        **{
            "owner": world.payer,
            "wallet": WalletAddress.objects.get(owner=world.payer, is_default=True),
            "amount": "25.00",
            "seller_id": None,
            "return_url": "http://127.0.0.1:8000/",
            "now": world.clock.now(),
            **changes,
        }
    )


def ask(
    world: Simulation, offer_id: str | None = None, description: str = JOB, **changes: Any
) -> SetAside:
    return set_aside(a_wish(world, **changes), offer_id=offer_id, description=description)


def pay(world: Simulation, payment: Payment) -> PaymentStatus:
    world.payment = payment
    world.run()
    return PaymentStatus(world.payment_now().status)


def test_it_is_there_when_the_receivers_wallet_shows_it_and_is_told_once(world: Simulation) -> None:
    first = ask(world)
    assert not first.secured
    assert ask(world) == first, "the same payer is asked, once"

    assert pay(world, first.payment) is PaymentStatus.COMPLETED
    second = ask(world)
    assert second.secured
    assert second.payment == first.payment

    # Two jobs may be called alike: this one is not paid.
    third = ask(world)
    assert not third.secured
    assert third.payment != first.payment


def test_another_sum_is_something_else(world: Simulation) -> None:
    pay(world, ask(world).payment)

    other = ask(world, amount="26.00")

    assert not other.secured
    assert other.payment.receive_value == 2600


def test_by_its_offers_id_it_is_told_as_often_as_it_is_asked(world: Simulation) -> None:
    first = ask(world, "123")
    pay(world, first.payment)

    assert [ask(world, "123") for _ in range(3)] == [SetAside(first.payment, secured=True)] * 3
    with pytest.raises(AlreadyFunded):
        ask(world, "123", amount="26.00")
    assert not ask(world, "124").secured


def test_a_payer_who_declines_is_asked_again_by_the_next_call(world: Simulation) -> None:
    world.approve = False
    first = ask(world)
    assert pay(world, first.payment) is PaymentStatus.REJECTED
    world.approve = True

    second = ask(world)

    assert not second.secured
    assert second.payment != first.payment
    assert pay(world, second.payment) is PaymentStatus.COMPLETED
    assert ask(world).secured


def test_an_offer_an_escrow_and_a_description_of_one_name_are_three_things(
    world: Simulation,
) -> None:
    by_id = ask(world, "123")
    pay(world, by_id.payment)
    offer = start_payment(a_wish(world), offer_id="123")

    described = ask(world, description="123")

    assert not described.secured
    assert len({by_id.payment, offer, described.payment}) == 3
    found = payments_of_offer(world.payer, "123").order_by("id")
    assert list(found) == [by_id.payment, offer]


def test_S30_S31_S33_D03_the_work_on_a_job_of_ours_begins_when_the_treasury_has_the_money() -> None:
    market = Market(mode=FundingMode.ESCROW)
    market.open_treasury()
    offer_id = global_id("Job", market.job.id)

    first = ask(market, offer_id)
    assert not first.secured
    assert ask(market, offer_id) == first
    market.job.refresh_from_db()
    assert market.job.status == JobStatus.SELECTING, "asked is not secured"

    market.settle_down(lambda: Funding.objects.get().status == FundingStatus.SECURED)
    market.job.refresh_from_db()
    assert market.job.status == JobStatus.SUBMITTING
    assert [ask(market, offer_id).secured for _ in range(2)] == [True, True]
    assert Funding.objects.get().mode == FundingMode.ESCROW


def test_money_that_went_back_to_its_payer_is_not_there_any_more() -> None:
    market = Market(mode=FundingMode.ESCROW)
    market.open_treasury()
    offer_id = global_id("Job", market.job.id)
    first = ask(market, offer_id)
    market.settle_down(lambda: Funding.objects.get().status == FundingStatus.SECURED)
    assert ask(market, offer_id).secured

    endings.cancel_job(
        user=market.payer, job_id=market.job.id, reason="Not needed.", now=market.clock.now()
    )
    market.settle_down(lambda: Funding.objects.get().status == FundingStatus.REFUNDED)

    with pytest.raises(FaenaError) as refused:
        ask(market, offer_id)
    assert refused.value.code == ErrorCode.INVALID_TRANSITION
    assert Payment.objects.get(id=first.payment.id).status == PaymentStatus.COMPLETED


def fund_before_work(market: Market, mode: FundingMode) -> None:
    fund_job(
        payer=market.payer,
        job_id=market.job.id,
        mode=mode,
        seller=None,
        payer_wallet_id=None,
        expected_total=None,
        return_url=RETURN,
        idempotency_key=new_id(),
        now=market.clock.now(),
    )
    market.settle_down(lambda: Funding.objects.get().status == FundingStatus.SECURED)
    market.job.refresh_from_db()
    assert market.job.status == JobStatus.SELECTING


def test_money_held_since_before_the_selection_is_promised_to_those_selected() -> None:
    market = Market(mode=FundingMode.ESCROW)
    market.open_treasury()
    fund_before_work(market, FundingMode.ESCROW)

    held = ask(market, global_id("Job", market.job.id))

    assert held.secured
    market.job.refresh_from_db()
    assert market.job.status == JobStatus.SUBMITTING
    assert Funding.objects.get().allocations.count() == 2


def test_asking_again_is_safe_where_more_was_held_than_those_selected_are_paid() -> None:
    market = Market(mode=FundingMode.ESCROW)
    market.open_treasury()
    Job.objects.filter(id=market.job.id).update(workers_needed=3)
    fund_before_work(market, FundingMode.ESCROW)
    assert Funding.objects.get().total_value == 3750

    told = [ask(market, global_id("Job", market.job.id)) for _ in range(3)]

    assert [each.secured for each in told] == [True] * 3
    assert len({each.payment for each in told}) == 1
    with pytest.raises(FaenaError):
        ask(market, global_id("Job", market.job.id), amount="24.00")


def test_a_consent_is_no_money_set_aside() -> None:
    market = Market(mode=FundingMode.PREAPPROVED)
    fund_before_work(market, FundingMode.PREAPPROVED)

    with pytest.raises(AlreadyFunded):
        ask(market, global_id("Job", market.job.id))

    market.job.refresh_from_db()
    assert market.job.status == JobStatus.SELECTING


def test_D02_S33_the_sum_of_a_job_of_ours_is_reward_times_selected() -> None:
    market = Market(mode=FundingMode.ESCROW)
    market.open_treasury()

    with pytest.raises(AmountChanged):
        ask(market, str(market.job.id), amount="50.00")


def test_S32_somebody_has_to_be_selected() -> None:
    market = Market(mode=FundingMode.ESCROW)
    market.open_treasury()
    market.job.applications.update(status="PENDING")

    with pytest.raises(FaenaError) as refused:
        ask(market, str(market.job.id))
    assert refused.value.code == ErrorCode.NO_SELECTED_WORKERS


def test_of_thirty_who_ask_at_once_one_is_told_that_it_is_there(world: Simulation) -> None:
    pay(world, ask(world).payment)

    told = at_once(lambda: ask(world))

    assert sorted(each.secured for each in told) == [False] * 29 + [True]
    assert len({each.payment.id for each in told if not each.secured}) == 1
