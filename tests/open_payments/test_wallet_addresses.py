import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.open_payments import (
    InvalidWalletAddress,
    normalise_wallet_address,
    same_wallet_address,
    urls,
)

DEV = frozenset({"http://localhost:3001", "http://127.0.0.1:4000", "https://wallet.test:8443"})


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("$wallet.example/alice", "https://wallet.example/alice"),
        ("  $wallet.example/alice\n", "https://wallet.example/alice"),
        ("wallet.example/alice", "https://wallet.example/alice"),
        ("https://wallet.example/alice", "https://wallet.example/alice"),
        ("HTTPS://Wallet.EXAMPLE/Alice", "https://wallet.example/Alice"),
        ("https://wallet.example/alice/", "https://wallet.example/alice"),
        ("https://wallet.example:443/alice", "https://wallet.example/alice"),
        ("$wallet.example", "https://wallet.example/.well-known/pay"),
        ("https://wallet.example/", "https://wallet.example/.well-known/pay"),
        ("wallet.example", "https://wallet.example/.well-known/pay"),
        ("https://xn--bcher-kva.example/a", "https://xn--bcher-kva.example/a"),
        ("$wallet.example/usd/alice%20b", "https://wallet.example/usd/alice%20b"),
    ],
)
def test_every_spelling_of_a_wallet_address_becomes_its_url(typed: str, url: str) -> None:
    assert normalise_wallet_address(typed) == url
    assert normalise_wallet_address(url) == url


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "$",
        "https://",
        "alice",
        "$alice",
        "/alice",
        "x" * 3000,
        "http://wallet.example/alice",
        "ftp://wallet.example/a",
        "javascript:alert(1)",
        "https://user:pw@wallet.example/a",
        "$a@wallet.example",
        "https://wallet.example@evil.example",
        "https://wallet.example:8443/a",
        "https://wallet.example/a?b=c",
        "https://wallet.example/a#b",
        "https://127.0.0.1/a",
        "https://[::1]/a",
        "https://2130706433/",
        "https://0x7f.1/a",
        "https://10.0.0.0x1/a",
        "https://1.2.3.4./a",
        "https://wallet.example./a",
        "http://localhost",
        "https://localhost/a",
        "https://bücher.example/a",
        "https://wallet。example/a",
        "https://wallet.example\\@evil.example/a",
        "https:/wallet.example/a",
        "https://-a.example/",
        "https://a_b.example/a",
        "https://wallet..example/a",
        "https://wallet.example/a b",
        "https://wallet.example//a",
        "https://wallet.example/../a",
        "https://wallet.example/%2e%2e/a",
        "https://wallet.example/%zz",
        'https://wallet.example/"',
        "$https://wallet.example/a",
        "https://" + "a" * 64 + ".example/",
        "https://wal\x00let.example/",
        "$$wallet.example",
    ],
)
def test_what_is_not_a_public_wallet_address_is_refused_with_a_sentence(typed: str) -> None:
    with pytest.raises(InvalidWalletAddress) as refusal:
        normalise_wallet_address(typed, DEV)

    assert str(refusal.value).endswith(".")


def test_the_refusal_of_a_long_text_names_the_limit() -> None:
    with pytest.raises(InvalidWalletAddress, match=f"1 to {urls.MAX_LENGTH} characters"):
        normalise_wallet_address("x" * (urls.MAX_LENGTH + 1))


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("http://localhost:3001/alice", "http://localhost:3001/alice"),
        ("$localhost:3001/alice", "http://localhost:3001/alice"),
        ("http://127.0.0.1:4000", "http://127.0.0.1:4000/.well-known/pay"),
        ("https://wallet.test:8443/a", "https://wallet.test:8443/a"),
    ],
)
def test_development_origins_are_accepted_exactly(typed: str, url: str) -> None:
    assert normalise_wallet_address(typed, DEV) == url


@pytest.mark.parametrize(
    "typed", ["http://localhost:3002/a", "https://localhost:3001/a", "http://wallet.test:8443/a"]
)
def test_an_origin_next_to_a_development_origin_is_refused(typed: str) -> None:
    with pytest.raises(InvalidWalletAddress):
        normalise_wallet_address(typed, DEV)


@given(typed=st.text(max_size=80))
def test_any_text_becomes_a_plain_https_url_or_a_refusal(typed: str) -> None:
    try:
        url = normalise_wallet_address(typed)
    except InvalidWalletAddress:
        return

    assert url.startswith("https://")
    assert normalise_wallet_address(url) == url


@pytest.mark.parametrize(
    ("asked", "returned", "same"),
    [
        ("https://w.example/alice", "https://w.example/alice", True),
        ("https://w.example/Alice", "https://W.example/alice/", True),
        ("https://w.example/.well-known/pay", "https://w.example", True),
        ("http://w.example/alice", "https://w.example/alice", True),
        ("https://w.example/alice", "http://w.example/alice", False),
        ("https://w.example/alice", "https://w.example/bob", False),
        ("https://w.example/alice", "https://v.example/alice", False),
        ("https://w.example/alice", "https://w.example:8443/alice", False),
        ("https://w.example/alice", "https://w.example/alice?x", False),
        ("https://w.example/alice", "alice", False),
    ],
)
def test_the_returned_id_must_name_the_asked_wallet(asked: str, returned: str, same: bool) -> None:
    assert same_wallet_address(asked, returned) is same
