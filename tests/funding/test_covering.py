"""When the work begins, and that everybody who begins is promised their pay once, and really is."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.conf import LazySettings

from backend.accounts.errors import WalletHostSuspended
from backend.accounts.models import SuspendedHost, WalletAddress
from backend.errors import InvalidTransition
from backend.funding.errors import DeadlineTooFar
from backend.funding.models import Allocation, Funding, Payable
from backend.funding.queries import assurance_of
from backend.funding.status import FundingAssurance, FundingMode, FundingStatus, PayableStatus
from backend.jobs.models import Job
from backend.jobs.posting import extend_job
from backend.jobs.recruiting import decide_applications
from backend.jobs.status import JobStatus, ReviewDecision
from backend.ledger.queries import my_money
from backend.payments.models import HeldGrant
from backend.payments.status import HeldGrantStatus
from backend.payments.vault import RENEW_EVERY
from tests.simulation.market import Market
from tests.simulation.simulator import BASE_URL

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _platform(settings: LazySettings) -> None:
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"
    settings.TREASURY_WALLET_ADDRESS_URL = f"{BASE_URL}/treasury"


def status_of(market: Market) -> JobStatus:
    return JobStatus(Job.objects.get(id=market.job.id).status)


def decide(market: Market, *, select: Sequence[int] = (), reset: Sequence[int] = ()) -> None:
    ids = [each.id for each in market.applications]
    decide_applications(
        user=market.payer,
        job_id=market.job.id,
        now=market.now,
        select=[ids[each] for each in select],
        reset=[ids[each] for each in reset],
    )


def secured(market: Market, funding: Funding) -> bool:
    return market.settle_down(lambda: status_of_funding(funding) == FundingStatus.SECURED)


def status_of_funding(funding: Funding) -> str:
    return str(Funding.objects.get(id=funding.id).status)


def begins(market: Market) -> bool:
    return market.settle_down(lambda: status_of(market) == JobStatus.SUBMITTING)


def a_pool(**world: object) -> Market:
    """A market whose whole budget its payer has consented to before anybody was looked at."""
    market = Market(workers=1, pooled=True, **world)  # type: ignore[arg-type]
    market.fund()
    assert secured(market, Funding.objects.get())
    return market


def for_one_of_two(mode: FundingMode = FundingMode.PREAPPROVED) -> tuple[Market, Funding]:
    """The pay of the first is secured, and the second is selected since the payer was asked."""
    market = Market(workers=2, mode=mode)
    decide(market, reset=[1])
    market.pre_fund()
    decide(market, select=[1])
    funding = Funding.objects.get()
    assert secured(market, funding)
    return market, funding


def lapses(market: Market, funding: Funding) -> None:
    """Have its consent taken back at the wallet, which is learnt of when the token is renewed."""
    market.fault(call="rotate-token", act="revoke_grant", times=1)
    held = HeldGrant.objects.filter(reference=funding.id, status=HeldGrantStatus.HELD)
    held.update(due_at=market.now, rotated_at=market.now - RENEW_EVERY)
    market.work_until(lambda: status_of_funding(funding) == FundingStatus.LAPSED)


def extend(market: Market, days: int) -> None:
    extend_job(
        user=market.payer,
        job_id=market.job.id,
        recruit_until=None,
        submit_until=None,
        expires_at=market.now + timedelta(days=days),
        now=market.now,
    )


def promised_to(market: Market, number: int) -> int:
    return sum(each.promised_to_me for each in my_money(market.workers[number]))


# --- under which consent --------------------------------------------------------------------------


def test_a_pool_lasts_for_work_that_begins_on_the_jobs_last_day() -> None:
    market = Market(workers=1, pooled=True)
    Job.objects.filter(id=market.job.id).update(submit_days=60)
    market.fund()
    assert secured(market, Funding.objects.get())
    market.days_pass(39)
    market.pre_fund()
    assert status_of(market) is JobStatus.SUBMITTING

    market.days_pass(59)
    market.submit(market.workers[0])
    market.days_pass(365)  # nobody says anything to it

    assert status_of(market) is JobStatus.COMPLETE
    assert Funding.objects.get().status == FundingStatus.SETTLED


def test_work_begins_only_under_a_consent_that_lasts_until_all_is_decided() -> None:
    market = a_pool()
    extend(market, days=100)
    market.days_pass(60)

    with pytest.raises(DeadlineTooFar, match="renewGrant"):
        market.pre_fund()
    assert status_of(market) is JobStatus.SELECTING
    assert not Allocation.objects.exists()

    market.renew()
    market.settle_down(lambda: HeldGrant.objects.latest("id").status == HeldGrantStatus.HELD)
    market.pre_fund()
    assert status_of(market) is JobStatus.SUBMITTING


def test_nobody_is_asked_for_the_rest_beside_a_consent_that_is_too_short() -> None:
    market, first = for_one_of_two()
    extend(market, days=100)
    market.days_pass(60)

    with pytest.raises(DeadlineTooFar, match="renewGrant"):
        market.pre_fund()
    assert Funding.objects.count() == 1

    market.renew(first)
    market.settle_down(lambda: HeldGrant.objects.latest("id").status == HeldGrantStatus.HELD)
    market.pre_fund()
    assert begins(market)


def test_work_begins_once_a_consent_that_was_too_short_is_renewed() -> None:
    market, first = for_one_of_two()
    market.pre_fund()  # for the other
    short = market.now + timedelta(days=20)
    HeldGrant.objects.filter(reference=first.id).update(ends_at=short)
    assert secured(market, Funding.objects.exclude(id=first.id).get())
    assert status_of(market) is JobStatus.SELECTING

    market.renew(first)

    assert begins(market)


def test_who_has_deadlines_that_no_consent_reaches_is_not_sent_to_renew_it() -> None:
    market = a_pool()
    extend(market, days=500)

    with pytest.raises(DeadlineTooFar, match="use ESCROW"):
        market.pre_fund()


@pytest.mark.parametrize("payer_wallet", ["alice", "bob"])
@pytest.mark.parametrize("renews", [False, True])
def test_nobody_is_promised_what_a_renewed_consent_does_not_cover(
    renews: bool, payer_wallet: str
) -> None:
    market = Market(workers=3, payer_wallet=payer_wallet)
    decide(market, reset=[2])
    market.pre_fund()
    decide(market, reset=[0], select=[2])  # while the payer is asked
    assert secured(market, Funding.objects.get())
    if renews:
        market.renew()
        market.settle_down(lambda: HeldGrant.objects.latest("id").status == HeldGrantStatus.HELD)
    market.pre_fund()
    assert begins(market)

    for worker in market.workers[1:]:
        market.review(market.submit(worker), ReviewDecision.ACCEPT)
    market.settle_down(market.is_over)

    assert market.verdict().problems == []
    assert set(Payable.objects.values_list("status", flat=True)) == {PayableStatus.PAID}


def test_a_pool_that_is_renewed_covers_the_fee_as_well() -> None:
    market = a_pool(fee_bps=1000)
    market.renew()
    market.settle_down(lambda: HeldGrant.objects.latest("id").status == HeldGrantStatus.HELD)
    market.pre_fund()
    assert begins(market)

    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    market.settle_down(market.is_over)

    assert market.verdict().problems == []


def test_nobody_of_a_suspended_provider_begins_out_of_a_pool() -> None:
    market = a_pool()
    SuspendedHost.objects.create(host="sandbox.example", reason="Broken into.")

    with pytest.raises(WalletHostSuspended):
        market.pre_fund()

    assert status_of(market) is JobStatus.SELECTING


# --- after a consent has lapsed -------------------------------------------------------------------


def test_work_begins_when_the_consent_that_was_missing_is_back() -> None:
    market, first = for_one_of_two()
    market.pre_fund()  # for the other
    lapses(market, first)
    assert secured(market, Funding.objects.exclude(id=first.id).get())
    assert status_of(market) is JobStatus.SELECTING

    market.renew(first)

    assert begins(market)


def test_work_does_not_begin_under_a_renewed_consent_that_leaves_somebody_out() -> None:
    market, first = for_one_of_two()
    market.pre_fund()
    lapses(market, first)
    assert secured(market, Funding.objects.exclude(id=first.id).get())
    WalletAddress.objects.filter(owner=market.workers[0]).update(
        url=f"{BASE_URL}/nobody", checked_at=market.now - timedelta(days=1)
    )

    market.renew(first)
    renewed = HeldGrant.objects.filter(reference=first.id).order_by("-id")
    market.settle_down(lambda: renewed[0].status == HeldGrantStatus.FAILED)

    assert renewed[0].status == HeldGrantStatus.FAILED
    assert status_of(market) is JobStatus.SELECTING
    assert status_of_funding(first) == FundingStatus.LAPSED


def test_what_has_lapsed_is_promised_to_nobody_a_second_time() -> None:
    market, first = for_one_of_two()
    lapses(market, first)

    market.pre_fund()
    assert begins(market)

    assert [promised_to(market, number) for number in (0, 1)] == [1250, 1250]
    assert sum(each.promised_by_me for each in my_money(market.payer)) == 2500
    assert status_of_funding(first) == FundingStatus.CANCELED
    with pytest.raises(InvalidTransition):
        market.renew(first)


def test_who_is_not_selected_any_more_is_promised_nothing_by_what_has_lapsed() -> None:
    market, first = for_one_of_two()
    lapses(market, first)

    decide(market, reset=[0])

    assert promised_to(market, 0) == 0


def test_a_lapsed_promise_is_not_called_held_because_anothers_is() -> None:
    market, first = for_one_of_two()
    market.mode = FundingMode.ESCROW
    market.open_treasury()
    market.pre_fund()
    assert begins(market)

    lapses(market, first)

    assert assurance_of([market.job.id])[market.job.id] == FundingAssurance.NONE
