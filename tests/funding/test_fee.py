"""The platform's fee: what the payer is asked for, when it is paid, and what never waits for it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import override_settings

from backend.funding import fees, returning, settling
from backend.funding.allocating import free_value, promisable_value
from backend.funding.errors import AmountChanged, NotRefundable, SellerNotFound
from backend.funding.fees import fee_on, most_within
from backend.funding.models import Funding, Payable, Seller
from backend.funding.previewing import preview_funding
from backend.funding.services import fund_job
from backend.funding.status import FundingMode, FundingStatus, PayableStatus
from backend.ids import new_id
from backend.jobs import endings
from backend.jobs.errors import AmountOutOfRange
from backend.jobs.models import Job
from backend.jobs.status import Pricing, ReviewDecision
from backend.ledger.kinds import AccountKind
from backend.ledger.models import Account, Transfer
from backend.ledger.queries import my_money
from backend.ledger.verification import verify
from backend.open_payments import operations
from backend.open_payments.types import Amount
from backend.payments.models import HeldGrant, Payment
from backend.payments.resolving import resolve_unknown_payment
from backend.payments.status import PaymentPurpose, PaymentStatus
from backend.receipts.models import Receipt
from backend.reconciliation.reconciling import reconcile
from tests.payments.test_resolving import an_operator
from tests.simulation.market import RETURN, Market
from tests.simulation.simulator import BASE_URL

pytestmark = pytest.mark.django_db(transaction=True)

MODES = [FundingMode.PREAPPROVED, FundingMode.ESCROW]
ACCEPT = ReviewDecision.ACCEPT


@pytest.fixture(autouse=True)
def _treasury(settings: LazySettings) -> None:
    settings.TREASURY_WALLET_ADDRESS_URL = f"{BASE_URL}/treasury"


def a_market(mode: FundingMode = FundingMode.PREAPPROVED, **world: Any) -> Market:
    market = Market(mode=mode, **{"fee_bps": 1000, **world})
    if mode is FundingMode.ESCROW:
        market.open_treasury()
    return market


def at_work(mode: FundingMode = FundingMode.PREAPPROVED, **world: Any) -> Market:
    """A market whose workers' pay, and the fee on it, are secured."""
    market = a_market(mode, **world)
    market.secure()
    return market


def all_accepted(market: Market) -> None:
    for worker in market.workers:
        market.review(market.submit(worker), ACCEPT)


def status_of(market: Market) -> str:
    return str(Job.objects.get(id=market.job.id).status)


def the_funding(market: Market) -> Funding:
    return Funding.objects.get(job=market.job)


def amounts(market: Market) -> tuple[int, int, int, int]:
    """To workers, to the platform, back, and in all."""
    row = the_funding(market)
    return row.paid_to_workers_value, row.fee_paid_value, row.refunded_value, row.total_value


def fee_payments() -> list[Payment]:
    return list(Payment.objects.filter(purpose=PaymentPurpose.PLATFORM_FEE).order_by("id"))


def the_fee(market: Market) -> Payable:
    return Payable.objects.get(funding__job=market.job, purpose=PaymentPurpose.PLATFORM_FEE)


def newest_grant(market: Market) -> HeldGrant:
    return HeldGrant.objects.filter(payer=market.payer).latest("created_at", "id")


def booked(kind: AccountKind) -> int:
    return sum(Account.objects.filter(kind=kind).values_list("balance", flat=True))


def assert_nothing_is_wrong(market: Market) -> None:
    assert market.verdict().problems == []
    assert verify().broken == ""
    assert dict(reconcile(now=market.now, client=market.client).found) == {}


def refuse_payments_to(market: Market, wallet: str) -> Callable[[], None]:
    """Let `wallet` take nothing until the returned function is called."""
    market.fault(call="create-incoming-payment", wallet=wallet, act="status_500_text", times=999)
    return lambda: market._control("DELETE", "faults")


# --- arithmetic -----------------------------------------------------------------------------------


@pytest.mark.parametrize("bps", [0, 1, 250, 3333, 9999, 10_000])
def test_what_can_be_promised_is_the_most_whose_fee_is_there_too(bps: int) -> None:
    for value in range(300):
        most = most_within(value, bps)

        assert most + fee_on(most, bps) <= value
        assert most + 1 + fee_on(most + 1, bps) > value


# --- what the payer is asked for ------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_the_total_has_the_fee_on_top_of_the_rewards(mode: FundingMode) -> None:
    market = a_market(mode)

    market.pre_fund(expected_total=market.job.amount(2750))

    funding = the_funding(market)
    assert (funding.total_value, funding.fee_value, funding.fee_bps) == (2750, 250, 1000)
    assert sum(each.amount_value for each in funding.allocations.all()) == 2500


def test_an_expected_total_without_the_fee_is_refused_with_the_right_one() -> None:
    market = a_market()

    with pytest.raises(AmountChanged) as refusal:
        market.pre_fund(expected_total=market.job.amount(2500))

    assert refusal.value.actual == market.job.amount(2750)
    assert not Funding.objects.exists()


def test_a_rate_that_changed_after_the_preview_is_refused() -> None:
    market = a_market()
    with market.takes_its_fee():
        seen = preview_funding(
            user=market.payer,
            job_id=market.job.id,
            mode=FundingMode.PREAPPROVED,
            client=market.client,
            now=market.now,
        )

    market.fee_bps = 1100
    with pytest.raises(AmountChanged):
        market.pre_fund(expected_total=seen.total)


@pytest.mark.parametrize("payer_wallet", ["alice", "bob"])
def test_a_preview_has_a_line_for_the_fee_and_says_what_the_consent_will_be(
    payer_wallet: str,
) -> None:
    market = a_market(payer_wallet=payer_wallet, options={"fees": {"bps": 100, "fixed": 25}})
    with market.takes_its_fee():
        found = preview_funding(
            user=market.payer,
            job_id=market.job.id,
            mode=FundingMode.PREAPPROVED,
            client=market.client,
            now=market.now,
        )

    market.pre_fund()
    market.work_until(lambda: HeldGrant.objects.get(payer=market.payer).limit_value is not None)

    assert [line.is_fee for line in found.lines] == [False, False, True]
    assert found.lines[-1].receive == found.fee == market.job.amount(250)
    assert found.total == market.job.amount(2750)
    limit = HeldGrant.objects.get(payer=market.payer).limit
    assert limit is not None and 0 <= limit.value - found.max_debit.value <= len(found.lines)


def test_a_preview_of_the_treasury_has_the_fee_in_its_one_line() -> None:
    market = a_market(FundingMode.ESCROW)
    with market.takes_its_fee():
        found = preview_funding(
            user=market.payer,
            job_id=market.job.id,
            mode=FundingMode.ESCROW,
            client=market.client,
            now=market.now,
        )

    assert [line.receive.value for line in found.lines] == [2750]
    assert found.fee == market.job.amount(250)


def test_a_seller_who_is_paid_at_once_is_paid_the_budget_without_a_fee() -> None:
    market = a_market(FundingMode.DIRECT)
    Job.objects.filter(id=market.job.id).update(status="RECRUITING")

    market.fund()

    assert (the_funding(market).total_value, the_funding(market).fee_bps) == (2500, 0)


def test_a_job_in_an_asset_without_a_fee_wallet_has_no_fee() -> None:
    market = a_market(fee_wallet="shop-mxn")

    market.pre_fund(expected_total=market.job.amount(2500))

    assert the_funding(market).fee_value == 0


def test_the_fee_wallet_cannot_be_chosen_as_a_seller() -> None:
    market = a_market()

    with pytest.raises(SellerNotFound):
        fund_job(
            payer=market.payer,
            job_id=market.job.id,
            mode=FundingMode.DIRECT,
            seller="platform-fee-01",
            payer_wallet_id=None,
            expected_total=None,
            return_url=RETURN,
            idempotency_key=new_id(),
            now=market.now,
        )


def test_a_budget_whose_fee_cannot_be_counted_is_refused() -> None:
    market = a_market(workers=1, reward=2**63 - 1)

    with pytest.raises(AmountOutOfRange):
        market.pre_fund()


# --- when it is paid ------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("payer_wallet", ["alice", "bob"])
def test_workers_get_the_whole_reward_and_the_platform_its_fee(
    mode: FundingMode, payer_wallet: str
) -> None:
    market = at_work(mode, payer_wallet=payer_wallet)

    all_accepted(market)
    market.settle_down(market.is_over)

    assert amounts(market) == (2500, 250, 0, 2750)
    assert [each.delivered_value for each in fee_payments()] == [250]
    assert booked(AccountKind.PLATFORM_FEE) == 250
    assert (status_of(market), the_funding(market).status) == ("COMPLETE", "SETTLED")
    assert_nothing_is_wrong(market)


@pytest.mark.parametrize("mode", MODES)
def test_it_is_owed_for_what_has_arrived_and_paid_once_when_nobody_waits_any_more(
    mode: FundingMode,
) -> None:
    market = at_work(mode)

    market.review(market.submit(market.workers[0]), ACCEPT)
    market.settle_down(lambda: the_funding(market).released_value == 1250)
    fee = the_fee(market)
    assert (fee.value, fee.status, fee_payments()) == (125, PayableStatus.OWED, [])
    market.review(market.submit(market.workers[1]), ACCEPT)
    market.settle_down(market.is_over)

    assert [each.receive_value for each in fee_payments()] == [250]
    last = Payment.objects.filter(purpose=PaymentPurpose.PAYOUT).latest("updated_at")
    assert fee_payments()[0].created_at >= last.updated_at
    assert_nothing_is_wrong(market)


@pytest.mark.parametrize("mode", MODES)
def test_for_a_part_the_fee_is_a_part_and_the_rest_of_it_goes_back(mode: FundingMode) -> None:
    market = at_work(mode, workers=1)

    market.review(market.submit(market.workers[0]), ACCEPT, value=501)
    market.days_pass(45)
    market.settle_down(market.is_over)

    assert amounts(market) == (501, 50, 1375 - 551, 1375)
    refunds = Payment.objects.filter(purpose=PaymentPurpose.REFUND)
    assert [each.delivered_value for each in refunds] == ([824] if mode in MODES[1:] else [])
    assert_nothing_is_wrong(market)


def test_where_the_fee_wallet_is_the_treasury_it_is_booked_and_nothing_moves() -> None:
    market = at_work(FundingMode.ESCROW, fee_wallet="treasury")

    market.review(market.submit(market.workers[0]), ACCEPT)
    market.settle_down(lambda: the_funding(market).paid_to_workers_value == 1250)
    assert the_funding(market).fee_paid_value == 125
    market.review(market.submit(market.workers[1]), ACCEPT)
    market.settle_down(market.is_over)

    assert fee_payments() == []
    assert amounts(market) == (2500, 250, 0, 2750)
    assert (booked(AccountKind.PLATFORM_FEE), booked(AccountKind.ESCROW)) == (250, 0)
    assert Transfer.objects.filter(reason="FEE_KEPT").count() == 2
    assert_nothing_is_wrong(market)


def test_rewards_of_one_unit_come_to_the_fee_of_their_sum() -> None:
    market = at_work(workers=5, reward=1, fee_bps=5000)
    assert the_funding(market).total_value == 7

    all_accepted(market)
    market.settle_down(market.is_over)

    assert amounts(market) == (5, 2, 0, 7)
    assert_nothing_is_wrong(market)


def test_a_fee_of_less_than_a_unit_is_none() -> None:
    market = at_work(workers=1, reward=1)

    all_accepted(market)
    market.settle_down(market.is_over)

    assert (amounts(market), Payable.objects.filter(purpose="PLATFORM_FEE").count()) == (
        (1, 0, 0, 1),
        0,
    )
    assert_nothing_is_wrong(market)


@pytest.mark.parametrize("mode", MODES)
def test_what_was_asked_for_at_one_rate_keeps_it(mode: FundingMode) -> None:
    market = at_work(mode)

    market.fee_bps = 2000
    all_accepted(market)
    market.settle_down(market.is_over)

    assert amounts(market) == (2500, 250, 0, 2750)


def test_what_was_funded_before_there_was_a_fee_has_none() -> None:
    market = Market()
    market.secure()

    with override_settings(
        PLATFORM_FEE_BPS=1000, PLATFORM_FEE_WALLET_ADDRESS_URLS=[f"{BASE_URL}/platform"]
    ):
        all_accepted(market)
        market.settle_down(market.is_over)

    assert (amounts(market), fee_payments()) == ((2500, 0, 0, 2500), [])


def test_the_budget_that_was_funded_as_a_whole_covers_the_fee_of_those_selected() -> None:
    market = a_market(FundingMode.ESCROW, pooled=True)
    market.fund()
    market.settle_down(lambda: the_funding(market).status == "SECURED")

    market.pre_fund()
    assert status_of(market) == "SUBMITTING"
    all_accepted(market)
    market.settle_down(market.is_over)

    assert amounts(market) == (2500, 250, 0, 2750)
    assert_nothing_is_wrong(market)


def test_of_a_sum_that_is_sent_the_fee_is_what_leaves_the_payer() -> None:
    market = at_work(pricing=Pricing.FIXED_SEND, options={"fees": {"bps": 100, "fixed": 25}})

    all_accepted(market)
    market.settle_down(market.is_over)

    assert amounts(market) == (2500, 250, 0, 2750)
    held = HeldGrant.objects.get(payer=market.payer)
    assert held.limit_value == 2750
    assert my_money(market.payer)[0].spent <= 2750
    assert_nothing_is_wrong(market)


# --- what goes back -------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_a_funding_that_is_called_off_gives_the_whole_fee_back(mode: FundingMode) -> None:
    market = a_market(mode)
    market.pre_fund()
    market.settle_down(lambda: the_funding(market).status == "SECURED")
    Job.objects.filter(id=market.job.id).update(status="SELECTING")

    returning.cancel_funding(
        user=market.payer,
        funding_id=the_funding(market).id,
        idempotency_key=new_id(),
        now=market.now,
    )
    market.settle_down(lambda: the_funding(market).refunded_value == 2750)

    assert amounts(market) == (0, 0, 2750, 2750)
    assert booked(AccountKind.ESCROW) == 0


@pytest.mark.parametrize("mode", MODES)
def test_a_canceled_job_pays_the_fee_for_what_was_accepted(mode: FundingMode) -> None:
    market = at_work(mode)
    market.review(market.submit(market.workers[0]), ACCEPT)
    market.settle_down(lambda: the_funding(market).paid_to_workers_value == 1250)

    endings.cancel_job(user=market.payer, job_id=market.job.id, reason="No more.", now=market.now)
    market.settle_down(market.is_over)

    assert amounts(market) == (1250, 125, 1375, 2750)
    assert_nothing_is_wrong(market)


@pytest.mark.parametrize("mode", MODES)
def test_what_is_given_back_leaves_the_fee_of_what_a_worker_is_still_owed(
    mode: FundingMode,
) -> None:
    market = at_work(mode)
    market.review(market.submit(market.workers[0]), ACCEPT)

    with transaction.atomic():
        settling.close_funding(the_funding(market), at=market.now)
    market.settle_down(lambda: the_funding(market).remaining_value == 0)

    assert amounts(market) == (1250, 125, 1375, 2750)
    assert the_funding(market).status == FundingStatus.SETTLED


def test_a_refund_leaves_the_fee_of_what_is_promised() -> None:
    market = a_market(FundingMode.ESCROW, pooled=True, workers=2)
    market.applications[1].__class__.objects.filter(id=market.applications[1].id).update(
        status="PENDING"
    )
    market.fund()
    market.settle_down(lambda: the_funding(market).status == "SECURED")
    market.pre_fund()
    funding = the_funding(market)
    assert (free_value(funding), promisable_value(funding)) == (1375, 1250)

    returning.refund_funding(
        user=market.payer,
        funding_id=funding.id,
        amount=None,
        idempotency_key=new_id(),
        now=market.now,
    )
    with pytest.raises(NotRefundable):
        returning.refund_funding(
            user=market.payer,
            funding_id=funding.id,
            amount=None,
            idempotency_key=new_id(),
            now=market.now,
        )
    market.review(market.submit(market.workers[0]), ACCEPT)
    market.settle_down(market.is_over)

    assert amounts(market) == (1250, 125, 1375, 2750)
    assert_nothing_is_wrong(market)


# --- what never waits for it ----------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_a_job_is_complete_though_its_fee_is_stuck_and_an_operator_can_try_again(
    mode: FundingMode,
) -> None:
    market = at_work(mode, workers=1)
    all_accepted(market)
    market.settle_down(lambda: the_funding(market).paid_to_workers_value == 1250)
    repair = refuse_payments_to(market, "platform")

    market.settle_down(lambda: the_fee(market).status == "STUCK", rounds=2000)

    assert status_of(market) == "COMPLETE"
    assert amounts(market) == (1250, 0, 0, 1375)
    assert the_funding(market).status == FundingStatus.PARTIALLY_RELEASED
    repair()
    returning.retry_payment(
        user=market.operator,
        payment_id=fee_payments()[-1].id,
        idempotency_key=new_id(),
        now=market.now,
    )
    market.settle_down(market.is_over)
    assert amounts(market) == (1250, 125, 0, 1375)
    assert_nothing_is_wrong(market)


@pytest.mark.parametrize("mode", MODES)
def test_an_operator_can_give_up_a_fee_that_is_not_to_be_had(mode: FundingMode) -> None:
    market = at_work(mode, workers=1)
    all_accepted(market)
    market.settle_down(lambda: the_funding(market).paid_to_workers_value == 1250)
    refuse_payments_to(market, "platform")
    market.settle_down(lambda: the_fee(market).status == "STUCK", rounds=2000)

    given_up = settling.waive_fee(funding_id=the_funding(market).id, now=market.now)
    assert given_up == market.job.amount(125)
    market.settle_down(market.is_over)

    kept = mode is FundingMode.ESCROW
    assert amounts(market) == (1250, 125 if kept else 0, 0 if kept else 125, 1375)
    assert the_funding(market).status == FundingStatus.SETTLED
    assert_nothing_is_wrong(market)


def test_there_is_a_command_for_it_which_says_when_there_is_nothing_to_give_up() -> None:
    market = at_work(FundingMode.ESCROW, workers=1)
    funding_id = str(the_funding(market).id)
    with pytest.raises(CommandError):
        call_command("waive_fee", funding_id)
    all_accepted(market)
    market.settle_down(lambda: the_funding(market).paid_to_workers_value == 1250)
    Payable.objects.filter(purpose=PaymentPurpose.PLATFORM_FEE).update(status="STUCK")

    call_command("waive_fee", funding_id)

    assert amounts(market) == (1250, 125, 0, 1375)
    with pytest.raises(CommandError):
        call_command("waive_fee", funding_id)


@pytest.mark.parametrize(
    ("mode", "kept"), [(FundingMode.PREAPPROVED, False), (FundingMode.ESCROW, True)]
)
def test_a_fee_that_is_less_than_its_own_cost_keeps_no_funding_open(
    mode: FundingMode, kept: bool
) -> None:
    market = at_work(
        mode,
        workers=1,
        fee_bps=100,
        pricing=Pricing.FIXED_SEND,
        options={"fees": {"bps": 0, "fixed": 25}},
    )

    all_accepted(market)
    market.settle_down(market.is_over)

    assert amounts(market) == (1250, 12 if kept else 0, 0 if kept else 12, 1262)
    assert (the_funding(market).status, status_of(market)) == ("SETTLED", "COMPLETE")
    assert the_fee(market).status == ("PAID" if kept else "WAIVED")
    assert booked(AccountKind.PLATFORM_FEE) == (12 if kept else 0)
    assert_nothing_is_wrong(market)


def test_a_large_fee_is_not_waived_because_the_payers_wallet_calls_it_too_small() -> None:
    market = at_work(
        workers=1, pricing=Pricing.FIXED_SEND, options={"fees": {"bps": 0, "fixed": 25}}
    )
    all_accepted(market)
    market.settle_down(lambda: the_funding(market).paid_to_workers_value == 1250)

    market.options(fees={"bps": 0, "fixed": 5000})
    market.settle_down(lambda: the_fee(market).failures > 0)

    assert the_fee(market).status in {"OWED", "STUCK"}
    assert fee_payments()[-1].failure_code == "AMOUNT_TOO_SMALL"


def test_a_consent_that_is_gone_is_asked_for_again_for_the_fee_alone() -> None:
    market = at_work(workers=1)
    all_accepted(market)
    market.settle_down(lambda: the_funding(market).paid_to_workers_value == 1250)
    market.fault(call="create-outgoing-payment", act="revoke_grant", times=1)
    market.settle_down(lambda: the_funding(market).status == "LAPSED")
    assert status_of(market) == "COMPLETE"

    market.renew()
    market.work_until(lambda: newest_grant(market).limit_value is not None)
    assert newest_grant(market).limit_value == 125
    market.settle_down(market.is_over)

    assert amounts(market) == (1250, 125, 0, 1375)
    assert_nothing_is_wrong(market)


# --- papers ---------------------------------------------------------------------------------------


def test_the_fee_has_a_receipt_and_the_payers_money_adds_up() -> None:
    market = at_work(FundingMode.ESCROW)
    all_accepted(market)
    market.settle_down(market.is_over)

    assert Receipt.objects.filter(payment=fee_payments()[0]).count() == 1
    [money] = my_money(market.payer)
    assert (money.spent, money.held, money.promised_by_me) == (2750, 0, 0)


# --- the wallets ----------------------------------------------------------------------------------


@pytest.fixture
def read_wallets(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the platform's wallets be read from a sandbox; which were read."""
    market, read = Market(), []

    class FromTheSandbox:
        def fetch(self, url: str) -> Any:
            read.append(url)
            return market.client.send(operations.get_wallet_address(url=url))

    monkeypatch.setattr("backend.accounts.wallets.wallet_directory", FromTheSandbox)
    return read


def test_fee_wallets_are_registered_once_and_forgotten_when_no_setting_names_them(
    read_wallets: list[str], settings: LazySettings
) -> None:
    market = Market()
    settings.OP_DEV_ORIGINS = frozenset({BASE_URL})
    settings.PLATFORM_FEE_BPS = 100
    named = [f"{BASE_URL}/platform", f"{BASE_URL}/shop-mxn"]
    settings.PLATFORM_FEE_WALLET_ADDRESS_URLS = named

    assert fees.register_fee_wallets(now=market.now) == 2
    assert fees.register_fee_wallets(now=market.now) == 2
    assert len(read_wallets) == 2
    terms = fees.terms_of(market.job, FundingMode.ESCROW)
    assert terms.wallet is not None and terms.wallet.url == named[0]
    settings.PLATFORM_FEE_WALLET_ADDRESS_URLS = named[1:]
    fees.register_fee_wallets(now=market.now)

    assert fees.terms_of(market.job, FundingMode.ESCROW) == fees.NO_FEE
    assert Seller.objects.filter(is_fee_wallet=True, active=True).count() == 1


def test_a_fee_that_stays_is_booked_though_more_has_left_the_treasury_before() -> None:
    """Two operators say of the first pay that its wallet took more than was fixed to be sent."""
    operators = [an_operator("one"), an_operator("two")]
    market = at_work(
        FundingMode.ESCROW, workers=2, pricing=Pricing.FIXED_SEND, fee_wallet="treasury"
    )
    market.fault(call="get-public-incoming-payment", act="reset", times=1_000_000)
    market.review(market.submit(market.workers[0]), ACCEPT)
    market.settle_down(lambda: hangs(market), rounds=3000)
    payment = Payment.objects.get(purpose="PAYOUT")
    for operator in operators:
        market.work_until(lambda: looks_later(market), rounds=500)
        resolve_unknown_payment(
            user=operator,
            payment_id=payment.id,
            outcome=PaymentStatus.COMPLETED,
            evidence_url=f"https://wallet.example/{operator.pk}",
            note="Seen.",
            idempotency_key=new_id(),
            debited=Amount(value=1300, asset_code="USD", asset_scale=2),
            now=market.now,
        )
    market._control("DELETE", "faults")

    market.review(market.submit(market.workers[1]), ACCEPT)
    market.settle_down(market.is_over)

    assert status_of(market) == "COMPLETE"
    assert verify().broken == ""


def hangs(market: Market) -> bool:
    payment = Payment.objects.get(purpose="PAYOUT")
    late = payment.status == PaymentStatus.SENT and payment.deadline_at < market.now
    return late and payment.discrepancies.exists()


def looks_later(market: Market) -> bool:
    due_at = Payment.objects.get(purpose="PAYOUT").due_at
    return due_at is None or due_at > market.now


@pytest.mark.parametrize("mode", MODES)
def test_the_fee_does_not_wait_for_a_part_of_the_pay_that_no_wallet_sends(
    mode: FundingMode,
) -> None:
    market = at_work(
        mode,
        workers=1,
        pricing=Pricing.FIXED_SEND,
        reward=600,
        options={"fees": {"bps": 0, "fixed": 31}},
    )
    submission = market.submit(market.workers[0])
    market.review(submission, ACCEPT, value=575)
    market.review(submission, ACCEPT)

    market.days_pass(120)  # beyond the end of the consent, which is not asked for again

    fee = Payable.objects.get(purpose="PLATFORM_FEE")
    assert (status_of(market), fee.value, fee.status) == ("COMPLETE", 57, PayableStatus.PAID)
    assert market.verdict().problems == []
