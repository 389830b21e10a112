from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox_wallet.money import Asset, for_people, parse_amount
from sandbox_wallet.rates import NoRate, Tariff, TooSmall

USD, EUR, MXN, JPY = Asset("USD", 2), Asset("EUR", 2), Asset("MXN", 2), Asset("JPY", 0)
RATES = {"USD:MXN": "17.05", "EUR:JPY": "163.2", "MXN:USD": "0.0586"}


def tariff(source: Asset, target: Asset, bps: int = 0, fixed: int = 0) -> Tariff:
    return Tariff.between(source, target, rates=RATES, fee_bps=bps, fee_fixed=fixed, slippage_bps=0)


@pytest.mark.parametrize(
    ("source", "target", "debit", "receive"),
    [(USD, MXN, 10000, 170500), (EUR, JPY, 1050, 1713), (MXN, USD, 18, 1)],
)
def test_a_fixed_debit_delivers_the_floor(
    source: Asset, target: Asset, debit: int, receive: int
) -> None:
    assert tariff(source, target).fixed_send(debit).receive == receive


@pytest.mark.parametrize(
    ("source", "target", "receive", "debit"),
    [(USD, MXN, 20000, 1174), (EUR, JPY, 1000, 613), (MXN, USD, 1, 18)],
)
def test_a_fixed_delivery_costs_the_ceiling(
    source: Asset, target: Asset, receive: int, debit: int
) -> None:
    assert tariff(source, target).fixed_receive(receive).debit == debit


def test_the_smallest_debit_is_named_fees_included() -> None:
    with pytest.raises(TooSmall) as small:
        tariff(MXN, USD, bps=1000, fixed=7).fixed_send(10)

    minimum = small.value.minimum
    assert tariff(MXN, USD, bps=1000, fixed=7).fixed_send(minimum).receive == 1
    with pytest.raises(TooSmall):
        tariff(MXN, USD, bps=1000, fixed=7).fixed_send(minimum - 1)


def test_a_pair_nobody_quotes_has_no_rate() -> None:
    with pytest.raises(NoRate):
        tariff(EUR, MXN)


@given(
    st.integers(1, 10**12),
    st.fractions(Fraction(1, 10**6), 10**6),
    st.integers(0, 9999),
    st.integers(0, 10**6),
)
def test_the_exchange_never_gives_away_a_unit(
    receive: int, rate: Fraction, bps: int, fixed: int
) -> None:
    price = Tariff(rate=rate, fee_bps=bps, fee_fixed=fixed, slippage_bps=0).fixed_receive(receive)

    principal = price.debit - price.fee
    assert principal * rate >= receive
    assert (principal - 1) * rate < receive


@pytest.mark.parametrize(
    ("value", "asset", "shown"),
    [
        (1025000, USD, "$10,250.00"),
        (5, EUR, "€0.05"),
        (1713, JPY, "1,713 JPY"),
        (-170500, MXN, "-MX$1,705.00"),
        (1, Asset("XRP", 9), "0.000000001 XRP"),
    ],
)
def test_amounts_are_written_for_people(value: int, asset: Asset, shown: str) -> None:
    assert for_people(value, asset) == shown


@pytest.mark.parametrize(
    "change",
    [
        {"value": "01"},
        {"value": "-1"},
        {"value": "1e3"},
        {"value": "١"},
        {"value": 1},
        {"assetScale": "2"},
        {"assetScale": True},
        {"assetScale": 256},
        {"assetCode": ""},
        {"extra": 1},
    ],
)
def test_amounts_are_parsed_strictly(change: dict[str, object]) -> None:
    right = {"value": "1", "assetCode": "USD", "assetScale": 2}

    assert parse_amount(right) is not None
    assert parse_amount({**right, **change}) is None
