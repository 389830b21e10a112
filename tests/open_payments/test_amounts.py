import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.open_payments import Amount, InvalidValue
from tests.open_payments.samples import amount

values = st.integers(min_value=0, max_value=2**64 - 1)


@given(value=values, code=st.sampled_from(["USD", "MXN", "XRP"]), scale=st.integers(0, 255))
def test_an_amount_survives_the_wire(value: int, code: str, scale: int) -> None:
    money = Amount(value=value, asset_code=code, asset_scale=scale)

    assert Amount.from_json(money.to_json()) == money


@pytest.mark.parametrize(
    "value",
    [
        "",
        "-1",
        "+1",
        "01",
        "1.0",
        "1e3",
        " 1",
        "1 ",
        "1\n",
        "٣",
        "1_000",
        "0x1",
        "1" * 21,
        str(2**64),
        5,
        5.0,
        True,
        None,
        ["1"],
        {},
    ],
)
def test_an_amount_with_another_value_than_a_uint64_in_a_text_is_refused(value: object) -> None:
    with pytest.raises(InvalidValue):
        Amount.from_json(amount(1) | {"value": value})


@pytest.mark.parametrize("scale", [-1, 256, "2", 2.0, True, None])
def test_an_amount_with_another_scale_than_0_to_255_is_refused(scale: object) -> None:
    with pytest.raises(InvalidValue):
        Amount.from_json(amount(1) | {"assetScale": scale})


@pytest.mark.parametrize("code", ["", None, 3, "U\nD", "X" * 65])
def test_an_amount_with_a_strange_asset_code_is_refused(code: object) -> None:
    with pytest.raises(InvalidValue):
        Amount.from_json(amount(1) | {"assetCode": code})


@pytest.mark.parametrize("document", [None, [], "12", 12])
def test_something_else_than_an_object_is_not_an_amount(document: object) -> None:
    with pytest.raises(InvalidValue):
        Amount.from_json(document)


@pytest.mark.parametrize("value", [-1, 2**64, True, 1.0, "1"])
def test_an_amount_cannot_be_made_of_anything_but_a_uint64(value: int) -> None:
    with pytest.raises(InvalidValue):
        Amount(value=value, asset_code="USD", asset_scale=2)


def test_amounts_are_equal_only_in_value_code_and_scale() -> None:
    money = Amount(value=1, asset_code="USD", asset_scale=2)

    assert money == Amount(value=1, asset_code="USD", asset_scale=2)
    assert money != Amount(value=1, asset_code="USD", asset_scale=9)
    assert money != Amount(value=1, asset_code="EUR", asset_scale=2)


@pytest.mark.parametrize(
    ("value", "scale", "text"),
    [(1250, 2, "12.50 USD"), (5, 2, "0.05 USD"), (7, 0, "7 USD"), (1, 9, "0.000000001 USD")],
)
def test_an_amount_reads_as_people_write_it(value: int, scale: int, text: str) -> None:
    assert str(Amount(value=value, asset_code="USD", asset_scale=scale)) == text
