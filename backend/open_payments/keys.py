"""The client's own key: what signs our requests, and the public half that a wallet publishes.

Spec: RFC 8032 (Ed25519), RFC 8037 (its JWK).
"""

import base64
from typing import Protocol, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from backend.open_payments.errors import InvalidValue
from backend.open_payments.types import JsonWebKey


class Signer(Protocol):
    """Whatever can sign with an Ed25519 key: a key in memory, a KMS, an HSM."""

    @property
    def key_id(self) -> str:
        """The `kid` under which the public key is published."""

    def sign(self, data: bytes) -> bytes:
        """Sign `data` itself, not a hash of it; 64 bytes."""


class Ed25519Signer:
    """A private key in memory. Safe to share between threads; it never shows the key."""

    def __init__(self, private_key: Ed25519PrivateKey, key_id: str) -> None:
        self._private_key = private_key
        self._public_jwk = JsonWebKey(kid=key_id, x=_public_x(private_key))
        self.sign = private_key.sign

    @classmethod
    def from_pem(cls, pem: str | bytes, key_id: str) -> Self:
        """Load an unencrypted PKCS#8 key.

        Raises:
            InvalidValue: it is not a PEM of an Ed25519 private key, or `key_id` does not fit
                into a signature header.
        """
        data = pem.encode() if isinstance(pem, str) else pem
        try:
            private_key = load_pem_private_key(data, password=None)
        except (ValueError, TypeError) as error:
            # The parser's message may quote the key.
            raise InvalidValue("the private key is not an unencrypted PKCS#8 PEM") from error
        if not isinstance(private_key, Ed25519PrivateKey):
            raise InvalidValue("the private key is not an Ed25519 key")
        return cls(private_key, key_id)

    @classmethod
    def generate(cls, key_id: str) -> Self:
        """Make a new key."""
        return cls(Ed25519PrivateKey.generate(), key_id)

    @property
    def key_id(self) -> str:
        return self._public_jwk.kid

    def public_jwk(self) -> JsonWebKey:
        """The half to publish at `<wallet address>/jwks.json`."""
        return self._public_jwk

    def to_pem(self) -> str:
        """Write the private key as unencrypted PKCS#8 PEM; keep it secret."""
        pem = self._private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return pem.decode("ascii")

    def __repr__(self) -> str:
        return f"Ed25519Signer(key_id={self.key_id!r})"


def _public_x(private_key: Ed25519PrivateKey) -> str:
    raw = private_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
