"""Ids as clients send them back."""

import pytest

from backend.ids import global_id, new_id, read_global_id


@pytest.mark.parametrize("type_name", ["Job", "Payment", "Wallet", "Application"])
def test_an_id_is_read_without_its_padding_too(type_name: str) -> None:
    key = new_id()
    told = global_id(type_name, key)

    assert read_global_id(told) == (type_name, key)
    assert read_global_id(told.rstrip("=")) == (type_name, key)


@pytest.mark.parametrize("text", ["", "=", "J", "Sm9iOjE=", "Sm9iOjE", "a b", "é", "PAYMENT_ID"])
def test_anything_else_is_no_id(text: str) -> None:
    assert read_global_id(text) is None
