from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.open_payments import HashMismatch, InvalidValue, finish_hash, new_nonce
from backend.open_payments import verify_finish_hash as verify

RFC: dict[str, Any] = {
    "client_nonce": "VJLO6A4CATR0KRO",
    "interact_nonce": "MBDOFXG4Y5CVJCX821LH",
    "interact_ref": "4IFWWIKYB2PQ6U56NL1",
    "grant_endpoint": "https://server.example.com/tx",
}
BASE: dict[str, Any] = {
    "client_nonce": "LKLTI25DK82FX4T4QFZC",
    "interact_nonce": "9A5C1B7D0E3F2468",
    "interact_ref": "ad82597c-bbfa-4eb0-b72e-328e005b8689",
}
TENANT = "https://auth.wallet.example/cf5fd7d3-1eb1-4041-8e43-ba45747e9e5d"
VECTORS: list[tuple[dict[str, Any], str]] = [
    (RFC, "x+gguKWTj8rQf7d7i3w3UhzvuJ5bpOlKyAlVpLxBffY="),
    (BASE | {"grant_endpoint": TENANT}, "/tt+XBtVxeHBBtKJovChqYbSoyZnSaLzqRWTcn501Yg="),
    (
        BASE | {"grant_endpoint": "https://auth.wallet.example/"},
        "QpE0ZkPCh3HLHQjASxzyWAJM+nujGUnMKq5vNjSlhZk=",
    ),
    (
        BASE | {"grant_endpoint": "https://auth.wallet.example"},
        "N8UIsQ0HsDdURn5WPnuPWvcz6vlWtxJItG/NjxG3YZA=",
    ),
]


def url_safe(standard: str) -> str:
    return standard.translate(str.maketrans("+/", "-_")).rstrip("=")


@pytest.mark.parametrize(("parts", "standard"), VECTORS)
def test_the_finish_hash_equals_the_published_ones(parts: dict[str, Any], standard: str) -> None:
    assert finish_hash(**parts, url_safe=False) == standard
    assert finish_hash(**parts) == url_safe(standard)


@pytest.mark.parametrize(("parts", "standard"), VECTORS)
def test_a_hash_is_accepted_in_every_spelling(parts: dict[str, Any], standard: str) -> None:
    verify(standard, **parts)
    verify(standard.rstrip("="), **parts)
    verify(standard.replace("+", " "), **parts)
    verify(url_safe(standard), **parts)
    verify(url_safe(standard) + "=", **parts)


def test_a_trailing_slash_of_the_grant_endpoint_does_not_matter() -> None:
    with_slash, without = VECTORS[2][1], VECTORS[3][1]

    verify(with_slash, **BASE, grant_endpoint="https://auth.wallet.example")
    verify(without, **BASE, grant_endpoint="https://auth.wallet.example/")


@pytest.mark.parametrize("part", RFC)
def test_a_hash_over_another_value_is_refused(part: str) -> None:
    with pytest.raises(HashMismatch):
        verify(VECTORS[0][1], **(RFC | {part: RFC[part] + "X"}))


def test_a_hash_made_by_another_authorization_server_is_refused() -> None:
    forged = finish_hash(**(RFC | {"grant_endpoint": "https://evil.example/tx"}))

    with pytest.raises(HashMismatch):
        verify(forged, **RFC)


@given(received=st.text(max_size=60))
def test_any_other_text_is_refused_as_a_mismatch(received: str) -> None:
    with pytest.raises(HashMismatch):
        verify(received, **RFC)


@pytest.mark.parametrize("interact_ref", ["", "a\nb", "ñ", "x" * 3000, "\x00"])
def test_an_interact_ref_that_cannot_be_hashed_is_refused(interact_ref: str) -> None:
    with pytest.raises(HashMismatch):
        verify(VECTORS[0][1], **(RFC | {"interact_ref": interact_ref}))
    with pytest.raises(InvalidValue):
        finish_hash(**(RFC | {"interact_ref": interact_ref}))


def test_nonces_carry_256_random_bits() -> None:
    assert new_nonce(lambda size: b"\xff" * size) == "_" * 42 + "8"
    assert len({new_nonce() for _ in range(100)}) == 100
