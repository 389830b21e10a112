"""Keys: the one that signs, those that are published, and what a server refuses to start with."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.exceptions import ImproperlyConfigured
from pytest_django.fixtures import Settings

from backend import checks
from backend.receipts.checks import check_receipt_keys
from backend.receipts.keys import (
    published_keys,
    read_key_set,
    signing_key,
    thumbprint,
    write_key_set,
)
from tests.receipts.forging import as_pem, b64, public_jwk, unb64

KEY, OLD, OLDER = (Ed25519PrivateKey.generate() for _ in range(3))


def a_set(*jwks: dict[str, Any]) -> str:
    return json.dumps({"keys": jwks})


@pytest.fixture(autouse=True)
def _production(settings: Settings) -> None:
    settings.RECEIPT_PRIVATE_KEY = as_pem(KEY)
    settings.RECEIPT_KEY_ID = "new"
    settings.RECEIPT_RETIRED_KEYS = ""
    settings.RECEIPT_DEVELOPMENT_KEY_PATH = None


def mistakes() -> list[str]:
    return [str(each.id) for each in check_receipt_keys(None)]


def test_the_key_in_use_is_published_first_and_the_retired_ones_after_it(
    settings: Settings,
) -> None:
    settings.RECEIPT_RETIRED_KEYS = a_set(public_jwk(OLD, "old"), public_jwk(OLDER, "older"))

    published = write_key_set(published_keys())["keys"]

    assert [(each["kid"], each["x"]) for each in published] == [
        (kid, b64(key.public_key().public_bytes_raw()))
        for kid, key in (("new", KEY), ("old", OLD), ("older", OLDER))
    ]
    assert all(each["alg"] == "EdDSA" and each["use"] == "sig" for each in published)


def test_what_is_published_can_be_named_as_retired(settings: Settings) -> None:
    # That is how a key is changed: save the answer, then put the new key in place.
    saved = json.dumps(write_key_set(published_keys()))
    settings.RECEIPT_RETIRED_KEYS = saved
    assert mistakes() == []

    settings.RECEIPT_PRIVATE_KEY, settings.RECEIPT_KEY_ID = as_pem(OLD), "newest"

    assert list(published_keys()) == ["newest", "new"]


def test_no_private_half_is_published(settings: Settings) -> None:
    assert all(
        each.keys() == {"kid", "kty", "crv", "alg", "use", "x"}
        for each in write_key_set(published_keys())["keys"]
    )
    assert "PRIVATE" not in repr(signing_key())
    assert b64(KEY.private_bytes_raw()) not in repr(signing_key())


def test_a_key_without_a_name_is_named_by_its_thumbprint(settings: Settings) -> None:
    settings.RECEIPT_KEY_ID = ""

    assert signing_key().kid == thumbprint(KEY.public_key())


def test_the_thumbprint_is_that_of_the_rfc() -> None:
    # RFC 8037, appendix A.3.
    jwk = {
        "kid": "rfc",
        "kty": "OKP",
        "crv": "Ed25519",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    }

    (key,) = read_key_set(a_set(jwk)).values()

    assert thumbprint(key) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


# --- development --------------------------------------------------------------------------------


def test_a_developers_machine_makes_a_key_once_for_all_processes(
    settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "var" / "receipt-key.pem"
    settings.RECEIPT_PRIVATE_KEY = settings.RECEIPT_KEY_ID = ""
    settings.RECEIPT_DEVELOPMENT_KEY_PATH = path

    with ThreadPoolExecutor(16) as pool:
        found = {key.kid for key in pool.map(lambda _: signing_key(), range(64))}

    assert len(found) == 1
    assert path.stat().st_mode & 0o077 == 0, "nobody else on the machine reads it"
    assert [*path.parent.iterdir()] == [path]
    assert mistakes() == []


def test_a_key_in_the_settings_wins_over_that_of_development(
    settings: Settings, tmp_path: Path
) -> None:
    settings.RECEIPT_DEVELOPMENT_KEY_PATH = tmp_path / "receipt-key.pem"

    assert signing_key().kid == "new"
    assert not settings.RECEIPT_DEVELOPMENT_KEY_PATH.exists()


# --- mistakes -----------------------------------------------------------------------------------


def test_a_production_server_without_a_key_does_not_start(settings: Settings) -> None:
    settings.RECEIPT_PRIVATE_KEY = ""

    assert mistakes() == ["faena.E030"]
    with pytest.raises(ImproperlyConfigured, match=r"faena\.E030"):
        checks.refuse_unsafe_settings()


PRIVATE_JWK = {**public_jwk(OLD, "old"), "d": b64(OLD.private_bytes_raw())}


@pytest.mark.parametrize(
    "changes",
    [
        {"RECEIPT_PRIVATE_KEY": "hunter2"},
        {"RECEIPT_PRIVATE_KEY": "no ASCII: ñ"},
        {"RECEIPT_PRIVATE_KEY": as_pem(Ed448PrivateKey.generate())},
        {"RECEIPT_KEY_ID": "two words"},
        {"RECEIPT_KEY_ID": "ñ"},
        {"RECEIPT_RETIRED_KEYS": "hunter2"},
        {"RECEIPT_RETIRED_KEYS": "[]"},
        {"RECEIPT_RETIRED_KEYS": '{"keys": {}, "more": 1'},
        {"RECEIPT_RETIRED_KEYS": '{"keys": 1}'},
        {"RECEIPT_RETIRED_KEYS": a_set(PRIVATE_JWK)},
        {"RECEIPT_RETIRED_KEYS": a_set({**public_jwk(OLD), "kid": 7})},
        {"RECEIPT_RETIRED_KEYS": a_set({**public_jwk(OLD), "kty": "EC"})},
        {"RECEIPT_RETIRED_KEYS": a_set({**public_jwk(OLD), "crv": "X25519"})},
        {"RECEIPT_RETIRED_KEYS": a_set({**public_jwk(OLD), "x": "short"})},
        {"RECEIPT_RETIRED_KEYS": a_set({"kty": "OKP", "crv": "Ed25519", "x": "A" * 43})},
        {"RECEIPT_RETIRED_KEYS": a_set(public_jwk(OLD, "old"), public_jwk(OLDER, "old"))},
        {"RECEIPT_RETIRED_KEYS": a_set(public_jwk(OLD, "new"))},
    ],
)
def test_a_key_that_does_not_work_is_a_mistake_that_repeats_no_secret(
    settings: Settings, changes: dict[str, str]
) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)

    assert mistakes() == ["faena.E031"]
    (mistake,) = check_receipt_keys(None)
    assert "hunter2" not in f"{mistake.msg}{mistake.hint}"
    assert PRIVATE_JWK["d"] not in f"{mistake.msg}{mistake.hint}"


def test_keys_are_32_bytes_in_one_spelling() -> None:
    x = public_jwk(KEY)["x"]
    respelled = x[:-1] + chr(ord(x[-1]) + 1)

    assert len(unb64(x)) == 32
    with pytest.raises(ValueError):
        read_key_set(a_set({**public_jwk(KEY), "x": respelled}))
