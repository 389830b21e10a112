from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from backend.open_payments import (
    Access,
    Amount,
    Interact,
    InvalidValue,
    Limits,
    MismatchedResponse,
    check_interval,
    incoming_payment_access,
    outgoing_payment_access,
    quote_access,
    single_window,
)
from backend.open_payments.grants import check_request, require_not_wider
from tests.open_payments.samples import ALICE, BOB, EUR_25, NOON, RECEIVER, USD_25, USD_26

INTERVAL = "R11/2026-12-01T00:00:00Z/P1M"
ASKED = outgoing_payment_access(
    identifier=ALICE, limits=Limits(receiver=RECEIVER, debit_amount=USD_26, interval=INTERVAL)
)
assert ASKED.limits is not None


@pytest.mark.parametrize(
    "interval",
    [
        INTERVAL,
        "R/2017-03-01T13:00:00Z/2018-05-11T15:30:00Z",
        "R-1/P1Y2M10DT2H30M/2022-05-11T15:30:00Z",
        "R0/2026-12-01T00:00:00Z/P90D",
        "R/2026-12-01T00:00:00.000Z/PT12H",
        "R5/P2W/2026-12-01T00:00:00Z",
    ],
)
def test_the_specifications_intervals_are_accepted(interval: str) -> None:
    assert check_interval(interval) == interval


@pytest.mark.parametrize(
    "interval",
    [
        "",
        "monthly",
        "P1M",
        "R",
        "R1/P1M",
        "2026-12-01T00:00:00Z/P1M",
        "R-2/2026-12-01T00:00:00Z/P1M",
        "R1/2026-12-01T00:00:00Z/P",
        "R1/2026-12-01T00:00:00Z/PT",
        "R1/2026-12-01T00:00:00Z/P0D",
        "R1/2026-12-01T00:00:00Z/P1.5D",
        "R1/2026-12-01T00:00:00Z/P1D/P1D",
        "R1/P1D/P1D",
        "R١/P1D/P1D",
        "R1/2026-12-02T00:00:00Z/2026-12-01T00:00:00Z",
        "R1/2026-13-01T00:00:00Z/P1D",
        INTERVAL + "\n",
    ],
)
def test_an_interval_that_would_fail_when_money_moves_is_refused(interval: str) -> None:
    with pytest.raises(InvalidValue):
        check_interval(interval)


def test_a_single_window_repeats_zero_times() -> None:
    assert single_window(start=NOON, days=60) == "R0/2026-06-01T12:00:00Z/P60D"


@pytest.mark.parametrize("days", [0, -1, 100_000])
def test_a_window_that_is_none_is_refused(days: int) -> None:
    with pytest.raises(InvalidValue):
        single_window(start=NOON, days=days)


def test_a_window_starts_at_an_instant_not_at_a_wall_clock() -> None:
    with pytest.raises(InvalidValue):
        single_window(start=NOON.replace(tzinfo=None), days=1)


@pytest.mark.parametrize(
    "granted",
    [
        ASKED,
        replace(ASKED, actions=("read",)),
        replace(ASKED, limits=replace(ASKED.limits, debit_amount=USD_25)),
        replace(ASKED, limits=replace(ASKED.limits, receive_amount=EUR_25)),
    ],
)
def test_a_grant_may_be_as_wide_as_asked_or_narrower(granted: Access) -> None:
    require_not_wider([granted], requested=[quote_access(), ASKED])


def more_than_asked() -> list[Access]:
    limits = ASKED.limits
    assert limits is not None
    too_much = Amount(value=2601, asset_code="USD", asset_scale=2)
    other_asset = Amount(value=1, asset_code="USD", asset_scale=9)
    return [
        replace(ASKED, limits=None),
        replace(ASKED, identifier=BOB),
        replace(ASKED, identifier=None),
        replace(ASKED, type="incoming-payment"),
        replace(ASKED, actions=("create", "read-all")),
        replace(ASKED, limits=replace(limits, receiver=None)),
        replace(ASKED, limits=replace(limits, receiver=RECEIVER + "2")),
        replace(ASKED, limits=replace(limits, debit_amount=None)),
        replace(ASKED, limits=replace(limits, debit_amount=too_much)),
        replace(ASKED, limits=replace(limits, debit_amount=other_asset)),
        replace(ASKED, limits=replace(limits, interval=None)),
        replace(ASKED, limits=replace(limits, interval="R/2026-12-01T00:00:00Z/P1D")),
    ]


@pytest.mark.parametrize("granted", more_than_asked())
def test_a_grant_that_may_do_more_than_asked_is_refused(granted: Access) -> None:
    with pytest.raises(MismatchedResponse):
        require_not_wider([ASKED, granted], requested=[quote_access(), ASKED])


def test_an_interval_nobody_asked_for_would_spend_the_amount_again_and_again() -> None:
    once = outgoing_payment_access(identifier=ALICE, limits=Limits(debit_amount=USD_26))
    monthly = replace(once, limits=Limits(debit_amount=USD_26, interval=INTERVAL))

    with pytest.raises(MismatchedResponse):
        require_not_wider([monthly], requested=[once])


def test_a_window_or_a_delivery_that_was_asked_for_must_be_kept() -> None:
    window = outgoing_payment_access(identifier=ALICE, limits=Limits(interval=INTERVAL))
    delivery = outgoing_payment_access(identifier=ALICE, limits=Limits(receive_amount=EUR_25))
    everything = outgoing_payment_access(identifier=ALICE, limits=None)

    for asked in (window, delivery):
        with pytest.raises(MismatchedResponse):
            require_not_wider([everything], requested=[asked])
    require_not_wider([window], requested=[everything])


def refused_requests() -> dict[str, list[Access]]:
    both = Limits(debit_amount=USD_26, receive_amount=EUR_25)
    return {
        "no actions": [incoming_payment_access(actions=())],
        "an unknown action": [incoming_payment_access(actions=("delete",))],
        "an unknown type": [Access(type="account", actions=("read",))],
        "completing quotes": [quote_access(actions=("complete",))],
        "four items": [incoming_payment_access(identifier=f"{BOB}{n}") for n in range(4)],
        "an item twice": [quote_access(), quote_access()],
        "both amounts": [outgoing_payment_access(identifier=ALICE, limits=both)],
        "paying from nowhere": [Access(type="outgoing-payment", actions=("create",))],
        "a wallet as receiver": [
            outgoing_payment_access(identifier=ALICE, limits=Limits(receiver=BOB))
        ],
        "an interval in words": [
            outgoing_payment_access(identifier=ALICE, limits=Limits(interval="monthly"))
        ],
        "an identifier that is no URL": [incoming_payment_access(identifier="bob")],
        "a quote with identifier": [Access(type="quote", actions=("create",), identifier=ALICE)],
        "limits on receiving": [
            Access(type="incoming-payment", actions=("create",), limits=Limits(receiver=RECEIVER))
        ],
    }


@pytest.mark.parametrize("access", refused_requests().values(), ids=refused_requests().keys())
def test_a_grant_request_that_cannot_work_is_refused_before_anybody_is_asked(
    access: list[Access],
) -> None:
    with pytest.raises(InvalidValue):
        check_request(access, interactive=True)


def test_paying_is_never_asked_for_without_a_person() -> None:
    with pytest.raises(InvalidValue):
        check_request([ASKED], interactive=False)


def test_access_survives_the_wire() -> None:
    for item in (ASKED, quote_access(), incoming_payment_access(identifier=BOB)):
        assert Access.from_json(item.to_json()) == item


def test_a_finish_redirect_needs_a_nonce() -> None:
    with pytest.raises(InvalidValue):
        Interact(finish_uri="https://platform.example/finish")


def test_a_window_in_another_zone_is_written_in_utc() -> None:
    start = datetime(2026, 6, 1, 6, tzinfo=UTC) + timedelta(hours=6)

    assert single_window(start=start, days=1) == "R0/2026-06-01T12:00:00Z/P1D"
