"""Fifty callers, sixteen at a time, about the same money: one outcome, and the sums hold."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.db.models import Sum

from backend.funding import paying, returning
from backend.funding.models import Allocation, Funding, Payable
from backend.funding.services import pre_fund_job
from backend.funding.status import FundingMode, FundingStatus, PayableStatus
from backend.ids import new_id
from backend.jobs import endings
from backend.jobs.models import Submission
from backend.jobs.status import ReviewDecision
from backend.payments.models import HeldGrant, Payment
from tests.jobs.test_concurrency import at_once
from tests.simulation.market import RETURN, Market
from tests.simulation.simulator import BASE_URL

pytestmark = pytest.mark.django_db(transaction=True)

CALLERS = 50


@pytest.fixture(autouse=True)
def _limits(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TREASURY_WALLET_ADDRESS_URL = f"{BASE_URL}/treasury"
    # They are about money here, not about how often somebody may try.
    for module in (returning, __import__("backend.funding.services", fromlist=["rate_limits"])):
        monkeypatch.setattr(module.rate_limits, "hit", lambda *_: None)


def a_market_at_work(mode: FundingMode, *, workers: int = 1) -> tuple[Market, list[Submission]]:
    market = Market(mode=mode, workers=workers)
    market.secure()
    return market, [market.submit(worker) for worker in market.workers]


def assert_sums_hold(funding: Funding) -> None:
    funding.refresh_from_db()
    assert funding.released_value + funding.refunded_value <= funding.total_value
    owed = Payable.objects.filter(funding=funding).aggregate(sum=Sum("value"))["sum"] or 0
    assert owed <= funding.total_value
    kept = sum(each.kept_value for each in Allocation.objects.filter(funding=funding))
    assert kept <= funding.total_value


@pytest.mark.parametrize("mode", [FundingMode.PREAPPROVED, FundingMode.ESCROW])
def test_fifty_acceptances_owe_the_reward_once(mode: FundingMode) -> None:
    market, [submission] = a_market_at_work(mode)

    ends = at_once(*[lambda: market.review(submission, ReviewDecision.ACCEPT)] * CALLERS)

    assert ends == {"done": 1, "WrongStatus": CALLERS - 1}
    assert Payable.objects.get().value == market.job.reward_value
    assert Payment.objects.filter(purpose="PAYOUT").count() == 1
    market.settle_down(market.is_over)
    assert market.verdict().problems == []


def test_fifty_who_secure_the_same_pay_ask_its_payer_once() -> None:
    market = Market()

    def pre_fund() -> Any:
        return pre_fund_job(
            payer=market.payer,
            job_id=market.job.id,
            expected_total=None,
            return_url=RETURN,
            idempotency_key=new_id(),
            now=market.now,
        )

    ends = at_once(*[pre_fund] * CALLERS)

    assert ends == {"done": 1, "AlreadyFunded": CALLERS - 1}
    assert HeldGrant.objects.filter(payer=market.payer).count() == 1


def test_acceptances_cancellations_and_refunds_at_once_have_one_outcome() -> None:
    market, [first, second] = a_market_at_work(FundingMode.ESCROW, workers=2)
    funding = Funding.objects.get(job=market.job)

    def refund() -> Any:
        return returning.refund_funding(
            user=market.payer,
            funding_id=funding.id,
            amount=None,
            idempotency_key=new_id(),
            now=market.now,
        )

    def cancel_funding() -> Any:
        return returning.cancel_funding(
            user=market.payer, funding_id=funding.id, idempotency_key=new_id(), now=market.now
        )

    def cancel_job() -> Any:
        return endings.cancel_job(
            user=market.operator, job_id=market.job.id, reason="No.", now=market.now
        )

    acts = [
        lambda: market.review(first, ReviewDecision.ACCEPT),
        lambda: market.review(second, ReviewDecision.ACCEPT, value=300),
        refund,
        cancel_funding,
        cancel_job,
    ]
    at_once(*acts * (CALLERS // len(acts)))

    assert_sums_hold(funding)
    for submission in (first, second):
        paid = Payable.objects.filter(submission=submission, purpose="PAYOUT")
        accepted = Submission.objects.get(id=submission.id).accepted_value
        assert sum(paid.values_list("value", flat=True)) == accepted
    market.calm = True
    for _ in range(200):
        if market.is_over():
            break
        market._somebody_acts()
        if not market.work():
            market.wait()
    assert market.verdict().problems == []


def test_fifty_refunds_send_what_is_free_back_once() -> None:
    market, submissions = a_market_at_work(FundingMode.ESCROW, workers=2)
    funding = Funding.objects.get(job=market.job)
    market.review(submissions[0], ReviewDecision.REJECT)
    Allocation.objects.filter(application=submissions[0].application).update(
        returned_value=market.job.reward_value, status="RETURNED"
    )

    ends = at_once(
        *[
            lambda: returning.refund_funding(
                user=market.payer,
                funding_id=funding.id,
                amount=None,
                idempotency_key=new_id(),
                now=market.now,
            )
        ]
        * CALLERS
    )

    assert ends == {"done": 1, "NotRefundable": CALLERS - 1}
    assert Payable.objects.get(purpose="REFUND").value == market.job.reward_value
    assert_sums_hold(funding)


def test_what_is_due_again_is_begun_once_by_fifty_ticks() -> None:
    market, [submission] = a_market_at_work(FundingMode.PREAPPROVED)
    market.review(submission, ReviewDecision.ACCEPT)
    payable = Payable.objects.get()
    Payment.objects.filter(reference=payable.id).update(status="FAILED", due_at=None)
    Payable.objects.update(status=PayableStatus.OWED, due_at=market.now)

    at_once(*[lambda: paying.retry_due(now=market.now)] * CALLERS)

    assert Payment.objects.filter(reference=payable.id).count() == 2
    assert Funding.objects.get(job=market.job).status == FundingStatus.SECURED


def test_money_that_is_going_back_is_promised_to_nobody() -> None:
    market = Market(mode=FundingMode.ESCROW, workers=1)
    market.open_treasury()
    market.fund()
    market.settle_down(lambda: Funding.objects.get(job=market.job).status == FundingStatus.SECURED)
    funding = Funding.objects.get(job=market.job)
    returning.refund_funding(
        user=market.payer,
        funding_id=funding.id,
        amount=None,
        idempotency_key=new_id(),
        now=market.now,
    )

    market.pre_fund()

    # It is not paid back yet, and all the same another consent is asked for.
    assert Payable.objects.get(purpose="REFUND").status == PayableStatus.PAYING
    asked = Funding.objects.filter(job=market.job).exclude(id=funding.id).get()
    assert (asked.status, asked.total_value) == (
        FundingStatus.AWAITING_APPROVAL,
        market.job.reward_value,
    )
    assert not Allocation.objects.filter(funding=funding).exists()
