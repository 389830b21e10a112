"""The signer against the published vectors, the verifier against tampering, both against
`http-message-signatures`, an implementation of RFC 9421 that shares no code with ours."""

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, MappingKeyResolver
from http_message_signatures.algorithms import ED25519
from hypothesis import given
from hypothesis import strategies as st

from backend.open_payments import (
    Ed25519Signer,
    InvalidValue,
    SignatureInvalid,
    VerifiedSignature,
    sign_request,
    verify_request,
)
from backend.open_payments.wire import target_uri
from tests.open_payments.samples import SIGNER

CREATED = datetime.fromtimestamp(1_700_000_000, UTC)
VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())
URL = "https://wallet.example/op/outgoing-payments?first=10"
BODY = '{"metadata":{"description":"Diseño ñ €"}}'.encode()
TOKEN = "GNAP OS9M2PMHKUR64TB8N6BW"
PUBLIC_KEY = SIGNER.public_jwk().public_key()

Headers = list[tuple[str, str]]


def our_key(key_id: str) -> Ed25519PublicKey | None:
    return PUBLIC_KEY if key_id == SIGNER.key_id else None


def signed(body: bytes | None = BODY, *, method: str = "POST", url: str = URL) -> dict[str, str]:
    return sign_request(
        method=method,
        url=url,
        headers={"Authorization": TOKEN},
        body=body,
        signer=SIGNER,
        created=CREATED,
    )


def verify(headers: Any, **changes: Any) -> VerifiedSignature:
    request: dict[str, Any] = {
        "method": "POST",
        "target_uri": URL,
        "body": BODY,
        "key_for": our_key,
        "now": CREATED,
        "max_age_seconds": 300,
    }
    return verify_request(headers=headers, **(request | changes))


def sign_by_hand(
    components: str,
    parameters: str = ';keyid="test-key-1";created=1700000000',
    *,
    written: str | None = None,
    **extra: str,
) -> dict[str, str]:
    """Sign whatever is asked for, as a foreign or hostile client might.

    `written` is how Signature-Input spells the canonical `components` and `parameters`.
    """
    digest = base64.b64encode(hashlib.sha512(BODY).digest()).decode()
    headers = {"authorization": TOKEN, "content-digest": f"sha-512=:{digest}:"} | extra
    values = {"@method": "POST", "@target-uri": URL} | headers
    names = [name.strip('"') for name in components.split()]
    lines = [f'"{name}": {values[name]}' for name in names]
    lines.append(f'"@signature-params": ({components}){parameters}')
    signature = base64.b64encode(SIGNER.sign("\n".join(lines).encode())).decode()
    return headers | {
        "signature-input": written or f"sig1=({components}){parameters}",
        "signature": f"sig1=:{signature}:",
    }


ALL = '"@method" "@target-uri" "authorization" "content-digest"'
KEY = ';keyid="test-key-1"'


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"][:1])
def test_signed_requests_are_byte_identical_with_the_official_client(vector: Any) -> None:
    given_headers = {k: v for k, v in vector["headers"].items() if k == "Authorization"}
    body = None if vector["body"] is None else vector["body"].encode()

    headers = sign_request(
        method=vector["method"],
        url=vector["url"],
        headers=given_headers,
        body=body,
        signer=SIGNER,
        created=CREATED,
    )

    assert headers == vector["headers"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"][:1])
def test_requests_of_the_official_client_are_accepted(vector: Any) -> None:
    verified = verify(
        vector["headers"],
        method=vector["method"],
        target_uri=vector["url"],
        body=(vector["body"] or "").encode(),
    )

    assert verified.key_id == "test-key-1"
    assert verified.created == CREATED


urls = st.builds(
    lambda path, query: f"https://wallet.example/{quote(path)}?q={quote(query, safe='')}",
    st.text(max_size=20).filter(lambda text: text.isprintable()),
    st.text(max_size=20).filter(lambda text: text.isprintable()),
)
bodies = st.none() | st.binary(min_size=1, max_size=300)
methods = st.sampled_from(["GET", "POST", "DELETE"])


@given(method=methods, url=urls, body=bodies)
def test_an_independent_verifier_accepts_what_we_sign(
    method: str, url: str, body: bytes | None
) -> None:
    request = httpx.Request(method, url, content=body)
    headers = signed(body, method=method, url=target_uri(request))
    request.headers.update(headers)
    verifier = HTTPMessageVerifier(
        signature_algorithm=ED25519,
        key_resolver=MappingKeyResolver(public_keys={SIGNER.key_id: PUBLIC_KEY}, private_keys={}),
    )
    needed = ["@method", "@target-uri", "authorization"]

    (result,) = verifier.verify(
        request,
        max_age=timedelta(days=365 * 100),
        require_components=needed + (["content-digest"] if body else []),
        body=body or b"",
    )

    assert result.label == "sig1"
    assert result.parameters["keyid"] == SIGNER.key_id


@given(method=methods, url=urls, body=bodies)
def test_we_accept_what_an_independent_signer_signs(
    method: str, url: str, body: bytes | None
) -> None:
    signer = Ed25519Signer.generate("theirs")
    request = httpx.Request(method, url, content=body, headers={"Authorization": TOKEN})
    HTTPMessageSigner(
        signature_algorithm=ED25519,
        key_resolver=MappingKeyResolver(
            public_keys={}, private_keys={"theirs": signer.to_pem().encode()}
        ),
    ).sign(
        request,
        key_id="theirs",
        label="sig1",
        created=CREATED,
        covered_component_ids=["@target-uri", "authorization", "@method"]
        + (["content-digest"] if body else []),
        body=body,
    )

    verified = verify_request(
        method=method,
        target_uri=target_uri(request),
        headers=request.headers.multi_items(),
        body=body or b"",
        key_for=lambda key_id: signer.public_jwk().public_key(),
        now=CREATED,
        max_age_seconds=0,
    )

    assert verified.key_id == "theirs"


FOREIGN = {
    "created first": sign_by_hand(ALL, ';created=1700000000;keyid="test-key-1"'),
    "alg ed25519": sign_by_hand(ALL, f'{KEY};created=1700000000;alg="ed25519"'),
    "GNAP's tag": sign_by_hand(ALL, f'{KEY};created=1700000000;tag="gnap"'),
    "a nonce": sign_by_hand(ALL, f'{KEY};created=1700000000;nonce="abc"'),
    "expires later": sign_by_hand(ALL, f"{KEY};created=1700000000;expires=1700000060"),
    "another order": sign_by_hand('"content-digest" "authorization" "@target-uri" "@method"'),
    "spaces where RFC 8941 allows them": sign_by_hand(
        ALL, written=f'sig1=( {ALL.replace(" ", "  ")} ); keyid="test-key-1";  created=1700000000'
    ),
    "sha-256": sign_by_hand(
        ALL,
        **{
            "content-digest": "sha-256=:"
            + base64.b64encode(hashlib.sha256(BODY).digest()).decode()
            + ":"
        },
    ),
    "an unknown digest beside ours": sign_by_hand(
        ALL,
        **{
            "content-digest": "crc32=:AAAAAA==:, sha-512=:"
            + base64.b64encode(hashlib.sha512(BODY).digest()).decode()
            + ":"
        },
    ),
    "a header of their own": sign_by_hand(f'{ALL} "x-trace"', **{"x-trace": "1"}),
}


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN.keys())
def test_other_clients_valid_spellings_are_accepted(headers: dict[str, str]) -> None:
    assert verify(headers).key_id == "test-key-1"


REFUSED = {
    "body not covered": sign_by_hand('"@method" "@target-uri" "authorization"'),
    "token not covered": sign_by_hand('"@method" "@target-uri" "content-digest"'),
    "method not covered": sign_by_hand('"@target-uri" "authorization" "content-digest"'),
    "target not covered": sign_by_hand('"@method" "authorization" "content-digest"'),
    "nothing covered": sign_by_hand(""),
    "path instead of target": sign_by_hand(ALL, written=f'sig1=({ALL} "@path"){KEY};created=1'),
    "a component twice": sign_by_hand(f'{ALL} "@method"'),
    "a component with parameters": sign_by_hand(
        ALL, written=f"sig1=({ALL.replace('t-digest', 't-digest;sf')}){KEY};created=1700000000"
    ),
    "an upper-case component": sign_by_hand(f'{ALL} "X-Trace"', **{"X-Trace": "1"}),
    "no created": sign_by_hand(ALL, KEY),
    "no keyid": sign_by_hand(ALL, ";created=1700000000"),
    "created twice": sign_by_hand(ALL, f"{KEY};created=1700000000;created=1700000000"),
    "created as a text": sign_by_hand(ALL, f'{KEY};created="1700000000"'),
    "created with a leading zero": sign_by_hand(ALL, f"{KEY};created=01700000000"),
    "created beyond all calendars": sign_by_hand(ALL, f"{KEY};created=999999999999999"),
    "created negative": sign_by_hand(ALL, f"{KEY};created=-1"),
    "keyid as a number": sign_by_hand(ALL, ";keyid=1;created=1700000000"),
    "an unknown parameter": sign_by_hand(ALL, f"{KEY};created=1700000000;x=1"),
    "another algorithm": sign_by_hand(ALL, f'{KEY};created=1700000000;alg="hmac-sha256"'),
    "another purpose": sign_by_hand(ALL, f'{KEY};created=1700000000;tag="web-bot-auth"'),
    "expired": sign_by_hand(ALL, f"{KEY};created=1700000000;expires=1699999999"),
    "an unknown key": sign_by_hand(ALL, ';keyid="someone";created=1700000000'),
    "an empty key id": sign_by_hand(ALL, ';keyid="";created=1700000000'),
    "only a weak digest": sign_by_hand(
        ALL,
        **{"content-digest": "md5=:" + base64.b64encode(hashlib.md5(BODY).digest()).decode() + ":"},
    ),
    "a digest twice": sign_by_hand(
        ALL,
        **{
            "content-digest": ", ".join(
                ["sha-512=:" + base64.b64encode(hashlib.sha512(BODY).digest()).decode() + ":"] * 2
            )
        },
    ),
    "a digest that is not one": sign_by_hand(ALL, **{"content-digest": "sha-512=abc"}),
    "a digest with bad padding": sign_by_hand(ALL, **{"content-digest": "sha-512=:AAAAA:"}),
    "a covered header that is absent": sign_by_hand(
        ALL, written=f'sig1=({ALL} "x-trace"){KEY};created=1700000000'
    ),
    "a wrong content-length": sign_by_hand(f'{ALL} "content-length"', **{"content-length": "9"}),
}


@pytest.mark.parametrize("headers", REFUSED.values(), ids=REFUSED.keys())
def test_a_signature_that_proves_too_little_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(SignatureInvalid):
        verify(headers)


def with_header(name: str, value: str | None) -> Callable[[Headers], Headers]:
    def change(headers: Headers) -> Headers:
        kept = [(key, old) for key, old in headers if key.lower() != name.lower()]
        return kept if value is None else [*kept, (name, value)]

    return change


def added(name: str, value: str) -> Callable[[Headers], Headers]:
    return lambda headers: [*headers, (name, value)]


SIGNATURE = signed()["Signature"]
INPUT = signed()["Signature-Input"]
TAMPERED = {
    "no Signature": with_header("Signature", None),
    "no Signature-Input": with_header("Signature-Input", None),
    "no Content-Digest": with_header("Content-Digest", None),
    "no Authorization": with_header("Authorization", None),
    "another token": with_header("Authorization", "GNAP other"),
    "a second token": added("authorization", "GNAP other"),
    "a second type": added("Content-Type", "application/json"),
    "another type": with_header("Content-Type", "text/plain"),
    "another length": with_header("Content-Length", "1"),
    "another label": with_header("Signature-Input", INPUT.replace("sig1", "sig2")),
    "both with another label": lambda headers: [
        (name, value.replace("sig1", "sig2")) for name, value in headers
    ],
    "two inputs": added("Signature-Input", INPUT),
    "two inputs in one line": with_header("Signature-Input", f"{INPUT}, sig2=()"),
    "two signatures": added("Signature", SIGNATURE),
    "two signatures in one line": with_header("Signature", f"{SIGNATURE}, sig2=:AAAA:"),
    "an empty signature": with_header("Signature", "sig1=::"),
    "a short signature": with_header("Signature", "sig1=:AAAA:"),
    "bare base64": with_header("Signature", SIGNATURE.removeprefix("sig1=").strip(":")),
    "zeros": with_header("Signature", f"sig1=:{'A' * 86}==:"),
    "base64url": with_header("Signature", SIGNATURE.replace("/", "_").replace("+", "-")),
    "spare bits": with_header("Signature", SIGNATURE.replace("==:", "", 1)[:-1] + "B==:"),
    "another created": with_header("Signature-Input", INPUT.replace("1700000000", "1700000001")),
    "fewer components": with_header("Signature-Input", INPUT.replace(' "content-type"', "")),
    "unquoted components": with_header("Signature-Input", INPUT.replace('"', "")),
    "a line break": with_header("Content-Type", 'application/json\n"x": y'),
}


@pytest.mark.parametrize("tamper", TAMPERED.values(), ids=TAMPERED.keys())
def test_a_request_with_tampered_headers_is_refused(
    tamper: Callable[[Headers], Headers],
) -> None:
    headers = tamper(list(signed().items()))

    with pytest.raises(SignatureInvalid):
        verify(headers)


def test_only_headers_that_may_repeat_may_be_signed_repeated() -> None:
    traced = sign_by_hand(f'{ALL} "x-trace"', **{"x-trace": "1, 2"})
    untraced = with_header("x-trace", None)(list(traced.items()))
    two_tokens = sign_by_hand(ALL, authorization="GNAP a, GNAP b")
    in_two_lines = with_header("authorization", None)(list(two_tokens.items()))

    verify([*untraced, ("x-trace", "1"), ("X-Trace", "2")])
    with pytest.raises(SignatureInvalid):
        verify([*in_two_lines, ("authorization", "GNAP a"), ("authorization", "GNAP b")])


OTHER_REQUESTS: dict[str, dict[str, Any]] = {
    "method": {"method": "PUT"},
    "no method": {"method": ""},
    "lower-case method": {"method": "post"},
    "query": {"target_uri": URL + "0"},
    "scheme": {"target_uri": URL.replace("https", "http")},
    "host": {"target_uri": URL.replace("wallet", "evil")},
    "body": {"body": BODY + b" "},
    "no body": {"body": b""},
    "another key": {
        "key_for": lambda key_id: Ed25519Signer.generate("k").public_jwk().public_key()
    },
    "too old": {"now": CREATED + timedelta(seconds=301)},
    "from the future": {"now": CREATED - timedelta(seconds=61)},
}


@pytest.mark.parametrize("changes", OTHER_REQUESTS.values(), ids=OTHER_REQUESTS.keys())
def test_a_signature_of_another_request_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(SignatureInvalid):
        verify(signed(), **changes)


@given(position=st.integers(min_value=0), replacement=st.characters(codec="latin-1"))
def test_no_single_changed_character_of_a_signed_header_goes_unnoticed(
    position: int, replacement: str
) -> None:
    headers = signed()
    flat = [(name, index) for name, value in headers.items() for index in range(len(value))]
    name, index = flat[position % len(flat)]
    value = headers[name]
    changed = value[:index] + replacement + value[index + 1 :]
    if changed.strip(" \t") == value:
        return

    with pytest.raises(SignatureInvalid):
        verify(headers | {name: changed})


@given(body=st.binary(max_size=100).filter(lambda body: body != BODY))
def test_no_other_body_passes(body: bytes) -> None:
    with pytest.raises(SignatureInvalid):
        verify(signed(), body=body)


@given(junk=st.text(max_size=60))
def test_junk_in_place_of_a_signature_is_refused_and_nothing_worse(junk: str) -> None:
    for name in ("Signature-Input", "Signature", "Content-Digest"):
        with pytest.raises(SignatureInvalid):
            verify(signed() | {name: junk})


@pytest.mark.parametrize("value", ["GNAP a\nb", "GNAP a\r\nX: y", "GNAP ñ"])
def test_a_header_that_is_not_one_line_of_ascii_is_not_signed(value: str) -> None:
    with pytest.raises(InvalidValue):
        sign_request(
            method="GET",
            url=URL,
            headers={"Authorization": value},
            body=None,
            signer=SIGNER,
            created=CREATED,
        )


def test_a_signer_survives_its_pem_and_never_shows_it() -> None:
    pem = SIGNER.to_pem()

    again = Ed25519Signer.from_pem(pem, "test-key-1")

    assert "MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f" in pem
    assert again.public_jwk() == SIGNER.public_jwk()
    assert repr(again) == "Ed25519Signer(key_id='test-key-1')"


X25519_PEM = (
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VuBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
)


@pytest.mark.parametrize("pem", ["", "junk", b"\xff", X25519_PEM + "\n-----END PRIVATE KEY-----\n"])
def test_something_else_than_an_ed25519_key_is_refused(pem: str | bytes) -> None:
    with pytest.raises(InvalidValue):
        Ed25519Signer.from_pem(pem, "test-key-1")


def test_a_key_id_that_breaks_the_header_is_refused() -> None:
    with pytest.raises(InvalidValue):
        Ed25519Signer.generate('a";created=1')
