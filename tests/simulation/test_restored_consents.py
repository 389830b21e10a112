"""A backup of when a payer was deciding about an ESCROW funding: nothing is taken twice."""

from collections.abc import Callable

import pytest
from django.conf import LazySettings

from backend.funding import returning
from backend.funding.models import Funding
from backend.funding.status import FundingMode, FundingStatus
from backend.ids import new_id
from backend.ledger.kinds import AccountKind
from backend.ledger.models import Account
from backend.payments.errors import BeingLookedAt
from backend.payments.models import Payment
from backend.payments.status import PaymentStatus
from tests.simulation.market import Market
from tests.simulation.restoring import backup
from tests.simulation.simulator import BASE_URL
from tests.simulation.test_restored import SOON, come_back

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def market(settings: LazySettings) -> Market:
    """A funding whose payer is being asked."""
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"
    market = Market(mode=FundingMode.ESCROW, workers=2)
    market.open_treasury()
    market.pre_fund()
    market.work_until(is_in(PaymentStatus.AWAITING_APPROVAL))
    return market


def is_in(status: PaymentStatus) -> Callable[[], bool]:
    return lambda: Payment.objects.filter(purpose="FUND", status=status).exists()


def taken(market: Market) -> int:
    movements = market._control("GET", "ledger")["movements"]
    return sum(int(each["value"]) for each in movements if each["kind"] == "deliver")


def held() -> int:
    return sum(Account.objects.filter(kind=AccountKind.ESCROW).values_list("balance", flat=True))


def test_money_that_had_moved_since_secures_the_funding(market: Market) -> None:
    rows = backup(at=market.now)
    assert market.settle_down(is_in(PaymentStatus.COMPLETED))

    come_back(market, rows, after=SOON)
    # Nobody waits for the time of the consent to be over: it is looked up at once.
    market.work_until(is_in(PaymentStatus.COMPLETED), rounds=10)

    assert Funding.objects.get().status == FundingStatus.SECURED
    assert taken(market) == held() == 2500


def test_who_had_paid_cannot_call_it_off_before_the_wallets_were_asked(market: Market) -> None:
    rows = backup(at=market.now)
    assert market.settle_down(is_in(PaymentStatus.COMPLETED))
    come_back(market, rows, after=SOON)

    with pytest.raises(BeingLookedAt) as refused:
        call_off(market)

    assert refused.value.retryable
    market.work_until(is_in(PaymentStatus.COMPLETED), rounds=10)
    assert taken(market) == held() == 2500


def test_a_consent_that_was_given_since_is_asked_for_again(market: Market) -> None:
    rows = backup(at=market.now)
    market.fault(call="create-outgoing-payment", when="before", act="503", times=100)
    market.decide_in_wallets()
    market._stir()
    market.work_until(is_in(PaymentStatus.UNKNOWN))
    market._control("DELETE", "faults")

    come_back(market, rows, after=SOON)
    market.work_until(is_in(PaymentStatus.EXPIRED))

    # The wallet has given its token to the one who lost it; the payer funds again.
    assert Funding.objects.get().status == FundingStatus.EXPIRED
    assert taken(market) == held() == 0
    market.pre_fund()
    assert market.settle_down(is_in(PaymentStatus.COMPLETED))
    assert taken(market) == held() == 2500


def test_who_had_not_decided_yet_decides_now_and_pays_once(market: Market) -> None:
    come_back(market, backup(at=market.now), after=SOON)

    assert market.settle_down(is_in(PaymentStatus.COMPLETED))

    assert Funding.objects.get().status == FundingStatus.SECURED
    assert taken(market) == held() == 2500


def test_who_had_not_decided_yet_may_call_it_off_once_the_wallets_were_asked(
    market: Market,
) -> None:
    come_back(market, backup(at=market.now), after=SOON)
    market.work_until(lambda: not Payment.objects.exclude(look_up_since=None).exists())

    call_off(market)

    assert Funding.objects.get().status == FundingStatus.CANCELED
    assert taken(market) == held() == 0


def call_off(market: Market) -> None:
    returning.cancel_funding(
        user=market.payer,
        funding_id=Funding.objects.get().id,
        idempotency_key=new_id(),
        now=market.now,
    )
