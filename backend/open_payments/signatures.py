"""HTTP message signatures as the Open Payments ecosystem writes them, and a strict verifier.

Signing is hand-written because the format is fixed; it is byte-identical to the official
TypeScript client. The verifier takes any component and parameter order that RFC 9421 allows, but
exactly one signature, labelled `sig1`, by Ed25519, over everything that matters.

Spec: RFC 9421 (signatures), RFC 9530 (Content-Digest), RFC 9635 section 7.3.1, RFC 8941.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from backend.open_payments.errors import InvalidValue, SignatureInvalid
from backend.open_payments.keys import Signer

LABEL = "sig1"
CONTENT_TYPE = "application/json"
DERIVED = frozenset({"@method", "@target-uri"})
ONCE = frozenset({"authorization", "content-length", "content-type", "signature"})
DIGESTS: Mapping[str, Callable[[bytes], bytes]] = {
    "sha-512": lambda body: hashlib.sha512(body).digest(),
    "sha-256": lambda body: hashlib.sha256(body).digest(),
}

TEXT = r'"[\x20\x21\x23-\x5b\x5d-\x7e]*"'
# sig1=("@method" "authorization");keyid="…";created=… with the spaces that RFC 8941 allows.
SIGNATURE_INPUT = re.compile(
    rf" *sig1=\( *(?P<components>(?:{TEXT}(?: +{TEXT})*)?) *\)"
    rf"(?P<parameters>(?:; *[a-z][a-z0-9_.*-]*=(?:[0-9]{{1,15}}|{TEXT}))*) *"
)
COMPONENT = re.compile(r'"([^"]*)"')
PARAMETER = re.compile(rf"; *([a-z][a-z0-9_.*-]*)=([0-9]{{1,15}}|{TEXT})")
SIGNATURE = re.compile(r" *sig1=:([A-Za-z0-9+/]{86}==): *")
DIGEST_MEMBER = re.compile(r"\s*([a-z][a-z0-9_.*-]*)=:([A-Za-z0-9+/]{1,88}={0,2}):\s*")
NUMBERS = frozenset({"created", "expires"})
TEXTS = frozenset({"keyid", "alg", "nonce", "tag"})
FIELD_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
LINE = re.compile(r"[\x20-\x7e]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedSignature:
    """Who signed a request, when, and which parts of it."""

    key_id: str
    created: datetime
    components: tuple[str, ...]


def sign_request(
    *,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    signer: Signer,
    created: datetime,
) -> dict[str, str]:
    """Return `headers` with those added that sign the request as it goes on the wire.

    `url` is the final target URI, with the path `/` if it has none and the query encoded.
    `Authorization` is covered when present; `body` None means no body. Sign right before
    sending, and again for every try.

    Raises:
        InvalidValue: a signed value is not a line of printable ASCII.

    Spec: RFC 9421 sections 2.5 and 3.1; RFC 9530 section 2.
    """
    signed = dict(headers)
    given = {name.lower(): value for name, value in headers.items()}
    covered = [("@method", method), ("@target-uri", url)]
    if "authorization" in given:
        covered.append(("authorization", given["authorization"].strip()))
    if body is not None:
        digest = base64.b64encode(hashlib.sha512(body).digest()).decode("ascii")
        added = {"Content-Digest": f"sha-512=:{digest}:", "Content-Length": str(len(body))}
        if "content-type" not in given:
            added["Content-Type"] = CONTENT_TYPE
        signed |= added
        covered += [
            ("content-digest", added["Content-Digest"]),
            ("content-length", added["Content-Length"]),
            ("content-type", given.get("content-type", CONTENT_TYPE).strip()),
        ]
    names = " ".join(f'"{name}"' for name, _ in covered)
    parameters = f'({names});keyid="{signer.key_id}";created={int(created.timestamp())}'
    try:
        base = _signature_base(covered, parameters)
    except ValueError as error:
        raise InvalidValue(f"{error}: it cannot be signed") from error
    signature = base64.b64encode(signer.sign(base)).decode("ascii")
    signed["Signature-Input"] = f"{LABEL}={parameters}"
    signed["Signature"] = f"{LABEL}=:{signature}:"
    return signed


def verify_request(
    *,
    method: str,
    target_uri: str,
    headers: Mapping[str, str] | Iterable[tuple[str, str]],
    body: bytes,
    key_for: Callable[[str], Ed25519PublicKey | None],
    now: datetime,
    max_age_seconds: int,
    max_skew_seconds: int = 60,
) -> VerifiedSignature:
    """Tell who signed a request, or refuse it.

    `headers` are all lines as received, repeated names included; `target_uri` and `body` are
    the raw ones. `key_for` gives None for an unknown key id. A replay within `max_age_seconds`
    is not noticed here.

    Raises:
        SignatureInvalid: the signature is missing, malformed, not over the method, target URI,
            token and body, made by another key, too old, or from the future.

    Spec: RFC 9421 section 3.2; RFC 9635 section 7.3.1; RFC 9530.
    """
    fields = _collect(headers)
    components, parameters, canonical = _read_signature_input(fields)
    _require_coverage(components, fields, body)
    _check_content(components, fields, body)
    created = _check_times(parameters, now, max_age_seconds, max_skew_seconds)
    if parameters.get("alg", "ed25519") != "ed25519" or parameters.get("tag", "gnap") != "gnap":
        raise SignatureInvalid("it is made by another algorithm or for another purpose")
    key_id = str(parameters["keyid"])
    public_key = key_for(key_id)
    if public_key is None:
        raise SignatureInvalid("its key is unknown")
    values = {"@method": method, "@target-uri": target_uri}
    covered = [
        (name, values[name] if name in values else _value(fields, name)) for name in components
    ]
    try:
        public_key.verify(_read_signature(fields), _signature_base(covered, canonical))
    except (InvalidSignature, ValueError) as error:
        raise SignatureInvalid("it does not match the request") from error
    return VerifiedSignature(key_id=key_id, created=created, components=components)


def _signature_base(covered: Iterable[tuple[str, str]], parameters: str) -> bytes:
    lines = [*covered, ("@signature-params", parameters)]
    for name, value in lines:
        # A line break would let one component pose as another.
        if not LINE.fullmatch(value):
            raise ValueError(f"{name} is not a line of printable ASCII")
    return "\n".join(f'"{name}": {value}' for name, value in lines).encode("ascii")


def _collect(headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name.lower(), []).append(value.strip(" \t"))
    return fields


def _value(fields: Mapping[str, list[str]], name: str) -> str:
    values = fields.get(name)
    if not values:
        raise SignatureInvalid("it covers a header that the request does not have")
    if len(values) > 1 and name in ONCE:
        raise SignatureInvalid(f"{name} appears more than once")
    return ", ".join(values)


def _read_signature_input(
    fields: Mapping[str, list[str]],
) -> tuple[tuple[str, ...], dict[str, str | int], str]:
    lines = fields.get("signature-input", [])
    # Other labels, a second signature, and parameters on components all end here.
    match = SIGNATURE_INPUT.fullmatch(lines[0]) if len(lines) == 1 else None
    if match is None:
        raise SignatureInvalid("Signature-Input is not exactly one plain sig1")
    components = tuple(COMPONENT.findall(match["components"]))
    if len(set(components)) != len(components):
        raise SignatureInvalid("it covers a component twice")
    for name in components:
        if name not in DERIVED and not FIELD_NAME.fullmatch(name):
            raise SignatureInvalid("it covers a component that is not known here")
    found = PARAMETER.findall(match["parameters"])
    parameters = {name: _bare_item(name, item) for name, item in found}
    if len(parameters) != len(found):
        raise SignatureInvalid("it has a parameter twice")
    if not {"keyid", "created"} <= parameters.keys():
        raise SignatureInvalid("it lacks keyid or created")
    names = " ".join(f'"{name}"' for name in components)
    canonical = f"({names})" + "".join(f";{name}={item}" for name, item in found)
    return components, parameters, canonical


def _bare_item(name: str, item: str) -> str | int:
    is_text = item.startswith('"')
    if name not in (TEXTS if is_text else NUMBERS):
        raise SignatureInvalid("it has a parameter that is not known here")
    if is_text:
        return item[1:-1]
    if str(int(item)) != item:
        raise SignatureInvalid("it has a number that is not written canonically")
    return int(item)


def _read_signature(fields: Mapping[str, list[str]]) -> bytes:
    match = SIGNATURE.fullmatch(_value(fields, "signature"))
    if match is None:
        raise SignatureInvalid("Signature is not exactly one sig1 of 64 bytes")
    return _decode(match[1], "Signature")


def _decode(text: str, what: str) -> bytes:
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureInvalid(f"{what} is not base64") from error
    # Spare bits would let one signature be written in several ways.
    if base64.b64encode(decoded).decode("ascii") != text:
        raise SignatureInvalid(f"{what} is not canonical base64")
    return decoded


def _require_coverage(
    components: tuple[str, ...], fields: Mapping[str, list[str]], body: bytes
) -> None:
    needed = {"@method", "@target-uri"}
    if "authorization" in fields:
        needed.add("authorization")
    if body:
        needed.add("content-digest")
    if missing := needed - set(components):
        raise SignatureInvalid(f"it does not cover {', '.join(sorted(missing))}")


def _check_content(
    components: tuple[str, ...], fields: Mapping[str, list[str]], body: bytes
) -> None:
    if "content-length" in components and _value(fields, "content-length") != str(len(body)):
        raise SignatureInvalid("Content-Length is not the body's length")
    if "content-digest" not in fields:
        return
    known = 0
    seen = set()
    for member in _value(fields, "content-digest").split(","):
        match = DIGEST_MEMBER.fullmatch(member)
        if match is None or match[1] in seen:
            raise SignatureInvalid("Content-Digest is malformed")
        seen.add(match[1])
        if compute := DIGESTS.get(match[1]):
            known += 1
            if not hmac.compare_digest(_decode(match[2], "Content-Digest"), compute(body)):
                raise SignatureInvalid("Content-Digest does not match the body")
    if not known:
        raise SignatureInvalid("Content-Digest has neither sha-512 nor sha-256")


def _check_times(
    parameters: Mapping[str, str | int], now: datetime, max_age_seconds: int, max_skew_seconds: int
) -> datetime:
    try:
        created = datetime.fromtimestamp(int(parameters["created"]), UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise SignatureInvalid("created is not a time") from error
    if created > now + timedelta(seconds=max_skew_seconds):
        raise SignatureInvalid("it was created in the future")
    if created < now - timedelta(seconds=max_age_seconds):
        raise SignatureInvalid("it is too old")
    if "expires" in parameters and int(parameters["expires"]) < now.timestamp():
        raise SignatureInvalid("it has expired")
    return created
