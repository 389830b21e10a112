"""The key that signs receipts, and the keys that are published so that others can check them.

Keys of their own: wallets know the platform by another one, which is replaced when a wallet says
so, while a receipt is shown to somebody years later.

Spec: RFC 7517 (JWK set), RFC 8037 (Ed25519 in it), RFC 7638 (the thumbprint that names a key).
"""

import base64
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

ALGORITHM = "EdDSA"
KID = re.compile(r"[\x21-\x7e]{1,200}")
# 32 bytes in base64url: the last letter has two bits to spare, which are zero.
X = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")

KeySet = Mapping[str, Ed25519PublicKey]


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The private key in use, and the `kid` under which its public half is published."""

    kid: str
    private: Ed25519PrivateKey = field(repr=False)


def signing_key() -> SigningKey:
    """The key that signs now. In development one is made and kept in VAR_DIR.

    Raises:
        ImproperlyConfigured: there is none, or it is not an Ed25519 key.
    """
    pem = settings.RECEIPT_PRIVATE_KEY
    if not pem and settings.RECEIPT_DEVELOPMENT_KEY_PATH:
        pem = _development_pem(settings.RECEIPT_DEVELOPMENT_KEY_PATH)
    return _signing_key(pem, settings.RECEIPT_KEY_ID)


def published_keys() -> KeySet:
    """The public keys by which receipts of this installation are checked, the one in use first.

    Raises:
        ImproperlyConfigured: a key is unusable, or one name stands for two keys.
    """
    key = signing_key()
    found = {key.kid: key.private.public_key()}
    if settings.RECEIPT_RETIRED_KEYS:
        try:
            retired = read_key_set(settings.RECEIPT_RETIRED_KEYS)
        except ValueError as error:
            raise ImproperlyConfigured(f"RECEIPT_RETIRED_KEYS: {error}") from error
        if found.keys() & retired.keys() and retired[key.kid] != found[key.kid]:
            raise ImproperlyConfigured(
                "RECEIPT_RETIRED_KEYS has another key of the name RECEIPT_KEY_ID."
            )
        found |= retired
    return found


def write_key_set(keys: KeySet) -> dict[str, Any]:
    """The JWK set to publish."""
    return {
        "keys": [
            {"kid": kid, "kty": "OKP", "crv": "Ed25519", "alg": ALGORITHM, "use": "sig", "x": x}
            for kid, x in ((kid, _x(key)) for kid, key in keys.items())
        ]
    }


def read_key_set(text: str) -> dict[str, Ed25519PublicKey]:
    """The keys in a JWK set of receipts, such as `write_key_set` makes.

    Raises:
        ValueError: it is not one, has other keys than Ed25519, two of one name, or private ones.
    """
    try:
        jwks = json.loads(text)["keys"]
        found = {jwk["kid"]: _public_key(jwk) for jwk in jwks}
    except (ValueError, LookupError, TypeError) as error:
        # Not the parser's own message, which may quote a key.
        raise ValueError("this is not a JWK set of public Ed25519 keys with names.") from error
    if len(found) < len(jwks):
        raise ValueError("two keys have one name.")
    return found


def thumbprint(key: Ed25519PublicKey) -> str:
    """The name that a key has by itself (RFC 7638)."""
    members = {"crv": "Ed25519", "kty": "OKP", "x": _x(key)}
    canonical = json.dumps(members, separators=(",", ":"), sort_keys=True).encode()
    return _b64(hashlib.sha256(canonical).digest())


@cache
def _signing_key(pem: str, kid: str) -> SigningKey:
    try:
        private = load_pem_private_key(pem.encode(), password=None)
    except Exception as error:
        # Whatever the parser says, it may quote the key.
        raise ImproperlyConfigured("RECEIPT_PRIVATE_KEY is not an unencrypted PEM.") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise ImproperlyConfigured("RECEIPT_PRIVATE_KEY is not an Ed25519 key.")
    if kid and not KID.fullmatch(kid):
        raise ImproperlyConfigured("RECEIPT_KEY_ID has blanks or characters beyond ASCII.")
    return SigningKey(kid or thumbprint(private.public_key()), private)


def _public_key(jwk: Any) -> Ed25519PublicKey:
    is_public_ed25519 = (
        jwk["kty"] == "OKP"
        and jwk["crv"] == "Ed25519"
        and "d" not in jwk
        and KID.fullmatch(jwk["kid"])
        and X.fullmatch(jwk["x"])
    )
    if not is_public_ed25519:
        raise ValueError("another kind of key")
    return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(jwk["x"] + "="))


def _development_pem(path: Path) -> str:
    if not path.exists():
        pem = Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent) as ours:
            ours.write(pem)
            ours.flush()
            # Of two processes that start together one makes the key, whole, and both use it.
            with suppress(FileExistsError):
                os.link(ours.name, path)
    return path.read_text(encoding="ascii")


def _x(key: Ed25519PublicKey) -> str:
    return _b64(key.public_bytes_raw())


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
