"""Somebody's wallet is gone when they are to be paid: they are paid into another one of theirs."""

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from backend.accounts.models import WalletAddress
from backend.accounts.wallets import remove_wallet
from backend.funding import returning
from backend.funding.elsewhere import NotThere, pay_elsewhere
from backend.funding.models import Funding, Payable
from backend.funding.status import FundingMode, PayableStatus
from backend.ids import new_id
from backend.jobs import endings
from backend.jobs.models import Application, Submission
from backend.jobs.status import ReviewDecision
from backend.payments.models import Payment
from tests.simulation.market import Market
from tests.simulation.simulator import BASE_URL

pytestmark = pytest.mark.django_db(transaction=True)

GONE = {"error": {"code": "404", "description": "not found"}}


@pytest.fixture(autouse=True)
def _treasury(settings: LazySettings) -> None:
    settings.TREASURY_WALLET_ADDRESS_URL = f"{BASE_URL}/treasury"


def a_market_that_cannot_pay(mode: FundingMode = FundingMode.ESCROW) -> Market:
    """The first worker's wallet takes nothing, though part of their work is accepted."""
    market = Market(mode=mode, workers=1)
    market.secure()
    closes(market, "shop")
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT, value=500)
    market.settle_down(lambda: Payable.objects.get().status == PayableStatus.STUCK)
    return market


def closes(market: Market, wallet: str) -> None:
    """From now on nobody can be paid into `wallet`."""
    market.fault(
        call="create-incoming-payment",
        wallet=wallet,
        act="status",
        status=404,
        body=GONE,
        times=1000,
    )


def has_back(market: Market, value: int | None) -> None:
    returning.refund_funding(
        user=market.payer,
        funding_id=Funding.objects.get().id,
        amount=None if value is None else market.job.amount(value),
        idempotency_key=new_id(),
        now=market.now,
    )


def add(market: Market, name: str) -> WalletAddress:
    return WalletAddress.objects.create(owner=market.workers[0], **market._wallet(name))


def the_failed() -> Payment:
    return Payment.objects.filter(purpose="PAYOUT").latest("created_at")


@pytest.mark.parametrize("mode", [FundingMode.PREAPPROVED, FundingMode.ESCROW])
def test_what_is_owed_and_what_will_be_goes_to_the_other_wallet(mode: FundingMode) -> None:
    market = a_market_that_cannot_pay(mode)
    other = add(market, "pobre")

    (begun,) = pay_elsewhere(payment_id=the_failed().id, address=other.url, now=market.now)
    market.settle_down(lambda: Payable.objects.get().status == PayableStatus.PAID)

    assert Payment.objects.get(id=begun.id).receiver == other
    assert Payable.objects.get().status == PayableStatus.PAID
    assert Application.objects.get().payout_wallet == other
    submission = Payable.objects.get().submission
    assert submission is not None
    market.review(submission, ReviewDecision.ACCEPT)
    market.settle_down(market.is_over)
    assert set(
        Payment.objects.filter(purpose="PAYOUT", status="COMPLETED").values_list("receiver")
    ) == {(other.id,)}
    assert market.verdict().problems == []


def test_only_a_wallet_of_the_worker_in_the_jobs_asset_will_do() -> None:
    market = a_market_that_cannot_pay()
    failed = the_failed().id
    strangers, foreign, removed = "alice", add(market, "bob"), add(market, "pobre")
    remove_wallet(user=market.workers[0], wallet_id=removed.id, now=market.now)

    for address in (f"{BASE_URL}/{strangers}", foreign.url, removed.url):
        with pytest.raises(NotThere):
            pay_elsewhere(payment_id=failed, address=address, now=market.now)

    assert Payable.objects.get().status == PayableStatus.STUCK
    assert Application.objects.get().payout_url == f"{BASE_URL}/shop"


def test_nothing_that_is_being_paid_or_was_is_paid_elsewhere() -> None:
    market = a_market_that_cannot_pay()
    failed, other = the_failed().id, add(market, "pobre")
    pay_elsewhere(payment_id=failed, address=other.url, now=market.now)

    with pytest.raises(NotThere):
        pay_elsewhere(payment_id=failed, address=other.url, now=market.now)
    market.settle_down(lambda: Payable.objects.get().status == PayableStatus.PAID)
    with pytest.raises(NotThere):
        pay_elsewhere(payment_id=failed, address=other.url, now=market.now)


def test_there_is_a_command_for_it() -> None:
    market = a_market_that_cannot_pay()
    failed, other = str(the_failed().id), add(market, "pobre")
    for payment, wallet in ((failed, f"{BASE_URL}/alice"), (str(new_id()), other.url)):
        with pytest.raises(CommandError):
            call_command("pay_elsewhere", payment, wallet)

    call_command("pay_elsewhere", failed, other.url)

    assert Payable.objects.get().status == PayableStatus.PAYING


def test_what_was_sent_and_is_not_shown_is_not_sent_again_along_with_something_else() -> None:
    market = a_market_that_cannot_pay()
    Payment.objects.filter(purpose="PAYOUT").update(failure_code="NOT_DELIVERED")
    in_doubt = Payable.objects.get()
    market.review(Submission.objects.get(), ReviewDecision.ACCEPT)
    the_rest = Payable.objects.exclude(id=in_doubt.id)
    market.settle_down(lambda: the_rest.get().status == PayableStatus.STUCK)
    other = add(market, "pobre")

    begun = pay_elsewhere(payment_id=the_failed().id, address=other.url, now=market.now)

    assert [payment.reference for payment in begun] == [the_rest.get().id]
    in_doubt.refresh_from_db()
    assert (in_doubt.status, in_doubt.receiver) == (PayableStatus.STUCK, other)


def test_what_was_too_little_goes_where_the_next_part_goes() -> None:
    market = a_market_that_cannot_pay()
    old, other = WalletAddress.objects.get(owner=market.workers[0]), add(market, "pobre")
    Payment.objects.filter(purpose="PAYOUT").update(failure_code="AMOUNT_TOO_SMALL")
    Payable.objects.update(value=50, failures=1)
    Application.objects.update(payout_wallet=other)
    assert Payable.objects.get().receiver == old

    market.review(Submission.objects.get(), ReviewDecision.ACCEPT)

    assert Payable.objects.get().receiver == other
    assert Payment.objects.filter(status="AUTHORIZED").get().receiver == other


@pytest.mark.parametrize("name", ["pobre", "bob"])
def test_a_payer_whose_wallet_is_gone_is_paid_back_into_another_one(name: str) -> None:
    market = Market(mode=FundingMode.ESCROW, workers=1, pooled=True)
    market.open_treasury()
    market.fund()
    market.settle_down(lambda: Funding.objects.get().status == "SECURED")
    closes(market, "alice")
    has_back(market, 500)
    market.settle_down(lambda: Payable.objects.get().status == PayableStatus.STUCK)
    failed = Payment.objects.filter(purpose="REFUND").latest("created_at").id
    # In another currency what goes back is converted.
    other = WalletAddress.objects.create(owner=market.payer, **market._wallet(name))
    with pytest.raises(NotThere):
        pay_elsewhere(payment_id=failed, address=f"{BASE_URL}/shop", now=market.now)

    (begun,) = pay_elsewhere(payment_id=failed, address=other.url, now=market.now)
    has_back(market, None)
    endings.cancel_job(user=market.payer, job_id=market.job.id, reason="No.", now=market.now)

    assert market.settle_down(market.is_over)
    begun.refresh_from_db()
    assert (begun.status, begun.receiver) == ("COMPLETED", other)
    # And so does what goes back later.
    refunds = Payment.objects.filter(purpose="REFUND", status="COMPLETED")
    assert list(refunds.values_list("receiver", flat=True)) == [other.id, other.id]
    assert Funding.objects.get().status == "REFUNDED"
    assert market.verdict().problems == []
