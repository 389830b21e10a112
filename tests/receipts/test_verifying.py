"""What proves nothing is refused, with the reason; and a genuine receipt needs only the key set."""

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from backend.receipts.keys import read_key_set
from backend.receipts.verifying import LONGEST, SENTENCES, Flaw, NotGenuine, verify
from tests.receipts.forging import (
    CLAIMS,
    HEADER,
    ISSUER,
    KID,
    as_part,
    b64,
    public_jwk,
    signed,
    unb64,
)

KEY = Ed25519PrivateKey.generate()
OTHER_KEY = Ed25519PrivateKey.generate()
KEYS = read_key_set(json.dumps({"keys": [public_jwk(KEY)]}))
GENUINE = signed(KEY)
HEAD, BODY, SIGNATURE = GENUINE.split(".")


def flaw_of(text: str, **changes: Any) -> Flaw | None:
    try:
        verify(text, **{"keys": KEYS, "issuer": ISSUER, **changes})
    except NotGenuine as error:
        return error.flaw
    return None


def hs256(secret: bytes) -> str:
    """The classic: the public key, which everybody has, as the secret of an HMAC."""
    content = f"{as_part({**HEADER, 'alg': 'HS256'})}.{BODY}"
    return f"{content}.{b64(hmac.digest(secret, content.encode(), hashlib.sha256))}"


def with_header(**members: Any) -> str:
    return signed(KEY, header={**HEADER, **members})


def with_claims(**members: Any) -> str:
    return signed(KEY, claims={**CLAIMS, **members})


def without(name: str) -> str:
    return signed(KEY, claims={key: value for key, value in CLAIMS.items() if key != name})


def respelled(signature: str) -> str:
    """Another text that lenient decoders read as the same 64 bytes."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = signature[:-1] + alphabet[alphabet.index(signature[-1]) + 1]
    assert unb64(other) == unb64(signature)
    return other


def one_bit_off(signature: str, byte: int) -> str:
    raw = bytearray(unb64(signature))
    raw[byte] ^= 1
    return b64(bytes(raw))


def plus_the_groups_order(signature: str) -> str:
    """S + L: the other number that satisfies the equation, where nobody checks its range."""
    raw = unb64(signature)
    order = 2**252 + 27742317777372353535851937790883648493
    s = int.from_bytes(raw[32:], "little") + order
    return b64(raw[:32] + s.to_bytes(32, "little"))


RAW_KEY = KEY.public_key().public_bytes_raw()
PEM_KEY = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
ANOTHERS = public_jwk(OTHER_KEY)
FORGED: dict[str, tuple[Flaw, Callable[[], str]]] = {
    # --- changed
    "another amount": (
        Flaw.BAD_SIGNATURE,
        lambda: f"{HEAD}.{as_part({**CLAIMS, 'payment': {'deliveredAmount': '9'}})}.{SIGNATURE}",
    ),
    "another number": (
        Flaw.BAD_SIGNATURE,
        lambda: f"{HEAD}.{as_part({**CLAIMS, 'number': 'R-2026-0'})}.{SIGNATURE}",
    ),
    "the same claims in another order": (
        Flaw.BAD_SIGNATURE,
        lambda: f"{HEAD}.{as_part(dict(reversed(CLAIMS.items())))}.{SIGNATURE}",
    ),
    "the header in another order": (
        Flaw.BAD_SIGNATURE,
        lambda: f"{as_part(dict(reversed(HEADER.items())))}.{BODY}.{SIGNATURE}",
    ),
    "first bit of the signature": (
        Flaw.BAD_SIGNATURE,
        lambda: f"{HEAD}.{BODY}.{one_bit_off(SIGNATURE, 0)}",
    ),
    "last bit of the signature": (
        Flaw.BAD_SIGNATURE,
        lambda: f"{HEAD}.{BODY}.{one_bit_off(SIGNATURE, 63)}",
    ),
    "the signature spelled otherwise": (
        Flaw.NOT_A_RECEIPT,
        lambda: f"{HEAD}.{BODY}.{respelled(SIGNATURE)}",
    ),
    "the signature's other solution": (
        Flaw.BAD_SIGNATURE,
        lambda: f"{HEAD}.{BODY}.{plus_the_groups_order(SIGNATURE)}",
    ),
    "a signature of zeros": (Flaw.BAD_SIGNATURE, lambda: f"{HEAD}.{BODY}.{b64(bytes(64))}"),
    "half a signature": (Flaw.BAD_SIGNATURE, lambda: f"{HEAD}.{BODY}.{SIGNATURE[:40]}"),
    "no signature": (Flaw.BAD_SIGNATURE, lambda: f"{HEAD}.{BODY}."),
    "the signature of another receipt": (
        Flaw.BAD_SIGNATURE,
        lambda: f"{HEAD}.{BODY}.{with_claims(number='R-2026-1').rpartition('.')[2]}",
    ),
    # --- signed by somebody else
    "another key under our key's name": (Flaw.BAD_SIGNATURE, lambda: signed(OTHER_KEY)),
    "another key under its own name": (
        Flaw.UNKNOWN_KEY,
        lambda: signed(OTHER_KEY, header={**HEADER, "kid": "theirs"}),
    ),
    "a key that the header brings along": (
        Flaw.NOT_A_RECEIPT,
        lambda: signed(OTHER_KEY, header={**HEADER, "jwk": ANOTHERS}),
    ),
    "a key set that the header points to": (
        Flaw.NOT_A_RECEIPT,
        lambda: signed(OTHER_KEY, header={**HEADER, "jku": "https://evil.example/jwks.json"}),
    ),
    # --- another algorithm
    "alg none without a signature": (
        Flaw.WRONG_ALGORITHM,
        lambda: f"{as_part({**HEADER, 'alg': 'none'})}.{BODY}.",
    ),
    "alg None in capitals": (
        Flaw.WRONG_ALGORITHM,
        lambda: f"{as_part({**HEADER, 'alg': 'NONE'})}.{BODY}.{SIGNATURE}",
    ),
    "alg HS256 with the raw public key": (Flaw.WRONG_ALGORITHM, lambda: hs256(RAW_KEY)),
    "alg HS256 with the PEM of the public key": (Flaw.WRONG_ALGORITHM, lambda: hs256(PEM_KEY)),
    "alg ES256": (Flaw.WRONG_ALGORITHM, lambda: with_header(alg="ES256")),
    "alg as a list": (Flaw.WRONG_ALGORITHM, lambda: with_header(alg=["EdDSA"])),
    "no alg": (
        Flaw.WRONG_ALGORITHM,
        lambda: signed(KEY, header={"kid": KID, "typ": "receipt+jwt"}),
    ),
    # --- signed by our key, and no receipt
    "another type of token": (Flaw.NOT_A_RECEIPT, lambda: with_header(typ="JWT")),
    "no type": (Flaw.NOT_A_RECEIPT, lambda: signed(KEY, header={"alg": "EdDSA", "kid": KID})),
    "critical extensions": (Flaw.NOT_A_RECEIPT, lambda: with_header(crit=["exp"], exp=1)),
    "a payload that is not encoded": (
        Flaw.NOT_A_RECEIPT,
        lambda: with_header(b64=False, crit=["b64"]),
    ),
    "no key id": (
        Flaw.NOT_A_RECEIPT,
        lambda: signed(KEY, header={"alg": "EdDSA", "typ": "receipt+jwt"}),
    ),
    "a key id that is a number": (Flaw.NOT_A_RECEIPT, lambda: with_header(kid=2026)),
    "claims that are a list": (Flaw.NOT_A_RECEIPT, lambda: signed(KEY, claims=[CLAIMS])),
    "claims that are no JSON": (Flaw.NOT_A_RECEIPT, lambda: signed(KEY, claims=b"{")),
    "claims that are no text": (Flaw.NOT_A_RECEIPT, lambda: signed(KEY, claims=b"\xff\xfe")),
    "no issuer": (Flaw.NOT_A_RECEIPT, lambda: without("iss")),
    "no date": (Flaw.NOT_A_RECEIPT, lambda: without("iat")),
    "another issuer": (Flaw.WRONG_ISSUER, lambda: with_claims(iss="https://evil.example")),
    "the issuer with a slash": (Flaw.WRONG_ISSUER, lambda: with_claims(iss=f"{ISSUER}/")),
    "several issuers": (
        Flaw.WRONG_ISSUER,
        lambda: with_claims(iss=[ISSUER, "https://evil.example"]),
    ),
    "a later version": (Flaw.UNKNOWN_VERSION, lambda: with_claims(v=2)),
    "no version": (Flaw.UNKNOWN_VERSION, lambda: without("v")),
    # --- not even the form of one
    "nothing": (Flaw.NOT_A_RECEIPT, lambda: ""),
    "two parts": (Flaw.NOT_A_RECEIPT, lambda: f"{HEAD}.{BODY}"),
    "four parts": (Flaw.NOT_A_RECEIPT, lambda: f"{GENUINE}.{SIGNATURE}"),
    "padding": (Flaw.NOT_A_RECEIPT, lambda: f"{GENUINE}=="),
    "a line break within": (
        Flaw.NOT_A_RECEIPT,
        lambda: f"{HEAD}.{BODY}.{SIGNATURE[:9]}\n{SIGNATURE[9:]}",
    ),
    "a line break behind": (Flaw.NOT_A_RECEIPT, lambda: f"{GENUINE}\n"),
    "letters that are not ASCII": (Flaw.NOT_A_RECEIPT, lambda: GENUINE.replace("e", "е")),
    "a JWS as JSON": (
        Flaw.NOT_A_RECEIPT,
        lambda: json.dumps({"protected": HEAD, "payload": BODY, "signature": SIGNATURE}),
    ),
    "a header that is no JSON": (Flaw.NOT_A_RECEIPT, lambda: f"{as_part(b'{')}.{BODY}.{SIGNATURE}"),
    "a header that is a list": (Flaw.NOT_A_RECEIPT, lambda: f"{as_part([1])}.{BODY}.{SIGNATURE}"),
    "a header nested without end": (
        Flaw.NOT_A_RECEIPT,
        lambda: f"{as_part(b'[' * 30_000)}.{BODY}.{SIGNATURE}",
    ),
    "claims nested without end": (
        Flaw.NOT_A_RECEIPT,
        lambda: signed(KEY, claims=b"[" * 30_000),
    ),
    "a book": (Flaw.NOT_A_RECEIPT, lambda: f"{HEAD}.{'A' * LONGEST}.{SIGNATURE}"),
}


def test_a_genuine_receipt_says_what_was_signed() -> None:
    assert verify(GENUINE, keys=KEYS, issuer=ISSUER) == CLAIMS


def test_a_receipt_from_a_clock_that_is_ahead_is_genuine() -> None:
    assert flaw_of(with_claims(iat=2**40)) is None


@pytest.mark.parametrize("name", FORGED)
def test_what_proves_nothing_is_refused_with_the_reason(name: str) -> None:
    flaw, forge = FORGED[name]

    assert flaw_of(forge()) is flaw


def test_no_letter_of_a_receipt_can_be_changed() -> None:
    for index, letter in enumerate(GENUINE):
        other = "A" if letter != "A" else "B"
        assert flaw_of(f"{GENUINE[:index]}{other}{GENUINE[index + 1 :]}"), index


def test_a_key_of_another_installation_is_unknown() -> None:
    theirs = read_key_set(json.dumps({"keys": [public_jwk(OTHER_KEY, "theirs")]}))

    assert flaw_of(GENUINE, keys=theirs) is Flaw.UNKNOWN_KEY
    assert flaw_of(GENUINE, keys={}) is Flaw.UNKNOWN_KEY


def test_every_flaw_has_its_sentence() -> None:
    assert SENTENCES.keys() == set(Flaw)
