"""Our signer and our verifier against the official package, in both directions."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backend.open_payments import (
    Ed25519Signer,
    SignatureInvalid,
    sign_request,
    verify_request,
)
from backend.open_payments.documents import INDEX_LIKE, SAFE_INTEGER, write_json
from tests.conformance.conftest import HERE
from tests.conformance.officially import OfficialSignatures

SIGNER = Ed25519Signer.generate("key-1")
OTHER_SIGNER = Ed25519Signer.generate("key-1")
JWK = SIGNER.public_jwk().to_json()
TOKEN = {"Authorization": "GNAP OS9M2PMHKUR64TB8N6BW"}
CREATED = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
MODES = pytest.mark.parametrize("as_rafiki", [False, True], ids=["raw bytes", "as Rafiki"])
# One Node process answers all examples; a busy machine may make it wait.
EXAMPLES = settings(max_examples=150, deadline=None)


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request before it is signed."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None

    def signed(self, signer: Ed25519Signer = SIGNER) -> dict[str, str]:
        return sign_request(
            method=self.method,
            url=self.url,
            headers=self.headers,
            body=self.body,
            signer=signer,
            created=CREATED,
        )


# Vectors A to D: made by the official package with its clock stopped.
VECTORS = json.loads((HERE.parent / "open_payments" / "vectors.json").read_text())
VECTOR_SIGNER = Ed25519Signer(
    Ed25519PrivateKey.from_private_bytes(bytes(range(32))), key_id="test-key-1"
)

GRANT_REQUEST = Request(
    method="POST",
    url="https://auth.wallet.example/",
    headers={},
    body=b'{"access_token":{"access":[{"type":"incoming-payment","actions":["create","read"]}]},'
    b'"client":{"walletAddress":"https://platform.example/acme"}}',
)
LIST_PAYMENTS = Request(
    method="GET",
    url="https://wallet.example/op/outgoing-payments?"
    + urlencode({"first": 10, "wallet-address": "https://wallet.example/alice"}),
    headers=TOKEN,
    body=None,
)
CREATE_PAYMENT = Request(
    method="POST",
    url="https://wallet.example/op/outgoing-payments",
    headers=TOKEN,
    body='{"walletAddress":"https://wallet.example/alice","quoteId":"https://wallet.example/op'
    '/quotes/1","metadata":{"description":"Diseño ñ € 🍖"}}'.encode(),
)
ROTATE_TOKEN = Request(
    method="POST", url="https://auth.wallet.example/token/dd17a202", headers=TOKEN, body=None
)
SHAPES = pytest.mark.parametrize(
    "request_",
    [GRANT_REQUEST, LIST_PAYMENTS, CREATE_PAYMENT, ROTATE_TOKEN],
    ids=["grant request", "list", "create with text beyond ASCII", "rotate without a body"],
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
KEYS = TEXTS.filter(lambda key: not INDEX_LIKE.fullmatch(key))
SCALARS = (
    st.none() | st.booleans() | st.integers(min_value=-SAFE_INTEGER, max_value=SAFE_INTEGER) | TEXTS
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
BODIES = st.dictionaries(KEYS, VALUES, min_size=1, max_size=5).map(write_json)
SEGMENTS = st.from_regex(r"[A-Za-z0-9._~-]{1,12}", fullmatch=True)
URLS = st.builds(
    lambda host, path, query: f"https://{host}.example/{'/'.join(path)}{query}",
    st.from_regex(r"[a-z]{1,10}", fullmatch=True),
    st.lists(SEGMENTS, max_size=4),
    st.just("")
    | st.dictionaries(SEGMENTS, TEXTS, min_size=1, max_size=3).map(lambda q: f"?{urlencode(q)}"),
)
TOKENS = st.just(dict[str, str]()) | st.from_regex(r"[A-Za-z0-9._~+/-]{1,64}", fullmatch=True).map(
    lambda token: {"Authorization": f"GNAP {token}"}
)
REQUESTS = st.builds(
    Request, method=st.just("POST"), url=URLS, headers=TOKENS, body=st.none() | BODIES
) | st.builds(
    Request, method=st.sampled_from(["GET", "DELETE"]), url=URLS, headers=TOKENS, body=st.none()
)


@pytest.fixture(scope="module")
def official(node: str) -> Iterator[OfficialSignatures]:
    with OfficialSignatures(node) as running:
        yield running


def accepted(
    official: OfficialSignatures, request_: Request, headers: dict[str, str], *, as_rafiki: bool
) -> bool:
    return official.accepts(
        method=request_.method,
        url=request_.url,
        headers=headers,
        body=request_.body,
        jwk=JWK,
        as_rafiki=as_rafiki,
    )


def signed_officially(official: OfficialSignatures, request_: Request) -> dict[str, str]:
    return official.sign(
        method=request_.method,
        url=request_.url,
        headers=request_.headers,
        body=request_.body,
        signer=SIGNER,
    )


def created_of(headers: dict[str, str]) -> datetime:
    found = re.search(r";created=(\d+)", headers["Signature-Input"])
    assert found is not None
    return datetime.fromtimestamp(int(found[1]), UTC)


def verify(request_: Request, headers: dict[str, str], *, now: datetime) -> None:
    verified = verify_request(
        method=request_.method,
        target_uri=request_.url,
        headers=headers,
        body=request_.body or b"",
        key_for={"key-1": SIGNER.public_jwk().public_key()}.get,
        now=now,
        max_age_seconds=60,
    )
    assert verified.key_id == "key-1"


@MODES
@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_the_official_verifier_accepts_our_signatures_of_the_golden_vectors(
    official: OfficialSignatures, vector: dict[str, Any], as_rafiki: bool
) -> None:
    expected = vector["headers"]
    body = None if vector["body"] is None else vector["body"].encode()
    given_headers = {k: v for k, v in expected.items() if k == "Authorization"}

    headers = sign_request(
        method=vector["method"],
        url=vector["url"],
        headers=given_headers,
        body=body,
        signer=VECTOR_SIGNER,
        created=created_of(expected),
    )

    assert headers == expected
    assert official.accepts(
        method=vector["method"],
        url=vector["url"],
        headers=headers,
        body=body,
        jwk=VECTOR_SIGNER.public_jwk().to_json(),
        as_rafiki=as_rafiki,
    )


@MODES
@SHAPES
def test_the_official_verifier_accepts_what_we_sign(
    official: OfficialSignatures, request_: Request, as_rafiki: bool
) -> None:
    assert accepted(official, request_, request_.signed(), as_rafiki=as_rafiki)


@EXAMPLES
@given(request_=REQUESTS, as_rafiki=st.booleans())
@example(
    request_=replace(CREATE_PAYMENT, body=write_json({"__proto__": {"\u2028": '\x7f\x00\x1f"'}})),
    as_rafiki=True,
)
def test_the_official_verifier_accepts_whatever_we_may_have_to_sign(
    official: OfficialSignatures, request_: Request, as_rafiki: bool
) -> None:
    assert accepted(official, request_, request_.signed(), as_rafiki=as_rafiki)


@EXAMPLES
@given(request_=REQUESTS)
def test_our_headers_are_the_official_ones_to_the_byte(
    official: OfficialSignatures, request_: Request
) -> None:
    theirs = signed_officially(official, request_)

    ours = sign_request(
        method=request_.method,
        url=request_.url,
        headers=request_.headers,
        body=request_.body,
        signer=SIGNER,
        created=created_of(theirs),
    )

    assert ours == theirs


@EXAMPLES
@given(request_=REQUESTS)
def test_our_verifier_accepts_what_the_official_client_signs(
    official: OfficialSignatures, request_: Request
) -> None:
    headers = signed_officially(official, request_)

    verify(request_, headers, now=created_of(headers))


@SHAPES
def test_both_verifiers_refuse_a_changed_request(
    official: OfficialSignatures, request_: Request
) -> None:
    headers = request_.signed()
    changed = {
        "method": replace(request_, method="PUT"),
        "url": replace(request_, url=f"{request_.url}x"),
    }
    if request_.body is not None:
        changed["body"] = replace(request_, body=request_.body.replace(b"wallet", b"wollet"))

    for name, other in changed.items():
        assert not accepted(official, other, headers, as_rafiki=False), name
        assert not accepted(official, other, headers, as_rafiki=True), name
        with pytest.raises(SignatureInvalid):
            verify(other, headers, now=CREATED)


@pytest.mark.parametrize("request_", [LIST_PAYMENTS, CREATE_PAYMENT, ROTATE_TOKEN])
def test_both_verifiers_refuse_another_token(
    official: OfficialSignatures, request_: Request
) -> None:
    headers = {**request_.signed(), "Authorization": "GNAP another"}

    assert not accepted(official, request_, headers, as_rafiki=False)
    with pytest.raises(SignatureInvalid):
        verify(request_, headers, now=CREATED)


@SHAPES
def test_both_verifiers_refuse_another_key(official: OfficialSignatures, request_: Request) -> None:
    headers = request_.signed(OTHER_SIGNER)

    assert not accepted(official, request_, headers, as_rafiki=False)
    with pytest.raises(SignatureInvalid):
        verify(request_, headers, now=CREATED)


def test_we_refuse_a_body_that_is_not_covered_although_the_official_verifier_does_not(
    official: OfficialSignatures,
) -> None:
    bare = replace(CREATE_PAYMENT, body=None)
    headers = bare.signed()

    assert accepted(official, CREATE_PAYMENT, headers, as_rafiki=True)
    with pytest.raises(SignatureInvalid, match="content-digest"):
        verify(CREATE_PAYMENT, headers, now=CREATED)


def test_we_refuse_an_old_signature_although_the_official_verifier_does_not(
    official: OfficialSignatures,
) -> None:
    headers = LIST_PAYMENTS.signed()

    assert accepted(official, LIST_PAYMENTS, headers, as_rafiki=True)
    with pytest.raises(SignatureInvalid, match="old"):
        verify(LIST_PAYMENTS, headers, now=CREATED + timedelta(seconds=61))


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"a": 1}).encode(),
        json.dumps({"a": "ñ"}, separators=(",", ":")).encode(),
        b'{"a":1.0}',
        b'{"2":"b","1":"a"}',
    ],
    ids=["spaces", "escaped text", "a float", "numbers as keys"],
)
def test_rafiki_refuses_the_bodies_that_our_writer_does_not_write(
    official: OfficialSignatures, body: bytes
) -> None:
    request_ = replace(CREATE_PAYMENT, body=body)

    assert accepted(official, request_, request_.signed(), as_rafiki=False)
    assert not accepted(official, request_, request_.signed(), as_rafiki=True)
