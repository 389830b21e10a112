"""What becomes of a consent that is held for weeks."""

from datetime import timedelta

import pytest
from django.conf import LazySettings

from backend.events.models import Event
from backend.funding.models import Funding, Payable
from backend.funding.status import FundingStatus, PayableStatus
from backend.jobs.models import Job
from backend.jobs.status import ReviewDecision
from backend.payments import services
from backend.payments.models import Grant, HeldGrant, Payment
from backend.payments.status import GrantStatus, HeldGrantStatus, PaymentStatus
from tests.simulation.market import Market
from tests.simulation.simulator import BASE_URL

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _treasury(settings: LazySettings) -> None:
    settings.TREASURY_WALLET_ADDRESS_URL = f"{BASE_URL}/treasury"


def a_market_at_work(*, workers: int = 1, submit_days: int = 7) -> Market:
    market = Market(workers=workers)
    Job.objects.filter(id=market.job.id).update(submit_days=submit_days)
    market.secure()
    return market


def held(market: Market) -> HeldGrant:
    return HeldGrant.objects.filter(payer=market.payer).latest("created_at")


def calls(grant: HeldGrant, operation: str) -> int:
    return grant.calls.filter(operation=operation, is_answer=True).count()


def test_a_consent_of_forty_days_ago_still_pays() -> None:
    market = a_market_at_work(submit_days=45)
    market.days_pass(40)

    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    market.settle_down(market.is_over)

    assert market.verdict().problems == []
    assert Payment.objects.get(purpose="PAYOUT").status == PaymentStatus.COMPLETED
    # Every six days, so that no wallet forgets it, and once more to pay.
    assert calls(held(market), "rotate-token") >= 6


def test_a_consent_whose_window_is_over_never_pays_and_both_ends_are_told() -> None:
    market = a_market_at_work()
    submission = market.submit(market.workers[0])
    ends_at = held(market).ends_at
    assert ends_at is not None
    market.clock.at = ends_at + timedelta(seconds=1)

    market.settle_down(lambda: held(market).status == HeldGrantStatus.EXPIRED)
    market.review(submission, ReviewDecision.ACCEPT)
    market.settle_down(lambda: False, rounds=20)

    assert Funding.objects.get(job=market.job).status == FundingStatus.LAPSED
    assert Payable.objects.get().status == PayableStatus.OWED
    assert not Payment.objects.filter(purpose="PAYOUT").exists()
    for person in (market.payer, market.workers[0]):
        told = Event.objects.filter(topic=f"user:{person.pk}", type="funding.status")
        assert told.latest("seq").payload["status"] == "LAPSED"


def test_a_renewed_consent_pays_what_has_waited_for_it() -> None:
    market = a_market_at_work()
    submission = market.submit(market.workers[0])
    ends_at = held(market).ends_at
    assert ends_at is not None
    market.clock.at = ends_at + timedelta(seconds=1)
    market.settle_down(lambda: held(market).status == HeldGrantStatus.EXPIRED)
    market.review(submission, ReviewDecision.ACCEPT)

    market.renew()
    market.settle_down(market.is_over)

    assert market.verdict().problems == []
    assert Funding.objects.get(job=market.job).status == FundingStatus.SETTLED


def test_who_waits_for_the_page_of_a_renewal_is_told_when_it_cannot_be_had() -> None:
    market = a_market_at_work()
    ends_at = held(market).ends_at
    assert ends_at is not None
    market.clock.at = ends_at + timedelta(seconds=1)
    market.settle_down(lambda: held(market).status == HeldGrantStatus.EXPIRED)
    market.renew()
    refusal = {"error": {"code": "invalid_request", "description": "no"}}
    market.fault(
        call="request-grant:outgoing-payment", act="status", status=400, body=refusal, times=9
    )
    funding = Funding.objects.get(job=market.job)
    told = Event.objects.filter(topic=f"funding:{funding.id}")
    before = told.count()

    market.settle_down(lambda: held(market).status == HeldGrantStatus.FAILED)

    assert held(market).status == HeldGrantStatus.FAILED
    assert told.count() == before + 1
    market.renew()


def test_a_consent_that_the_payer_took_back_lapses_at_the_next_payment() -> None:
    market = a_market_at_work()
    market.fault(call="create-quote", act="revoke_grant", times=1)
    market.fault(call="create-outgoing-payment", act="revoke_grant", times=1)

    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    market.settle_down(lambda: held(market).status == HeldGrantStatus.REVOKED)
    market.settle_down(lambda: Payment.objects.filter(failure_code="GRANT_REVOKED").exists())

    assert Funding.objects.get(job=market.job).status == FundingStatus.LAPSED
    assert Payable.objects.get().status == PayableStatus.OWED
    assert held(market).grants.get().status == GrantStatus.REVOKED


def lose_the_token(market: Market) -> None:
    """Have the next payment ask for a fresh token, and the wallet's answer be lost."""
    market.fault(call="rotate-token", when="after", act="reset", times=1)
    market.clock.advance(900)
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    market.settle_down(lambda: held(market).status == HeldGrantStatus.LOST)


def test_a_lost_token_ends_the_grant_after_one_more_try() -> None:
    market = a_market_at_work()

    lose_the_token(market)

    assert calls(held(market), "rotate-token") == 2
    assert held(market).grants.get().secrets == ""
    # Nobody has its token: at the payer's wallet it would stay approved for weeks.
    assert held(market).calls.filter(operation="cancel-grant", status=204).count() == 1


def test_a_lost_grant_that_its_wallet_does_not_take_back_is_lost_all_the_same() -> None:
    market = a_market_at_work()
    market.fault(call="cancel-grant", when="before", act="503", times=1)

    lose_the_token(market)

    assert calls(held(market), "cancel-grant") == 1
    assert held(market).grants.get().secrets == ""


def test_a_consent_whose_collected_token_is_lost_is_given_back_before_the_next_is_asked() -> None:
    market = Market(workers=1)
    market.fault(call="continue-grant", when="after", act="reset", times=2)

    market.pre_fund()
    market.settle_down(lambda: held(market).status == HeldGrantStatus.HELD)

    assert held(market).grants.filter(status=GrantStatus.LOST).count() == 1
    assert held(market).calls.filter(operation="cancel-grant", status=204).count() == 1


@pytest.mark.parametrize(
    ("answer", "times"),
    [
        pytest.param("503", 6, id="it is in trouble"),
        # That says nothing of the token, which is as good as before.
        pytest.param("revoked_key", 5, id="it does not know our key"),
    ],
)
def test_a_wallet_that_refuses_for_some_minutes_takes_no_consent_away(
    answer: str, times: int
) -> None:
    market = a_market_at_work()
    market.fault(call="rotate-token", act=answer, times=times)
    market.clock.advance(900)

    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    market.settle_down(market.is_over)

    assert market.verdict().problems == []
    assert Payment.objects.get(purpose="PAYOUT").status == PaymentStatus.COMPLETED
    assert HeldGrant.objects.filter(payer=market.payer).count() == 1


def test_a_wallet_in_trouble_is_left_in_peace_however_many_wait_for_its_token() -> None:
    market = a_market_at_work(workers=5)
    market.fault(call="rotate-token", act="503", times=1000)
    market.clock.advance(900)
    market.accept_all()
    ten_minutes_later = market.clock.at + timedelta(minutes=10)

    market.settle_down(lambda: market.clock.at > ten_minutes_later, rounds=1000)

    assert 5 <= calls(held(market), "rotate-token") <= 15


def test_what_went_wrong_when_a_token_was_collected_is_not_held_against_it_for_ever() -> None:
    market = Market(workers=1)
    market.fault(call="continue-grant", act="503", times=1)
    market.secure()

    assert calls(held(market), "continue-grant") == 2
    assert held(market).grants.get(status=GrantStatus.APPROVED).lost_answers == 0


def test_only_the_grants_own_run_renews_its_token() -> None:
    market = a_market_at_work(workers=5)
    market.clock.advance(900)

    market.accept_all()
    market.settle_down(market.is_over)

    assert market.verdict().problems == []
    assert calls(held(market), "rotate-token") == 1
    for payment in Payment.objects.filter(purpose="PAYOUT"):
        assert not payment.calls.filter(operation="rotate-token").exists()


def test_payments_together_never_set_aside_more_than_was_approved() -> None:
    market = a_market_at_work(workers=3)
    grant = held(market)
    HeldGrant.objects.filter(id=grant.id).update(limit_value=2 * market.job.reward_value)

    market.accept_all()
    market.settle_down(lambda: Payment.objects.filter(failure_code="GRANT_EXHAUSTED").exists())
    market.settle_down(
        lambda: Payment.objects.filter(purpose="PAYOUT", status="COMPLETED").count() == 2
    )

    assert HeldGrant.objects.get(id=grant.id).reserved_value == 2 * market.job.reward_value
    assert Payment.objects.filter(purpose="PAYOUT", status="COMPLETED").count() == 2


def test_a_consent_that_is_called_off_while_its_payer_decides_is_withdrawn_at_the_wallet() -> None:
    market = Market(workers=1)
    market.pre_fund()
    market.work_until(lambda: held(market).status == HeldGrantStatus.AWAITING_APPROVAL)

    services.close_held_grant(held_grant=held(market), now=market.now)
    market.work_until(lambda: held(market).status == HeldGrantStatus.ENDED)

    assert calls(held(market), "cancel-grant") == 1
    assert not Grant.objects.exclude(secrets="").filter(held_grant=held(market)).exists()
