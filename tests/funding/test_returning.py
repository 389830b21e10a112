"""What a consent that is asked for again covers, and for how long."""

from datetime import timedelta

import pytest
from django.conf import LazySettings

from backend.accounts.errors import WalletHostSuspended
from backend.accounts.models import SuspendedHost, User, WalletAddress
from backend.errors import AssetMismatch, NotFound
from backend.funding.lifecycle import RULES, FundingAction, funding_facts
from backend.funding.models import Funding, Payable
from backend.funding.status import FundingStatus, PayableStatus
from backend.jobs.lifecycle.rules import allowed
from backend.jobs.models import Submission
from backend.jobs.posting import extend_job
from backend.jobs.recruiting import decide_applications
from backend.jobs.review import acknowledge_decision
from backend.jobs.status import Pricing, ReviewDecision
from backend.payments.models import HeldGrant, Payment
from backend.payments.status import HELD_GRANT_OVER, HeldGrantStatus
from tests.simulation.market import Market
from tests.simulation.simulator import BASE_URL

pytestmark = pytest.mark.django_db(transaction=True)

A_YEAR = timedelta(days=365)


@pytest.fixture(autouse=True)
def _platform(settings: LazySettings) -> None:
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"
    settings.SELLER_WALLET_ADDRESS_URL = f"{BASE_URL}/shop"


def at_work(*, workers: int = 1, **world: object) -> Market:
    market = Market(workers=workers, **world)  # type: ignore[arg-type]
    market.secure()
    return market


def newest(market: Market) -> HeldGrant:
    return HeldGrant.objects.filter(payer=market.payer).latest("created_at")


def renewed(market: Market) -> HeldGrant:
    """The consent after its payer was asked for another, whatever came of that."""
    market.renew()
    market.settle_down(lambda: newest(market).status in {"HELD", *HELD_GRANT_OVER}, rounds=60)
    return newest(market)


def lose_the_consent(market: Market) -> None:
    """Have the payer take it back at the wallet, which is learnt of when it is renewed there."""
    market.fault(call="rotate-token", act="revoke_grant", times=1)
    market.days_pass(7)
    assert the_funding(market).status == FundingStatus.LAPSED


def the_funding(market: Market) -> Funding:
    return Funding.objects.get(job=market.job)


def is_paid(submission: Submission) -> bool:
    payouts = Payable.objects.filter(submission=submission)
    return [each.status for each in payouts] == [PayableStatus.PAID]


# --- for how long ---------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [timedelta(hours=2), timedelta(days=5), timedelta(days=500)])
def test_accepted_work_is_paid_however_late_its_payer_consents_again(late: timedelta) -> None:
    market = at_work()
    submission = market.submit(market.workers[0])
    ends_at = newest(market).ends_at
    assert ends_at is not None
    market.clock.at = ends_at + late
    market.work_until(lambda: the_funding(market).status == FundingStatus.LAPSED)
    market.review(submission, ReviewDecision.ACCEPT)

    assert renewed(market).status == HeldGrantStatus.HELD
    market.settle_down(market.is_over)

    assert is_paid(submission)
    assert the_funding(market).status == FundingStatus.SETTLED
    assert market.verdict().problems == []


def test_who_revises_late_has_their_pay_consented_to_until_it_is_decided() -> None:
    market = at_work()
    submission = market.submit(market.workers[0])
    assert submission.review_by is not None
    market.clock.at = submission.review_by - timedelta(hours=1)
    market.review(submission, ReviewDecision.REQUEST_CHANGES)
    revise_until = Submission.objects.get(id=submission.id).revise_until
    assert revise_until is not None

    ends_at = renewed(market).ends_at

    assert ends_at is not None
    assert ends_at >= revise_until + timedelta(days=market.job.review_days + 15)


def test_a_job_that_was_given_more_time_than_a_consent_can_last_is_paid_under_the_next() -> None:
    market = at_work()
    extend_job(
        user=market.payer,
        job_id=market.job.id,
        recruit_until=None,
        submit_until=market.now + timedelta(days=490),
        expires_at=market.now + timedelta(days=500),
        now=market.now,
    )
    lose_the_consent(market)

    consent = renewed(market)

    assert consent.status == HeldGrantStatus.HELD
    assert consent.ends_at is not None
    assert consent.ends_at - consent.starts_at == A_YEAR
    submission = market.submit(market.workers[0])
    market.review(submission, ReviewDecision.ACCEPT)
    market.settle_down(market.is_over)
    assert is_paid(submission)


def test_deadlines_for_work_do_not_count_when_all_of_it_is_there() -> None:
    market = at_work()
    extend_job(
        user=market.payer,
        job_id=market.job.id,
        recruit_until=None,
        submit_until=None,
        expires_at=market.now + timedelta(days=300),
        now=market.now,
    )
    market.submit(market.workers[0])

    ends_at = renewed(market).ends_at

    assert ends_at is not None
    assert ends_at < market.now + timedelta(days=market.job.review_days + 15 + 7 + 1)


# --- how much -------------------------------------------------------------------------------------


def test_who_pays_in_another_currency_is_not_asked_for_the_jobs_number_in_it() -> None:
    market = Market(workers=1, payer_wallet="carmen")
    market.pre_fund()
    market.work_until(lambda: newest(market).status == HeldGrantStatus.AWAITING_APPROVAL)
    select(market, reset=True)
    market.settle_down(lambda: the_funding(market).status == FundingStatus.SECURED)
    before = newest(market)

    facts = funding_facts(user=market.payer, fundings=[the_funding(market)])
    assert FundingAction.RENEW not in allowed(RULES, facts[the_funding(market).id])
    with pytest.raises(AssetMismatch):
        market.renew()
    assert newest(market) == before

    # As the refusal says: then there is somebody to quote for.
    select(market)
    market.pre_fund()
    assert renewed(market).limit_value == before.limit_value


def test_when_only_the_fee_is_unpaid_only_the_fee_is_asked_for() -> None:
    market = at_work(workers=2, payer_wallet="carmen", fee_bps=1000)
    market.fault(call="create-outgoing-payment", nth=2, act="revoke_grant", times=1)
    accepted, rejected = (market.submit(worker) for worker in market.workers)
    market.review(rejected, ReviewDecision.REJECT)
    market.review(accepted, ReviewDecision.ACCEPT)
    market.settle_down(lambda: is_paid(accepted))
    acknowledge_decision(user=market.workers[1], submission_id=rejected.id, now=market.now)
    market.settle_down(lambda: the_funding(market).status == FundingStatus.LAPSED)
    fee = Payable.objects.get(purpose="PLATFORM_FEE")
    market.settle_down(lambda: Payable.objects.get(id=fee.id).status == PayableStatus.OWED)

    lines = renewed(market).lines.all()

    assert [line.receive_value for line in lines] == [125]
    market.settle_down(lambda: the_funding(market).fee_paid_value == 125)
    assert the_funding(market).fee_paid_value == 125


@pytest.mark.parametrize(("payer_wallet", "asked_for"), [("alice", 1313), ("carmen", 0)])
def test_a_wallet_that_is_gone_keeps_nobody_else_from_their_pay(
    payer_wallet: str, asked_for: int
) -> None:
    market = at_work(workers=2, payer_wallet=payer_wallet)
    submission = market.submit(market.workers[0])
    close_the_wallet_of(market, market.workers[1])
    lose_the_consent(market)
    market.review(submission, ReviewDecision.ACCEPT)

    consent = renewed(market)
    market.settle_down(lambda: is_paid(submission))

    assert is_paid(submission)
    paid, unknown = consent.lines.order_by("id")
    # Between assets nobody can say what it takes; else it is the pay and room for fees.
    assert (paid.receiver.owner, unknown.debit_value) == (market.workers[0], asked_for)
    assert consent.limit_value is not None and paid.debit_value is not None
    assert consent.limit_value >= paid.debit_value + asked_for


def test_who_consents_again_waits_minutes_only_for_wallets_that_do_not_answer() -> None:
    market = at_work(workers=2)
    market.fault(call="create-incoming-payment", act="reset", times=500)
    begun_at = market.now

    consent = renewed(market)

    assert consent.status == HeldGrantStatus.HELD
    assert consent.limit_value == 2 * 1313
    assert market.now - begun_at < timedelta(minutes=5)


def test_a_consent_to_no_payment_at_all_is_not_asked_for() -> None:
    market = at_work(payer_wallet="carmen")
    close_the_wallet_of(market, market.workers[0])
    before = newest(market)

    assert renewed(market).status == HeldGrantStatus.FAILED

    before.refresh_from_db()
    assert before.status == HeldGrantStatus.HELD


# --- with which wallet ----------------------------------------------------------------------------


@pytest.mark.parametrize("gone", ["closed", "suspended"])
def test_whose_wallet_is_gone_pays_with_another_of_theirs(gone: str) -> None:
    market = at_work()
    market.fault(call="create-outgoing-payment", act="revoke_grant")
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    market.settle_down(lambda: the_funding(market).status == FundingStatus.LAPSED)
    first = the_funding(market).payer_wallet
    if gone == "suspended":
        WalletAddress.objects.filter(owner=market.payer).update(auth_server="https://gone.example")
        SuspendedHost.objects.create(host="gone.example", reason="Broken into.")
        with pytest.raises(WalletHostSuspended):
            market.renew()
    other = WalletAddress.objects.create(owner=market.payer, **market._wallet("treasury"))

    market.renew(wallet=other)
    assert the_funding(market).payer_wallet == first  # until its owner has said yes
    market.settle_down(lambda: Payable.objects.get().status == PayableStatus.PAID)

    assert Payable.objects.get().status == PayableStatus.PAID
    assert the_funding(market).payer_wallet == other
    assert Payment.objects.get(purpose="PAYOUT", status="COMPLETED").sender == other


def test_nobody_pays_with_a_wallet_that_is_not_theirs_or_of_another_asset() -> None:
    market = at_work(pricing=Pricing.FIXED_SEND)
    mine, others = [
        WalletAddress.objects.create(owner=owner, **market._wallet(name))
        for owner, name in [(market.payer, "bob"), (market.workers[0], "treasury")]
    ]

    with pytest.raises(NotFound):
        market.renew(wallet=others)
    with pytest.raises(AssetMismatch):
        market.renew(wallet=mine)

    assert HeldGrant.objects.count() == 1


def test_a_first_consent_is_to_secure_everybody_or_nobody() -> None:
    market = Market(workers=2)
    close_the_wallet_of(market, market.workers[1])
    market.pre_fund()
    market.settle_down(lambda: the_funding(market).status == FundingStatus.FAILED, rounds=60)

    assert the_funding(market).status == FundingStatus.FAILED


def close_the_wallet_of(market: Market, worker: User) -> None:
    WalletAddress.objects.filter(owner=worker).update(
        url=f"{BASE_URL}/nobody", checked_at=market.now - timedelta(days=1)
    )


def select(market: Market, *, reset: bool = False) -> None:
    ids = [each.id for each in market.applications]
    decide_applications(
        user=market.payer,
        job_id=market.job.id,
        **{"reset" if reset else "select": ids},
        now=market.now,
    )
