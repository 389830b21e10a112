"""What is owed after a payment of which only a part arrived."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings

from backend.accounts.models import User
from backend.back_office import attention
from backend.errors import Forbidden
from backend.funding import paying, returning, settling
from backend.funding.models import Allocation, Funding, Payable
from backend.funding.queries import MoneyBehind, money_behind
from backend.funding.status import (
    AllocationStatus,
    FundingAssurance,
    FundingMode,
    FundingStatus,
    PayableStatus,
)
from backend.ids import new_id
from backend.jobs import work
from backend.jobs.clock import pass_time
from backend.jobs.models import Job, Submission
from backend.jobs.recruiting import decide_applications
from backend.jobs.review import acknowledge_decision
from backend.jobs.status import Pricing, ReviewDecision
from backend.ledger.verification import verify
from backend.notifications.subjects import is_stuck
from backend.payments.models import HeldGrant, Payment
from backend.payments.status import HeldGrantStatus, PaymentPurpose
from backend.payments.vault import RENEW_EVERY
from tests.simulation.market import Market
from tests.simulation.simulator import BASE_URL

pytestmark = pytest.mark.django_db(transaction=True)

MODES = [FundingMode.PREAPPROVED, FundingMode.ESCROW]


@pytest.fixture(autouse=True)
def _treasury(settings: LazySettings) -> None:
    settings.TREASURY_WALLET_ADDRESS_URL = f"{BASE_URL}/treasury"


def status_of(market: Market) -> str:
    return str(Job.objects.get(id=market.job.id).status)


def one_worker_of_whose_pay_arrives(part: int, *, mode: FundingMode, pricing: Pricing) -> Market:
    """A market in which only `part` of accepted work's pay will arrive, in the worker's asset.

    The platform takes a fee that stays where it is held, if money is held.
    """
    market = Market(mode=mode, pricing=pricing, workers=1, fee_bps=1000, fee_wallet="treasury")
    market.secure()
    market.fault(call="create-outgoing-payment", act="partial_delivery", value=part)
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    return market


def wait_until_it_is_stuck(market: Market) -> None:
    market.settle_down(lambda: the_pay().status == PayableStatus.STUCK)


def the_pay() -> Payable:
    return Payable.objects.get(purpose=PaymentPurpose.PAYOUT)


def payouts() -> list[Payment]:
    return list(Payment.objects.filter(purpose=PaymentPurpose.PAYOUT).order_by("created_at"))


def retry(market: Market, by: User) -> None:
    returning.retry_payment(
        user=by, payment_id=payouts()[0].id, idempotency_key=new_id(), now=market.now
    )


def pay_the_rest(market: Market) -> None:
    retry(market, market.operator if market.mode is FundingMode.ESCROW else market.payer)
    if market.mode is FundingMode.PREAPPROVED:
        # What failed may have used up its consent, as far as its wallet counts.
        market.work_until(lambda: the_pay().status == PayableStatus.OWED)
        market.renew()
    market.settle_down(market.is_over)


def test_the_treasury_pays_nobody_again_on_the_word_of_whoever_may_run_the_wallet() -> None:
    market = one_worker_of_whose_pay_arrives(
        700, mode=FundingMode.ESCROW, pricing=Pricing.FIXED_RECEIVE
    )
    wait_until_it_is_stuck(market)

    with pytest.raises(Forbidden, match="Only operators can have it paid again"):
        retry(market, market.payer)
    User.objects.filter(id=market.payer.id).update(is_staff=True)
    market.payer.refresh_from_db()
    with pytest.raises(Forbidden, match="from you or to you"):
        retry(market, market.payer)

    assert the_pay().status == PayableStatus.STUCK
    retry(market, market.operator)
    market.settle_down(market.is_over)
    assert market.verdict().problems == []


def test_nor_does_it_where_the_word_is_about_an_earlier_try() -> None:
    market = one_worker_of_whose_pay_arrives(
        700, mode=FundingMode.ESCROW, pricing=Pricing.FIXED_RECEIVE
    )
    wait_until_it_is_stuck(market)
    retry(market, market.operator)
    market.fault(call="create-outgoing-payment", act="insufficient_funds", times=9)
    market.settle_down(lambda: the_pay().status == PayableStatus.OWED)

    with pytest.raises(Forbidden):
        returning.retry_payment(
            user=market.payer,
            payment_id=payouts()[-1].id,
            idempotency_key=new_id(),
            now=market.now,
        )


@pytest.mark.parametrize("mode", MODES)
def test_what_arrived_is_paid_and_the_rest_stays_owed(mode: FundingMode) -> None:
    market = one_worker_of_whose_pay_arrives(700, mode=mode, pricing=Pricing.FIXED_RECEIVE)
    wait_until_it_is_stuck(market)
    assert (the_pay().value, Funding.objects.get().paid_to_workers_value) == (550, 700)

    pay_the_rest(market)

    assert [each.delivered_value for each in payouts() if each.delivered_value] == [700, 550]
    assert market.verdict().problems == []


@pytest.mark.parametrize("mode", MODES)
def test_of_a_sum_that_is_sent_the_arrived_part_has_used_its_part_of_the_quote(
    mode: FundingMode,
) -> None:
    # 12.50 USD make 213.12 MXN: a quarter of that has used a quarter of what was to be sent.
    market = one_worker_of_whose_pay_arrives(5328, mode=mode, pricing=Pricing.FIXED_SEND)
    wait_until_it_is_stuck(market)
    assert (the_pay().value, Funding.objects.get().paid_to_workers_value) == (937, 313)

    pay_the_rest(market)

    assert payouts()[-1].send_value == 937
    assert sum(each.delivered_value for each in payouts()) in range(21300, 21313)
    assert market.verdict().problems == []
    assert verify().broken == ""


@pytest.mark.parametrize("mode", MODES)
def test_a_rest_that_is_less_than_what_can_be_sent_is_no_debt(mode: FundingMode) -> None:
    # One centavo is missing, and a cent makes seventeen.
    market = one_worker_of_whose_pay_arrives(21311, mode=mode, pricing=Pricing.FIXED_SEND)

    market.settle_down(market.is_over)

    assert the_pay().status == PayableStatus.PAID
    assert [each.status for each in payouts()] == ["FAILED"]
    assert market.verdict().problems == []


def test_pay_for_which_the_consent_does_not_suffice_waits_for_a_person_to_see_to_it() -> None:
    market = one_worker_of_whose_pay_a_consent_covers_a_part()

    market.work_until(lambda: the_pay().status == PayableStatus.OWED)

    assert list(attention.stuck()) == payouts()
    assert is_stuck(Funding.objects.get())
    market.renew()
    market.settle_down(market.is_over)
    assert list(attention.stuck()) == []
    assert market.verdict().problems == []


def test_waiting_for_consents_leaves_the_tries_that_help_against_a_wallet_in_trouble() -> None:
    market = one_worker_of_whose_pay_a_consent_covers_a_part()
    Payable.objects.update(failures=len(settling.RETRY_AFTER))
    market.work_until(lambda: the_pay().status == PayableStatus.OWED)
    market.fault(call="create-outgoing-payment", act="insufficient_funds")
    market.renew()

    market.settle_down(lambda: the_pay().due_at is not None)

    assert the_pay().status == PayableStatus.OWED


def one_worker_of_whose_pay_a_consent_covers_a_part() -> Market:
    market = Market(workers=1)
    market.secure()
    HeldGrant.objects.update(limit_value=1000)
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    return market


def test_a_job_whose_whole_budget_went_back_is_not_paid_and_can_be_funded_again() -> None:
    market = Market(mode=FundingMode.ESCROW, workers=1)
    market.open_treasury()
    market.fund()
    market.settle_down(lambda: Funding.objects.get().status == FundingStatus.SECURED)
    funding = Funding.objects.get()

    returning.refund_funding(
        user=market.payer,
        funding_id=funding.id,
        amount=None,
        idempotency_key=new_id(),
        now=market.now,
    )
    market.settle_down(lambda: Funding.objects.get().remaining_value == 0)

    assert Funding.objects.get().status == FundingStatus.REFUNDED
    assert money_behind([market.job.id])[market.job.id] == MoneyBehind()
    market.fund()
    assert Funding.objects.filter(status=FundingStatus.AWAITING_APPROVAL).count() == 1


@pytest.mark.parametrize("mode", MODES)
def test_a_funding_of_which_a_part_was_paid_and_the_rest_went_back_is_settled(
    mode: FundingMode,
) -> None:
    market = Market(mode=mode, workers=2)
    market.secure()

    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    market.days_pass(45)
    market.settle_down(market.is_over)

    funding = Funding.objects.get()
    assert funding.released_value == funding.refunded_value == market.job.reward_value
    assert funding.status == FundingStatus.SETTLED
    assert money_behind([market.job.id])[market.job.id].assurance == FundingAssurance.PAID
    assert market.verdict().problems == []


def test_what_cannot_be_begun_does_not_keep_others_from_it() -> None:
    """As during an upgrade, when a newer release owes for reasons that this one never heard of."""
    market = Market(workers=2)
    market.secure()
    refusal = {"error": {"code": "400", "description": "not today"}}
    market.fault(call="create-quote", act="status", status=400, body=refusal, times=2)
    market.accept_all()
    market.settle_down(lambda: Payable.objects.filter(status=PayableStatus.OWED).count() == 2)
    first = Payable.objects.order_by("due_at").first()
    assert first is not None
    Payable.objects.filter(id=first.id).update(purpose="BONUS")

    begun = paying.retry_due(now=market.now + timedelta(hours=2))

    assert begun == 1
    assert Payable.objects.get(id=first.id).status == PayableStatus.OWED


def test_accepted_work_is_paid_out_of_what_can_pay_before_what_cannot() -> None:
    market = Market(workers=2)
    late = [market.applications[1].id]
    job: dict[str, Any] = {"user": market.payer, "job_id": market.job.id}
    decide_applications(reset=late, now=market.now, **job)
    market.pre_fund()
    market.work_until(lambda: HeldGrant.objects.get().status == HeldGrantStatus.AWAITING_APPROVAL)
    # Who is selected meanwhile keeps the work from beginning, and so the first funding can lapse.
    decide_applications(select=late, now=market.now, **job)
    market.settle_down(lambda: Funding.objects.get().status == FundingStatus.SECURED)
    market.fault(call="rotate-token", act="revoke_grant", times=1)
    market.clock.advance(RENEW_EVERY.total_seconds())
    market.work_until(lambda: Funding.objects.get().status == FundingStatus.LAPSED)
    market.secure()

    market.accept_all()
    market.settle_down(market.is_over)

    assert {each.status for each in Payable.objects.all()} == {PayableStatus.PAID}
    statuses = Funding.objects.order_by("id").values_list("status", flat=True)
    assert list(statuses) == [FundingStatus.CANCELED, FundingStatus.SETTLED]
    assert market.verdict().problems == []


def test_what_is_too_little_to_go_back_by_itself_goes_back_with_the_rest() -> None:
    fees = {"fees": {"bps": 100, "fixed": 25}}
    market = Market(
        mode=FundingMode.ESCROW, payer_wallet="bob", workers=1, pooled=True, options=fees
    )
    market.open_treasury()
    market.fund()
    market.settle_down(lambda: Funding.objects.get(job=market.job).status == "SECURED")

    refund(market, 16)
    market.settle_down(lambda: the_refund().status == PayableStatus.STUCK)
    refund(market, None)
    market.settle_down(market.is_over)

    funding = Funding.objects.get(job=market.job)
    assert (the_refund().status, the_refund().value) == (PayableStatus.PAID, funding.total_value)
    assert funding.status == FundingStatus.REFUNDED
    assert verify().broken == ""


@pytest.mark.parametrize("first", [100, None])
def test_what_is_all_on_its_way_back_is_held_for_nobody(first: int | None) -> None:
    market = Market(mode=FundingMode.ESCROW, workers=1, pooled=True)
    market.open_treasury()
    market.fund()
    market.settle_down(lambda: Funding.objects.get().status == FundingStatus.SECURED)
    return_promises(market)

    refund(market, first)
    if first is not None:
        returning.cancel_funding(
            user=market.payer,
            funding_id=Funding.objects.get().id,
            idempotency_key=new_id(),
            now=market.now,
        )

    assert Funding.objects.get().status == FundingStatus.REFUNDING
    assert money_behind([market.job.id])[market.job.id] == MoneyBehind()
    market.settle_down(lambda: Funding.objects.get().remaining_value == 0)
    assert Funding.objects.get().status == FundingStatus.REFUNDED


def test_nothing_is_held_when_all_are_paid_and_the_rest_is_still_on_its_way_back() -> None:
    market = Market(mode=FundingMode.ESCROW, workers=2)
    market.secure()
    market.fault(call="create-outgoing-payment", nth=2, act="status", status=503, times=1)
    paid, rejected = (market.submit(worker) for worker in market.workers)
    market.review(rejected, ReviewDecision.REJECT)
    acknowledge_decision(user=market.workers[1], submission_id=rejected.id, now=market.now)
    market.review(paid, ReviewDecision.ACCEPT)
    refund(market, None)
    assert Funding.objects.get().status == FundingStatus.SECURED

    market.work_until(lambda: the_pay().status == PayableStatus.PAID)

    assert the_refund().status == PayableStatus.PAYING
    assert Funding.objects.get().status == FundingStatus.REFUNDING
    market.settle_down(lambda: Funding.objects.get().remaining_value == 0)
    assert Funding.objects.get().status == FundingStatus.SETTLED


def return_promises(market: Market) -> None:
    ids = [each.id for each in market.applications]
    decide_applications(user=market.payer, job_id=market.job.id, reset=ids, now=market.now)


def refund(market: Market, value: int | None) -> None:
    funding = Funding.objects.get(job=market.job)
    returning.refund_funding(
        user=market.payer,
        funding_id=funding.id,
        amount=None if value is None else market.job.amount(value),
        idempotency_key=new_id(),
        now=market.now,
    )


@pytest.mark.parametrize("mode", MODES)
def test_who_can_hand_in_nothing_any_more_is_promised_nothing(mode: FundingMode) -> None:
    market = three_workers_of_whom_one_has_not_begun(mode)

    after_the_time_to_hand_in(market)

    assert status_of(market) == "REVIEWING"
    assert [allocation_of(worker).status for worker in market.workers] == [
        AllocationStatus.RESERVED,
        AllocationStatus.RESERVED,
        AllocationStatus.RETURNED,
    ]
    assert verify().broken == ""


def test_what_was_promised_for_work_that_never_came_can_go_back_during_the_review() -> None:
    market = three_workers_of_whom_one_has_not_begun(FundingMode.ESCROW)

    after_the_time_to_hand_in(market)
    refund(market, None)
    market.settle_down(lambda: the_refund().status == PayableStatus.PAID)

    assert (the_refund().value, the_refund().status) == (1250, PayableStatus.PAID)
    market.review(Submission.objects.get(worker=market.workers[0]), ReviewDecision.ACCEPT)
    market.review(market.submit(market.workers[1]), ReviewDecision.ACCEPT)
    market.settle_down(lambda: Funding.objects.get().status == FundingStatus.SETTLED)
    assert Funding.objects.get().released_value == 2500
    assert verify().broken == ""


def three_workers_of_whom_one_has_not_begun(mode: FundingMode) -> Market:
    """One has handed in, one is asked for changes, and the third has a draft."""
    market = Market(mode=mode, workers=3)
    market.secure()
    market.submit(market.workers[0])
    market.review(market.submit(market.workers[1]), ReviewDecision.REQUEST_CHANGES)
    work.save_submission(
        user=market.workers[2], job_id=market.job.id, note=None, text="To be…", now=market.now
    )
    return market


def after_the_time_to_hand_in(market: Market) -> None:
    # Of the revision the time is not over.
    Submission.objects.filter(status="CHANGES_REQUESTED").update(
        revise_until=market.now + timedelta(days=30), due_at=None
    )
    market.clock.at = Job.objects.get(id=market.job.id).submit_until or market.now
    Submission.objects.filter(status="SUBMITTED").update(due_at=None)
    pass_time(now=market.now)


def allocation_of(worker: User) -> Allocation:
    return Allocation.objects.get(application__applicant=worker)


def the_refund() -> Payable:
    return Payable.objects.get(purpose=PaymentPurpose.REFUND)


# --- what is less than it costs to send it --------------------------------------------------------


def cheap_work(mode: FundingMode, *, workers: int = 1) -> Market:
    """Pay of 200, of which whoever sends it keeps 25."""
    market = Market(
        mode=mode,
        workers=workers,
        pricing=Pricing.FIXED_SEND,
        reward=200,
        options={"fees": {"bps": 0, "fixed": 25}},
    )
    market.secure()
    return market


@pytest.mark.parametrize("mode", MODES)
def test_a_part_too_small_to_be_sent_is_sent_with_the_next(mode: FundingMode) -> None:
    market = cheap_work(mode)
    submission = market.submit(market.workers[0])
    market.review(submission, ReviewDecision.ACCEPT, value=20)
    market.settle_down(lambda: Payable.objects.get().status == PayableStatus.STUCK, rounds=2000)

    market.review(submission, ReviewDecision.ACCEPT)
    market.settle_down(market.is_over)

    assert status_of(market) == "COMPLETE"
    assert (Payable.objects.get().value, Payable.objects.get().status) == (200, PayableStatus.PAID)
    assert Funding.objects.get().status == FundingStatus.SETTLED
    assert market.verdict().problems == []


def test_a_job_waits_for_pay_that_its_owners_wallet_calls_too_small_and_that_is_not() -> None:
    market = cheap_work(FundingMode.PREAPPROVED)
    market.options(fees={"bps": 0, "fixed": 5000})
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)

    market.settle_down(lambda: Payable.objects.get().status == PayableStatus.STUCK, rounds=2000)

    assert payouts()[-1].failure_code == "AMOUNT_TOO_SMALL"
    assert status_of(market) == "REVIEWING"


def test_what_was_too_small_is_waited_for_once_more_has_come_to_it() -> None:
    market = cheap_work(FundingMode.PREAPPROVED)
    submission = market.submit(market.workers[0])
    market.review(submission, ReviewDecision.ACCEPT, value=20)
    market.settle_down(lambda: Payable.objects.get().status == PayableStatus.STUCK, rounds=2000)
    HeldGrant.objects.update(status=HeldGrantStatus.REVOKED, due_at=None)

    market.review(submission, ReviewDecision.ACCEPT)

    assert (Payable.objects.get().value, Payable.objects.get().status) == (200, "OWED")
    assert settling.moves_money(Job.objects.get(id=market.job.id))


@pytest.mark.parametrize(
    ("mode", "rest"),
    # Of 28 a charge of 25 leaves next to nothing: a payer's wallet is not to keep so much of it.
    [(FundingMode.PREAPPROVED, 20), (FundingMode.ESCROW, 20), (FundingMode.PREAPPROVED, 28)],
)
def test_a_job_does_not_wait_for_a_part_that_cannot_be_sent(mode: FundingMode, rest: int) -> None:
    market = cheap_work(mode, workers=2)
    submission = market.submit(market.workers[0])
    market.review(submission, ReviewDecision.ACCEPT, value=200 - rest)
    market.review(submission, ReviewDecision.ACCEPT)

    market.days_pass(90)

    assert status_of(market) == "COMPLETE"
    payouts = Payable.objects.filter(purpose=PaymentPurpose.PAYOUT).order_by("value")
    assert [(each.value, each.status) for each in payouts] == [
        (rest, "STUCK"),
        (200 - rest, "PAID"),
    ]
    funding = Funding.objects.get()
    assert funding.total_value - funding.released_value - funding.refunded_value == rest
