"""Payers' wallets that never come to an end, do not answer, or speak of what is not theirs."""

from datetime import timedelta
from itertools import count
from typing import Any

import httpx
import pytest
from django.conf import settings

from backend.accounts.models import WalletAddress
from backend.funding.status import FundingMode
from backend.heartbeat.beating import RECONCILIATION, age
from backend.payments.models import Discrepancy, HeldGrant, Payment
from backend.payments.status import GrantScope, PaymentPurpose
from backend.reconciliation import asking
from backend.reconciliation.findings import Kind, Report
from backend.reconciliation.reconciling import reconcile
from backend.reconciliation.senders import LIST_KINDS
from tests.payments.test_driver import list_without_end
from tests.payments.test_lies import Json, let_lie
from tests.reconciliation.conftest import YEAR_S, Play, open_kinds, run
from tests.reconciliation.planting import PLANTS, Wallets
from tests.simulation.market import Market
from tests.simulation.simulator import BASE_URL

pytestmark = pytest.mark.django_db(transaction=True)

A_CALL = timedelta(seconds=settings.WALLET_BUDGET_S)


def payments_for(purpose: PaymentPurpose) -> list[Payment]:
    return list(Payment.objects.filter(purpose=purpose).order_by("id"))


def calls_of(market: Market) -> list[str]:
    """The paths that wallets are asked for from now on."""
    asked: list[str] = []
    market.before_each_call = lambda request: asked.append(request.url.path)
    return asked


def lists_in(asked: list[str]) -> int:
    return sum(path.endswith("/outgoing-payments") for path in asked)


def assert_nobody_could_see_the_senders_list(report: Report) -> None:
    assert (dict(report.found), report.checked["senders"]) == ({}, 0)
    assert {report.skipped[kind] for kind in LIST_KINDS} == {report.checked["payments"]}


# --- lists that do not end, and wallets that do not answer ----------------------------------------


def test_a_slow_list_without_end_is_given_up_and_the_receivers_are_asked(escrow: Market) -> None:
    list_without_end(escrow, seconds=9.5)
    before = escrow.now

    report = run(escrow)

    assert escrow.now - before <= asking.TREASURY_WITHIN + 2 * A_CALL
    # Half a list lacks whatever was on the other half.
    assert_nobody_could_see_the_senders_list(report)
    assert report.checked["receivers"] == report.checked["payments"] > 0


def test_a_strangers_wallet_has_less_time_than_the_platforms_own(escrow: Market) -> None:
    HeldGrant.objects.filter(scope=GrantScope.TREASURY).update(scope=GrantScope.POOLED)
    list_without_end(escrow, seconds=9.5)
    before = escrow.now

    run(escrow)

    assert escrow.now - before <= asking.PAYER_WITHIN + 2 * A_CALL


def test_a_quick_list_without_end_is_given_up_after_so_many_pages_for_all_consents(
    escrow: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MOST_PAGES", 7)
    escrow.open_treasury()
    pages = list_without_end(escrow, seconds=0)

    assert_nobody_could_see_the_senders_list(run(escrow))
    assert next(pages) == 7


def test_what_was_found_before_is_not_put_right_by_half_a_list(escrow: Market) -> None:
    planted = PLANTS[Kind.ORDER_MISSING](escrow, payments_for(PaymentPurpose.PAYOUT)[0])
    run(escrow)
    planted.repair()

    list_without_end(escrow, seconds=9.5)
    report = run(escrow)

    assert (open_kinds(), dict(report.resolved)) == ([Kind.ORDER_MISSING], {})


def test_a_long_list_that_ends_is_read_to_its_end(play: Play) -> None:
    market = play(FundingMode.ESCROW, workers=3)
    market.options(most_per_page=1)
    asked = calls_of(market)

    report = run(market)

    assert (dict(report.found), report.checked["senders"]) == ({}, 1)
    assert lists_in(asked) == 3


def test_a_wallet_whose_list_has_no_end_is_not_asked_for_it_under_another_consent(
    escrow: Market,
) -> None:
    escrow.open_treasury()
    pages = list_without_end(escrow, seconds=9.5)
    before = escrow.now

    report = run(escrow)

    assert next(pages) * timedelta(seconds=9.5) <= asking.TREASURY_WITHIN + A_CALL
    assert escrow.now - before <= asking.TREASURY_WITHIN + 2 * A_CALL
    assert (report.checked["consents"], report.skipped[Kind.GRANT_SPENT_DIFFERS]) == (1, 1)


def test_a_wallet_that_does_not_answer_is_asked_once(escrow: Market) -> None:
    escrow.open_treasury()
    escrow.fault(call="get-spent-amounts", act="reset", times=9)
    asked = calls_of(escrow)

    report = run(escrow)

    assert_nobody_could_see_the_senders_list(report)
    assert report.skipped[Kind.GRANT_SPENT_DIFFERS] == 2
    # The others are receivers.
    assert len(asked) == 1 + report.checked["receivers"]


def test_where_one_consent_is_refused_another_one_is_tried(escrow: Market) -> None:
    escrow.open_treasury()
    escrow.fault(call="list-outgoing-payments", act="status", status=403, times=1)

    report = run(escrow)

    assert (report.checked["senders"], report.checked["consents"]) == (1, 2)


def test_senders_leave_time_for_the_receivers(
    escrow: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "SENDERS_WITHIN", timedelta())

    report = run(escrow)

    assert_nobody_could_see_the_senders_list(report)
    assert report.checked["consents"] == 0
    assert report.checked["receivers"] == report.checked["payments"] > 0


def test_the_platforms_own_wallet_is_asked_before_those_of_strangers() -> None:
    market = Market(mode=FundingMode.PREAPPROVED, options={"token_life_s": YEAR_S})
    market.secure()
    market.open_treasury()
    asked: list[str] = []
    market.before_each_call = lambda request: asked.append(
        request.url.params.get("wallet-address", "")
    )

    run(market)

    assert [url for url in asked if url] == [f"{BASE_URL}/treasury", f"{BASE_URL}/alice"]


def test_what_needs_no_wallet_is_compared_before_any_is_asked(escrow: Market) -> None:
    payout = payments_for(PaymentPurpose.PAYOUT)[0]
    needing_none = [Kind.TWO_LIVE_ATTEMPTS, Kind.ALLOCATION_SUM, Kind.BOOKED_WITHOUT_PAYMENT]
    planted = [PLANTS[kind](escrow, payout) for kind in needing_none]
    found_by_then: list[list[str]] = []
    escrow.before_each_call = lambda request: found_by_then.append(open_kinds())

    try:
        run(escrow)
    finally:
        for each in reversed(planted):
            each.repair()

    assert found_by_then[0] == sorted(needing_none)


def test_a_run_that_asked_wallets_is_noted_at_its_end_though_one_was_silent(escrow: Market) -> None:
    assert age(RECONCILIATION, now=escrow.now) is None
    reconcile(now=escrow.now, client=None)
    assert age(RECONCILIATION, now=escrow.now) is None
    list_without_end(escrow, seconds=9.5)

    run(escrow)

    assert age(RECONCILIATION, now=escrow.now) == timedelta()


# --- whose orders a list can speak of -------------------------------------------------------------


@pytest.mark.parametrize("named_by", ["order", "quote", "receiver"])
def test_a_list_cannot_speak_of_what_others_pay(named_by: str, escrow: Market) -> None:
    (others,) = payments_for(PaymentPurpose.FUND)
    attempt = others.attempts.get()
    said: Json = {
        "order": {"id": attempt.outgoing_payment_url},
        "quote": {"quoteId": attempt.quote_url},
        "receiver": {"receiver": attempt.incoming_payment_url},
    }[named_by]
    escaping = {"quoteId": "http://x.example/q", "receiver": "http://x.example/r"}
    numbers = count()

    def lie(request: httpx.Request, body: Json) -> None:
        if request.url.path.endswith("/outgoing-payments"):
            item: dict[str, Any] = dict(body["result"][0])
            item |= {"id": f"{BASE_URL}/outgoing-payments/{next(numbers)}", **escaping, **said}
            body["result"].append(item | {"failed": True})

    let_lie(escrow, lie)
    report = run(escrow)

    assert dict(report.found) == {Kind.UNKNOWN_OUTGOING: 1}
    row = Discrepancy.objects.get()
    assert (row.payment, row.evidence["wallet"]) == (None, f"{BASE_URL}/treasury")


def test_two_people_with_one_wallet_know_each_others_orders(escrow: Market) -> None:
    theirs = payments_for(PaymentPurpose.PAYOUT)[0]
    row = WalletAddress.objects.get(id=theirs.sender_id)
    shared = WalletAddress.objects.create(
        owner=escrow.payer,
        **{
            name: getattr(row, name)
            for name in (
                *("url", "asset_code", "asset_scale", "auth_server"),
                *("resource_server", "checked_at"),
            )
        },
    )
    Payment.objects.filter(id=theirs.id).update(sender=shared)
    Wallets(escrow, theirs).change_outgoing("state", "FAILED")

    report = run(escrow)

    # It is judged by the list that their own consent lets us read.
    assert (dict(report.found), report.checked["senders"]) == ({}, 1)
