"""Receipts made by hand, right and wrong, with nothing of the code that is tested."""

import base64
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

ISSUER = "https://pay.example"
KID = "2026"
HEADER = {"alg": "EdDSA", "kid": KID, "typ": "receipt+jwt"}
CLAIMS = {
    "v": 1,
    "iss": ISSUER,
    "iat": 1780315200,
    "number": "R-2026-028T5CY4TQKFF",
    "payment": {"deliveredAmount": {"value": "2500", "assetCode": "USD", "assetScale": 2}},
}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def as_part(value: Any) -> str:
    return b64(value if isinstance(value, bytes) else json.dumps(value).encode())


def signed(key: Ed25519PrivateKey, *, header: Any = HEADER, claims: Any = CLAIMS) -> str:
    """A JWS of these two parts, by this key."""
    content = f"{as_part(header)}.{as_part(claims)}"
    return f"{content}.{b64(key.sign(content.encode()))}"


def public_jwk(key: Ed25519PrivateKey, kid: str = KID) -> dict[str, Any]:
    x = b64(key.public_key().public_bytes_raw())
    return {"kid": kid, "kty": "OKP", "crv": "Ed25519", "x": x}


def as_pem(key: Any) -> str:
    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem.decode()
