import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.open_payments import InvalidValue, JsonWebKey, JsonWebKeySet, WalletAddress, documents
from tests.open_payments.samples import SIGNER, USD_25, wallet_address

HOSTILE = {
    "nothing": b"",
    "plain text": b"Internal Server Error",
    "HTML": b"<html><body>502</body></html>",
    "NaN": b'{"a":NaN}',
    "infinity": b'{"a":-Infinity}',
    "a float beyond all bounds": b'{"a":1e999}',
    "a number of 5000 digits": b'{"a":' + b"9" * 5000 + b"}",
    "nested 100000 deep": b"[" * 100_000 + b"]" * 100_000,
    "a key twice": b'{"value":"1","value":"1000000"}',
    "a key twice by escapes": b'{"value":"1","\\u0076alue":"2"}',
    "latin-1": '{"a":"ñ"}'.encode("latin-1"),
    "UTF-16": '{"a":"b"}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "a lone surrogate": b'{"a":"\\ud800"}',
    "an escaped NUL": b'{"a":"b\\u0000c"}',
    "cut short": b'{"a":"b',
    "two documents": b"{}{}",
    "trailing comma": b'{"a":1,}',
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_read_json_refuses_what_parsers_read_differently(body: bytes) -> None:
    with pytest.raises(InvalidValue):
        documents.read_json(body)


@given(body=st.binary(max_size=200))
def test_read_json_answers_any_bytes_with_a_document_or_a_refusal(body: bytes) -> None:
    try:
        documents.read_json(body)
    except InvalidValue:
        return


def test_read_json_keeps_escaped_text() -> None:
    assert documents.read_json(b'{"a":"\\u00f1 \\\\u0000 \\ud83d\\ude00"}') == {"a": "ñ \\u0000 😀"}


def test_write_json_is_compact_and_unescaped() -> None:
    document = {"a": "Diseño €/\u2028\x7f\x1f", "b": [1, True, None], "c": {}}

    written = documents.write_json(document)

    assert written == '{"a":"Diseño €/\u2028\x7f\\u001f","b":[1,true,null],"c":{}}'.encode()


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        [1.0],
        float("nan"),
        2**53,
        -(2**53),
        {"1": "a"},
        {"0": 1},
        {1: "a"},
        "\ud800",
        b"x",
        {"x"},
    ],
)
def test_write_json_refuses_what_javascript_would_write_differently(value: object) -> None:
    with pytest.raises(InvalidValue):
        documents.write_json({"metadata": {"value": value}})


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-06-01T12:00:00Z", datetime(2026, 6, 1, 12, tzinfo=UTC)),
        ("2026-06-01t12:00:00z", datetime(2026, 6, 1, 12, tzinfo=UTC)),
        ("2026-06-01T12:00:00.123Z", datetime(2026, 6, 1, 12, 0, 0, 123000, tzinfo=UTC)),
        ("2026-06-01T12:00:00.123456789Z", datetime(2026, 6, 1, 12, 0, 0, 123456, tzinfo=UTC)),
        ("2026-06-01T06:00:00-06:00", datetime(2026, 6, 1, 12, tzinfo=UTC)),
        ("2026-06-01T12:00:00", datetime(2026, 6, 1, 12, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_as_utc(written: str, read: datetime) -> None:
    assert documents.read_instant(written) == read


@pytest.mark.parametrize(
    "written",
    [
        "",
        "2026-06-01",
        "20260601T120000Z",
        "2026-13-01T00:00:00Z",
        "2026-06-01T25:00:00Z",
        "2026-W01-1T00:00:00Z",
        "tomorrow",
        1780000000,
        "0001-01-01T00:00:00+23:59",
    ],
)
def test_something_else_than_a_date_and_time_is_refused(written: object) -> None:
    with pytest.raises(InvalidValue):
        documents.read_instant(written)


def test_an_instant_without_time_zone_is_not_sent() -> None:
    with pytest.raises(InvalidValue):
        documents.write_instant(datetime(2026, 6, 1))


def test_an_instant_is_written_as_javascript_writes_it() -> None:
    whole = datetime(2026, 6, 1, 12, tzinfo=UTC)

    assert documents.write_instant(whole) == "2026-06-01T12:00:00Z"
    assert documents.write_instant(whole.replace(microsecond=5000)) == "2026-06-01T12:00:00.005Z"


def test_a_wallet_counts_in_its_own_asset() -> None:
    wallet = WalletAddress.from_json(wallet_address())

    assert wallet.amount(2500) == USD_25


def test_a_wallet_address_ignores_fields_it_does_not_know() -> None:
    document = wallet_address(cardService="https://x.example", publicName=None)

    assert WalletAddress.from_json(document).public_name is None


@pytest.mark.parametrize("name", ["id", "assetCode", "assetScale", "authServer", "resourceServer"])
@pytest.mark.parametrize("value", [None, "", 7.5, [], "javascript:alert(1)\n"])
def test_a_wallet_address_lacking_or_twisting_a_field_is_refused(name: str, value: object) -> None:
    with pytest.raises(InvalidValue):
        WalletAddress.from_json(wallet_address() | {name: value})


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/",
        "//a.example/",
        "https://",
        "https://u@a.example",
        "https://a.example/#f",
        "https://a.example:99999/",
        "https://a.example\\@b.example",
        "https://a.example/ b",
        "x" * 9,
        "https://a.example/" + "x" * 2048,
        "https://a.example/ñ",
        "file:///etc/passwd",
    ],
)
def test_an_odd_server_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidValue):
        WalletAddress.from_json(wallet_address(authServer=url))


def test_a_key_set_leaves_out_keys_of_other_kinds() -> None:
    ours = SIGNER.public_jwk()
    rsa = {"kid": "rsa", "kty": "RSA", "alg": "RS256", "n": "AQAB", "e": "AQAB"}

    keys = JsonWebKeySet.from_json({"keys": [rsa, ours.to_json(), {}, 3]})

    assert keys.keys == (ours,)
    assert keys.get("test-key-1") == ours
    assert keys.get("rsa") is None


@pytest.mark.parametrize("keys", [None, {}, "keys", [SIGNER.public_jwk().to_json()] * 101])
def test_a_key_set_that_is_no_list_or_endless_is_refused(keys: object) -> None:
    with pytest.raises(InvalidValue):
        JsonWebKeySet.from_json({"keys": keys})


def test_a_key_set_with_two_keys_of_one_id_names_neither() -> None:
    ours = SIGNER.public_jwk()
    other = JsonWebKey(kid=ours.kid, x="11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")

    assert JsonWebKeySet(keys=(ours, other)).get(ours.kid) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kty", "EC"),
        ("crv", "X25519"),
        ("alg", None),
        ("alg", "RS256"),
        ("x", "A" * 42),
        ("x", "A" * 42 + "B"),
        ("x", "+" * 43),
        ("kid", ""),
        ("kid", 'a"b'),
        ("kid", "a;b"),
    ],
)
def test_a_key_that_is_not_plain_ed25519_is_refused(name: str, value: object) -> None:
    with pytest.raises(InvalidValue):
        JsonWebKey.from_json(SIGNER.public_jwk().to_json() | {name: value})


def test_a_key_set_is_written_as_wallets_publish_it() -> None:
    document = JsonWebKeySet(keys=(SIGNER.public_jwk(),)).to_json()

    assert json.loads(json.dumps(document)) == {
        "keys": [
            {
                "kid": "test-key-1",
                "alg": "EdDSA",
                "kty": "OKP",
                "crv": "Ed25519",
                "x": "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg",
            }
        ]
    }
