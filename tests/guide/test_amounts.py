"""Decimal numbers become whole smallest units, exactly or not at all."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.accounts.models import Asset
from backend.errors import ErrorCode, FaenaError
from backend.guide.amounts import exact_amount, in_decimals
from backend.open_payments.types import Amount

USD = Asset("USD", 2)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("100", 10_000),
        ("100.00", 10_000),
        ("1.13", 113),  # × 100 in floating point is 112.99999999999999
        ("0.01", 1),
        ("00.10", 10),
        ("2.5000", 250),
        (100, 10_000),
        ("92233720368547758.07", 2**63 - 1),
    ],
)
def test_D04_S09_a_sum_is_counted_in_the_smallest_unit_exactly(text: object, value: int) -> None:
    assert exact_amount(text, USD) == Amount(value=value, asset_code="USD", asset_scale=2)


@pytest.mark.parametrize(
    ("text", "asset", "code"),
    [
        ("0", USD, ErrorCode.VALIDATION),
        ("0.00", USD, ErrorCode.VALIDATION),
        ("-1", USD, ErrorCode.VALIDATION),
        (-1, USD, ErrorCode.VALIDATION),
        ("1.005", USD, ErrorCode.VALIDATION),
        ("1.5", Asset("JPY", 0), ErrorCode.VALIDATION),
        ("0.0000000001", Asset("XRP", 9), ErrorCode.VALIDATION),
        ("92233720368547758.08", USD, ErrorCode.AMOUNT_OUT_OF_RANGE),
        ("9" * 40, USD, ErrorCode.AMOUNT_OUT_OF_RANGE),
        ("1e2", USD, ErrorCode.VALIDATION),
        ("1,000", USD, ErrorCode.VALIDATION),
        (" 1", USD, ErrorCode.VALIDATION),
        ("1.", USD, ErrorCode.VALIDATION),
        (".5", USD, ErrorCode.VALIDATION),
        ("", USD, ErrorCode.VALIDATION),
        ("NaN", USD, ErrorCode.VALIDATION),
        ("١", USD, ErrorCode.VALIDATION),
        (1.5, USD, ErrorCode.VALIDATION),
        (True, USD, ErrorCode.VALIDATION),
        (10**400, USD, ErrorCode.VALIDATION),
        (None, USD, ErrorCode.VALIDATION),
        ({}, USD, ErrorCode.VALIDATION),
    ],
)
def test_D04_anything_else_is_refused(text: object, asset: Asset, code: ErrorCode) -> None:
    with pytest.raises(FaenaError) as refused:
        exact_amount(text, asset)

    assert (refused.value.code, refused.value.path) == (code, ("amount",))
    assert refused.value.message


@given(value=st.integers(1, 2**63 - 1), scale=st.integers(0, 18))
def test_what_is_written_is_read_as_the_same_sum(value: int, scale: int) -> None:
    amount = Amount(value=value, asset_code="XTS", asset_scale=scale)

    assert exact_amount(in_decimals(amount), Asset("XTS", scale)) == amount
    assert Decimal(in_decimals(amount)).scaleb(scale) == value
