"""Who sends a request: the client instance, its keys and its signature.

A client is named by its wallet address, whose jwks.json holds its keys, or by a key of its
own (`jwk`, for grants without interaction). The keys of the sandbox's own client wallets are
in the database; those of others are fetched, from allowed origins only.
"""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from backend.open_payments.signatures import verify_request
from sandbox_wallet.bank import Bank, Call
from sandbox_wallet.clock import to_datetime
from sandbox_wallet.javascript import restringify
from sandbox_wallet.wire import Json, dump_json

_SIGNATURE_HEADERS = ("signature-input", "signature")
_ANY_AGE = 10**9
_KEY_MEMBERS = {"kid", "alg", "kty", "crv", "x", "use"}


class NeedsDocument(Exception):
    """Serving this request takes the JSON document at `url`; fetch it and begin again."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url


class UnknownClient(Exception):
    """No such client, or it has no such key; the message says what was missing."""


class SignatureMissing(Exception):
    """The request carries no signature at all."""


@dataclass(frozen=True, slots=True)
class Client:
    """A client instance: `name` scopes what it may see, `jwk` is set when a key is all it has."""

    name: str
    jwk: Json | None = None


def parse_client(value: object) -> Client | None:
    """Return the client in a grant request's `client` member, or None when it is malformed.

    Spec: Open Payments auth server 1.3.0, schema `client`.
    """
    if isinstance(value, str) and value:
        return Client(value)
    if not isinstance(value, dict):
        return None
    if set(value) == {"walletAddress"} and isinstance(value["walletAddress"], str):
        return Client(value["walletAddress"])
    if set(value) == {"jwk"} and _is_key(value["jwk"]):
        return Client(f"jwk:{thumbprint(value['jwk'])}", value["jwk"])
    return None


def thumbprint(jwk: Json) -> str:
    """Return the RFC 7638 thumbprint of an Ed25519 key."""
    canonical = dump_json({"crv": jwk["crv"], "kty": jwk["kty"], "x": jwk["x"]})
    return base64.urlsafe_b64encode(hashlib.sha256(canonical).digest()).rstrip(b"=").decode()


def public_jwk(kid: str, x: str) -> Json:
    """Return the JSON Web Key of an Ed25519 public key."""
    return {"kid": kid, "alg": "EdDSA", "use": "sig", "kty": "OKP", "crv": "Ed25519", "x": x}


def verify(bank: Bank, call: Call, client: Client) -> None:
    """Check that `client` signed exactly this request, recently.

    Raises:
        SignatureMissing: nothing to check.
        UnknownClient: the key id is not one of the client's.
        SignatureInvalid: anything about the signature or the digest is wrong.
        NeedsDocument: the client's keys must be fetched first.

    Spec: RFC 9421, RFC 9530, RFC 9635 section 7.3.1.
    """
    if any(call.request.header(name) is None for name in _SIGNATURE_HEADERS):
        raise SignatureMissing
    if call.mischief.get("act") == "revoked_key":
        raise UnknownClient(f"the key is no longer published by {client.name}")
    body = call.request.body
    if bank.options.rafiki_json and body:
        body = restringify(body)
    window = bank.options.created_window_s
    if window is None or call.late:
        window = _ANY_AGE
    verify_request(
        method=call.request.method,
        target_uri=call.request.url,
        headers=call.request.headers,
        body=body,
        key_for=_key_finder(bank, call, client),
        now=to_datetime(call.arrived),
        max_age_seconds=window,
        max_skew_seconds=window,
    )


def display_name(bank: Bank, call: Call, client: Client) -> str | None:
    """Return the client's `publicName` from its wallet document, or None when it has none.

    Raises:
        UnknownClient: its wallet address cannot be reached.
        NeedsDocument: the document must be fetched first.
    """
    if (wallet := bank.wallet_at(client.name)) is not None:
        return wallet.public_name
    document = _document(bank, call, client.name)
    name = document.get("publicName") if isinstance(document, dict) else None
    return name if isinstance(name, str) and name else None


def _key_finder(bank: Bank, call: Call, client: Client) -> Callable[[str], Ed25519PublicKey | None]:
    def key_for(kid: str) -> Ed25519PublicKey | None:
        for jwk in _keys_of(bank, call, client):
            if jwk["kid"] == kid:
                return _public_key(jwk["x"])
        raise UnknownClient(f"{client.name} has no key {kid}")

    return key_for


def _keys_of(bank: Bank, call: Call, client: Client) -> list[Json]:
    if client.jwk is not None:
        return [client.jwk]
    if (wallet := bank.wallet_at(client.name)) is not None:
        return local_keys(bank, wallet.name)
    document = _document(bank, call, f"{client.name}/jwks.json")
    keys = document.get("keys") if isinstance(document, dict) else None
    return [key for key in keys if _is_key(key)] if isinstance(keys, list) else []


def local_keys(bank: Bank, wallet_name: str) -> list[Json]:
    """Return the keys that a wallet of this sandbox publishes."""
    rows = bank.db.execute(
        "SELECT kid, x FROM client_keys WHERE wallet = ? ORDER BY rowid", (wallet_name,)
    )
    return [public_jwk(row["kid"], row["x"]) for row in rows]


def _document(bank: Bank, call: Call, url: str) -> Any:
    if not any(url.startswith(f"{origin}/") for origin in bank.options.client_origins):
        raise UnknownClient(f"{url} is not on an origin that this sandbox may ask")
    if url not in call.documents:
        raise NeedsDocument(url)
    if call.documents[url] is None:
        raise UnknownClient(f"{url} did not answer with JSON")
    return call.documents[url]


def _is_key(value: object) -> bool:
    if not isinstance(value, dict) or not set(value) <= _KEY_MEMBERS:
        return False
    right = value.get("alg") == "EdDSA" and value.get("kty") == "OKP"
    strings = isinstance(value.get("kid"), str) and isinstance(value.get("x"), str)
    return (
        right and strings and value.get("crv") == "Ed25519" and _public_key(value["x"]) is not None
    )


@lru_cache(maxsize=256)
def _public_key(x: str) -> Ed25519PublicKey | None:
    try:
        raw = base64.urlsafe_b64decode(x + "=" * (-len(x) % 4))
        return Ed25519PublicKey.from_public_bytes(raw)
    except ValueError:
        return None


def client_to_row(client: Client) -> tuple[str, str | None]:
    """Return what a grant stores of its client."""
    return client.name, None if client.jwk is None else json.dumps(client.jwk)


def client_from_row(name: str, jwk: str | None) -> Client:
    """Return the client that a grant stored."""
    return Client(name, None if jwk is None else json.loads(jwk))
