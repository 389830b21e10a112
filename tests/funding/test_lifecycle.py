"""Whatever `allowed` offers works, and whatever it does not offer is refused."""

from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.db import transaction

from backend.errors import FaenaError
from backend.funding import returning
from backend.funding.lifecycle import RULES, FundingAction, funding_facts
from backend.funding.models import Funding
from backend.funding.status import FundingMode, FundingStatus
from backend.ids import new_id
from backend.jobs.lifecycle.rules import allowed
from backend.jobs.models import Job
from backend.payments.models import HeldGrant, Payment
from backend.payments.status import BEFORE_CONSENT, HeldGrantStatus
from tests.simulation.market import RETURN, Market
from tests.simulation.simulator import BASE_URL

pytestmark = pytest.mark.django_db(transaction=True)

CANCEL, REFUND, RENEW = FundingAction.CANCEL, FundingAction.REFUND, FundingAction.RENEW


@pytest.fixture(autouse=True)
def _treasury(settings: LazySettings) -> None:
    settings.TREASURY_WALLET_ADDRESS_URL = f"{BASE_URL}/treasury"


def asked(mode: FundingMode) -> Market:
    """A market whose payer is asked, and has not decided yet."""
    market = Market(mode=mode, workers=1)
    if mode is FundingMode.ESCROW:
        market.open_treasury()
    market.pre_fund()
    return market


def being_looked_at() -> Market:
    """A market whose payer may have paid before a backup was restored: the wallets are asked."""
    market = asked(FundingMode.ESCROW)
    Payment.objects.filter(reference=the_funding(market).id).update(look_up_since=market.now)
    return market


def secured(mode: FundingMode) -> Market:
    """A market whose worker can begin."""
    market = asked(mode)
    market.settle_down(lambda: Job.objects.get(id=market.job.id).status == "SUBMITTING")
    return market


def selecting_again(mode: FundingMode) -> Market:
    """A market whose money is there, and in which nobody is at work."""
    market = secured(mode)
    Job.objects.filter(id=market.job.id).update(status="SELECTING")
    return market


def promised_to_nobody() -> Market:
    market = selecting_again(FundingMode.ESCROW)
    the_funding(market).allocations.update(returned_value=1250, status="RETURNED")
    return market


def lapsed() -> Market:
    market = secured(FundingMode.PREAPPROVED)
    HeldGrant.objects.update(status=HeldGrantStatus.LOST, due_at=None)
    with transaction.atomic():
        the_funding(market).move_to(FundingStatus.LAPSED, at=market.now)
    return market


def over() -> Market:
    market = asked(FundingMode.PREAPPROVED)
    market.approve = False
    market.settle_down(lambda: the_funding(market).status == "REJECTED")
    return market


def the_funding(market: Market) -> Funding:
    return Funding.objects.select_related("job").get(job=market.job)


def do(action: FundingAction, market: Market) -> None:
    known = {
        "user": market.payer,
        "funding_id": the_funding(market).id,
        "idempotency_key": new_id(),
        "now": market.now,
    }
    if action is CANCEL:
        returning.cancel_funding(**known)
    elif action is REFUND:
        returning.refund_funding(amount=None, **known)
    else:
        returning.renew_grant(return_url=RETURN, **known)


WORLDS: list[tuple[Callable[[], Market], list[FundingAction]]] = [
    (lambda: asked(FundingMode.PREAPPROVED), [CANCEL]),
    (lambda: asked(FundingMode.ESCROW), [CANCEL]),
    (being_looked_at, []),
    (lambda: secured(FundingMode.PREAPPROVED), [RENEW]),
    (lambda: secured(FundingMode.ESCROW), []),
    (lambda: selecting_again(FundingMode.PREAPPROVED), [CANCEL, RENEW]),
    (lambda: selecting_again(FundingMode.ESCROW), [CANCEL]),
    (promised_to_nobody, [CANCEL, REFUND]),
    (lapsed, [RENEW]),
    (over, []),
]


@pytest.mark.parametrize(("world", "expected"), WORLDS)
def test_what_is_offered_works_and_nothing_else(
    world: Callable[[], Market], expected: list[FundingAction]
) -> None:
    market = world()
    funding = the_funding(market)

    offered = allowed(RULES, funding_facts(user=market.payer, fundings=[funding])[funding.id])

    assert offered == expected
    for action in FundingAction:
        try:
            with transaction.atomic():
                do(action, market)
                works = True
                transaction.set_rollback(True)
        except FaenaError:
            works = False
        assert works == (action in offered), action


def test_nothing_is_offered_to_anybody_but_the_payer() -> None:
    market = asked(FundingMode.PREAPPROVED)
    funding = the_funding(market)

    for somebody in (market.operator, market.workers[0]):
        facts = funding_facts(user=somebody, fundings=[funding])[funding.id]
        assert allowed(RULES, facts) == []


def test_a_payment_that_left_its_payers_hands_cannot_be_called_off() -> None:
    market = asked(FundingMode.ESCROW)
    market.options(settle_s=20)
    funding = the_funding(market)
    payment = Payment.objects.filter(reference=funding.id)
    market.settle_down(lambda: payment.get().status not in BEFORE_CONSENT)

    facts = funding_facts(user=market.payer, fundings=[funding])[funding.id]

    assert funding.status == FundingStatus.AWAITING_APPROVAL
    assert allowed(RULES, facts) == []
