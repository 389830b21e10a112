"""The consent that the platform pays out with: what happens when it is used up."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection, transaction

from backend.back_office.attention import treasury_cannot_pay
from backend.doctor.findings import Found
from backend.doctor.payees import check_treasury_grant
from backend.events import models as events
from backend.funding import paying
from backend.funding.models import Funding, Payable, Seller
from backend.funding.status import FundingMode, PayableStatus
from backend.funding.treasury import register_treasury, revoke_treasury_grant
from backend.jobs.models import Submission
from backend.jobs.status import ReviewDecision
from backend.open_payments import operations
from backend.payments.models import HeldGrant, Payment, PaymentTransition
from backend.payments.status import PaymentStatus
from tests.schema.client import data_of, execute
from tests.simulation.market import Market
from tests.simulation.simulator import BASE_URL, START

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _treasury(settings: LazySettings) -> None:
    settings.TREASURY_WALLET_ADDRESS_URL = f"{BASE_URL}/treasury"


def a_market_at_work(*, limit: int, workers: int = 2) -> Market:
    market = Market(mode=FundingMode.ESCROW, workers=workers)
    market.open_treasury(limit=limit)
    market.secure()
    return market


def pay(market: Market, number: int) -> None:
    market.review(market.submit(market.workers[number]), ReviewDecision.ACCEPT)


def paid() -> int:
    return Payment.objects.filter(purpose="PAYOUT", status=PaymentStatus.COMPLETED).count()


def warnings(market: Market) -> list[events.Event]:
    return list(
        events.Event.objects.filter(
            topic=f"user:{market.operator.pk}", type="treasury.nearly_spent"
        )
    )


def test_the_operator_is_warned_once_when_four_fifths_are_spent() -> None:
    market = a_market_at_work(limit=4000, workers=3)

    pay(market, 0)
    pay(market, 1)
    market.settle_down(lambda: paid() == 2)
    assert warnings(market) == []
    pay(market, 2)
    market.settle_down(lambda: paid() == 3)

    (warning,) = warnings(market)
    assert warning.payload["spent"] == {"value": "3750", "assetCode": "USD", "assetScale": 2}
    assert warning.payload["limit"]["value"] == "4000"


def test_a_payers_own_limit_may_be_used_up_without_a_word() -> None:
    market = Market(workers=1)
    market.secure()

    pay(market, 0)
    market.settle_down(market.is_over)

    assert not events.Event.objects.filter(type="treasury.nearly_spent").exists()


def test_a_payment_that_finds_no_room_goes_on_with_the_spare_consent() -> None:
    market = a_market_at_work(limit=1500)
    market.ask_the_operator(1400)
    market.settle_down(
        lambda: HeldGrant.objects.filter(payer=market.operator, status="HELD").count() == 2
    )

    # Both begin under the consent with more room, which has room for one of them.
    pay(market, 0)
    pay(market, 1)
    market.settle_down(lambda: paid() == 2)

    assert paid() == 2
    payouts = Payment.objects.filter(purpose="PAYOUT", status=PaymentStatus.COMPLETED)
    assert len({payment.under_id for payment in payouts}) == 2
    assert Payment.objects.filter(failure_code="GRANT_EXHAUSTED").count() == 1


def test_what_no_consent_has_room_for_waits_for_the_next_period_and_is_paid_then() -> None:
    market = a_market_at_work(limit=1500)
    pay(market, 0)
    pay(market, 1)
    market.settle_down(
        lambda: Payable.objects.filter(status=PayableStatus.OWED).exists() and paid() == 1
    )

    waiting = Payable.objects.get(status=PayableStatus.OWED)
    period_until = HeldGrant.objects.get(payer=market.operator).period_until
    assert waiting.due_at == period_until
    assert period_until is not None
    market.clock.at = period_until + timedelta(seconds=1)
    market.settle_down(lambda: paid() == 2)

    assert market.verdict().problems == []


def test_what_found_no_room_is_paid_as_soon_as_another_payment_gives_its_own_back() -> None:
    market = a_market_at_work(limit=1500)
    submissions = [market.submit(worker) for worker in market.workers]
    market.fault(call="create-outgoing-payment", act="insufficient_funds", times=1)
    market.review(submissions[0], ReviewDecision.ACCEPT)
    market.work_until(
        lambda: Payment.objects.filter(purpose="PAYOUT", reserved_value=1250).exists()
    )
    market.review(submissions[1], ReviewDecision.ACCEPT)
    market.work_until(lambda: failed("GRANT_EXHAUSTED") and failed("INSUFFICIENT_FUNDS"))

    market.settle_down(lambda: paid() == 1, rounds=40)

    assert paid() == 1
    assert market.now - START < timedelta(days=1)


def test_what_only_its_wallet_has_no_room_for_waits_for_the_next_period() -> None:
    market = a_market_at_work(limit=10_000)
    refusal = {"error": {"code": "403", "description": "unauthorized"}}
    market.fault(call="create-outgoing-payment", act="status", status=403, body=refusal, times=9)

    pay(market, 0)
    pay(market, 1)
    market.settle_down(lambda: False, rounds=40)

    assert payouts() == ["GRANT_EXHAUSTED"] * 2
    period_until = HeldGrant.objects.get(payer=market.operator).period_until
    due = Payable.objects.filter(status=PayableStatus.OWED).values_list("due_at", flat=True)
    assert set(due) == {period_until}


def failed(code: str) -> bool:
    return Payment.objects.filter(failure_code=code).exists()


def a_market_with_a_large_consent_used_up_and_a_small_one() -> tuple[Market, Submission, HeldGrant]:
    """What the second worker handed in ten days before the large one's period ends; that one."""
    market = a_market_at_work(limit=1300)
    pay(market, 0)
    market.settle_down(lambda: paid() == 1)
    submission = market.submit(market.workers[1])
    large = HeldGrant.objects.get(payer=market.operator)
    assert large.period_until is not None
    market.clock.at = large.period_until - timedelta(days=10)
    market.ask_the_operator(100)
    market.settle_down(
        lambda: HeldGrant.objects.filter(payer=market.operator, status="HELD").count() == 2
    )
    return market, submission, large


def test_a_consent_whose_period_is_over_has_all_its_room_again_beside_a_small_spare_one() -> None:
    market, submission, large = a_market_with_a_large_consent_used_up_and_a_small_one()
    assert large.period_until is not None
    market.clock.at = large.period_until + timedelta(minutes=1)

    market.review(submission, ReviewDecision.ACCEPT)
    market.settle_down(lambda: paid() == 2)

    assert set(Payment.objects.filter(purpose="PAYOUT").values_list("under", "status")) == {
        (large.id, PaymentStatus.COMPLETED)
    }


def test_an_operator_sees_what_is_spent_in_the_period_that_is_now() -> None:
    market, _, large = a_market_with_a_large_consent_used_up_and_a_small_one()
    assert large.period_until is not None

    assert spent(market, at=large.period_until - timedelta(seconds=1)) == ["1250", "0"]
    assert spent(market, at=large.period_until) == ["0", "0"]


def spent(market: Market, *, at: datetime) -> list[str]:
    answer = execute("{ treasuryGrants { spent { value } } }", user=market.operator, now=at)
    grants = data_of(answer)["treasuryGrants"]
    return sorted((grant["spent"]["value"] for grant in grants), reverse=True)


def test_what_waits_for_room_waits_for_whichever_consent_has_it_first() -> None:
    market, submission, large = a_market_with_a_large_consent_used_up_and_a_small_one()

    market.review(submission, ReviewDecision.ACCEPT)
    market.settle_down(lambda: Payable.objects.filter(status=PayableStatus.OWED).exists())

    assert Payable.objects.get(status=PayableStatus.OWED).due_at == large.period_until


def test_a_payout_above_every_limit_is_not_tried_again_by_time_alone() -> None:
    market = a_market_at_work(limit=1000, workers=1)

    pay(market, 0)
    market.work_until(lambda: the_pay().status == PayableStatus.OWED)
    for _ in range(3):
        market.clock.advance(31 * 86_400)
        market.settle_down(lambda: False, rounds=5)

    assert the_pay().due_at is None
    assert payouts() == ["GRANT_EXHAUSTED"]


def test_a_payout_above_every_limit_is_begun_again_under_the_next_consent() -> None:
    market = a_market_at_work(limit=1000, workers=1)
    pay(market, 0)
    market.work_until(lambda: the_pay().status == PayableStatus.OWED)

    market.ask_the_operator(2000)
    market.settle_down(lambda: paid() == 1)

    assert payouts() == ["GRANT_EXHAUSTED", ""]
    assert market.verdict().problems == []


@pytest.mark.parametrize("status", ["REVOKED", "LOST"])
def test_the_spare_consent_takes_over_at_once_from_one_that_is_gone(status: str) -> None:
    market, gone = a_market_paying_with_two_consents()

    HeldGrant.objects.filter(id=gone.id).update(status=status, due_at=None)
    gone.grants.update(status=status, secrets="")
    began = market.now
    market.settle_down(lambda: paid() == 1)

    assert market.now - began < timedelta(hours=1)
    assert payouts() == [f"GRANT_{status}", ""]


def test_the_spare_consent_takes_over_at_once_from_one_whose_wallet_counts_more_than_we() -> None:
    market, full = a_market_paying_with_two_consents()
    refusal = {"error": {"code": "403", "description": "unauthorized"}}
    market.fault(call="create-outgoing-payment", act="status", status=403, body=refusal)

    began = market.now
    market.settle_down(lambda: paid() == 1)

    assert market.now - began < timedelta(hours=1)
    assert payouts() == ["GRANT_EXHAUSTED", ""]
    assert Payment.objects.get(purpose="PAYOUT", status="COMPLETED").under != full


def test_a_consent_that_did_not_suffice_is_as_good_as_any_in_its_next_period() -> None:
    market = a_market_at_work(limit=1000, workers=1)
    pay(market, 0)
    market.work_until(lambda: the_pay().status == PayableStatus.OWED)
    grant = HeldGrant.objects.get(payer=market.operator)
    assert grant.period_until is not None
    assert paying.too_small_for(the_pay(), at=market.now) == {grant.id}

    # Another payment has moved the row's period on.
    later = grant.period_until + timedelta(days=1)
    HeldGrant.objects.update(period_until=grant.period_until + timedelta(days=30))

    assert paying.too_small_for(the_pay(), at=later) == set()


def a_market_paying_with_two_consents() -> tuple[Market, HeldGrant]:
    """One in which a payout has just begun under the one of two equal consents; that one."""
    market = a_market_at_work(limit=5000, workers=1)
    market.ask_the_operator(5000)
    market.settle_down(
        lambda: HeldGrant.objects.filter(payer=market.operator, status="HELD").count() == 2
    )
    pay(market, 0)
    under = Payment.objects.get(purpose="PAYOUT").under
    assert under is not None
    return market, under


def the_pay() -> Payable:
    return Payable.objects.get(purpose="PAYOUT")


def payouts() -> list[str]:
    """Why each payment of pay has failed, in their order."""
    payments = Payment.objects.filter(purpose="PAYOUT").order_by("id")
    return list(payments.values_list("failure_code", flat=True))


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one writer in at a time")
def test_work_that_is_accepted_while_an_operator_consents_is_paid() -> None:
    """Neither sees the other before its commit: the consent wakes nothing, the work finds none."""
    market = a_market_at_work(limit=10_000)
    submission = market.submit(market.workers[0])
    grant = HeldGrant.objects.get(payer=market.operator)
    revoke_treasury_grant(user=market.operator, grant_id=grant.id, now=market.now)
    market.settle_down(lambda: HeldGrant.objects.get(id=grant.id).status == "ENDED")
    market.ask_the_operator()
    accepted, consented = Event(), Event()

    def accept() -> None:
        try:
            with transaction.atomic():
                market.review(submission, ReviewDecision.ACCEPT)
                accepted.set()
                assert consented.wait(20)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(accept)
        assert accepted.wait(20)
        market.settle_down(market.treasury_is_open)
        consented.set()
        done.result(20)
    market.settle_down(lambda: paid() == 1)

    assert paid() == 1


def move_the_treasury(
    market: Market, wallet: str, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FromTheSandbox:
        def fetch(self, url: str) -> Any:
            return market.client.send(operations.get_wallet_address(url=url))

    monkeypatch.setattr("backend.accounts.wallets.wallet_directory", FromTheSandbox)
    settings.OP_DEV_ORIGINS = frozenset({BASE_URL})
    settings.TREASURY_WALLET_ADDRESS_URL = f"{BASE_URL}/{wallet}"
    register_treasury(now=market.now)


def test_what_one_treasury_holds_is_paid_out_of_its_wallet_after_another_took_its_place(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = a_market_at_work(limit=10_000)
    move_the_treasury(market, "platform", settings, monkeypatch)
    market.ask_the_operator(20_000)
    market.settle_down(
        lambda: HeldGrant.objects.filter(payer=market.operator, status="HELD").count() == 2
    )

    pay(market, 0)
    pay(market, 1)
    market.settle_down(lambda: paid() == 2)

    senders = Payment.objects.filter(purpose="PAYOUT").values_list("sender__url", flat=True)
    assert set(senders) == {f"{BASE_URL}/treasury"}
    assert Funding.objects.get().seller == Seller.objects.get(wallet__url=f"{BASE_URL}/treasury")


def test_a_consent_of_the_former_treasury_is_none_for_the_one_that_took_its_place(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = a_market_at_work(limit=10_000)
    assert not treasury_cannot_pay()

    move_the_treasury(market, "platform", settings, monkeypatch)

    assert treasury_cannot_pay()
    with pytest.raises(Found, match="No operator has approved"):
        check_treasury_grant(market.now)


def test_a_treasury_that_comes_back_is_the_one_it_was(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = a_market_at_work(limit=10_000)
    first = Seller.objects.get(slug="treasury")

    for wallet in ("platform", "treasury", "platform", "treasury"):
        move_the_treasury(market, wallet, settings, monkeypatch)

    assert Seller.objects.get(slug="treasury") == first
    active = Seller.objects.filter(is_treasury=True).values_list("slug", "active")
    assert sorted(flag for _slug, flag in active) == [False, True]


def test_what_is_priced_anew_in_the_next_period_is_counted_there() -> None:
    market = a_market_at_work(limit=10_000)
    market.options(fees={"bps": 0, "fixed": 25})
    submission = market.submit(market.workers[0])
    grant = HeldGrant.objects.get(payer=market.operator)
    assert grant.period_until is not None
    market.clock.at = grant.period_until - timedelta(seconds=1)
    refusal = {"error": {"code": "400", "description": "invalid quote"}}
    market.fault(call="create-outgoing-payment", act="status", status=400, body=refusal)
    market.review(submission, ReviewDecision.ACCEPT)
    market.settle_down(lambda: Payment.objects.filter(reserved_value=1275).exists())
    refused = PaymentTransition.objects.filter(old="SENDING", new="AUTHORIZED")
    market.settle_down(refused.exists)

    market.clock.advance(60)
    market.options(fees={"bps": 0, "fixed": 10})
    market.settle_down(lambda: paid() == 1)

    assert paid() == 1
    assert HeldGrant.objects.get(id=grant.id).reserved_value == 1260
