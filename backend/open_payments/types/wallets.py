"""What wallets publish: addresses and keys.

Spec: Open Payments wallet address server 1.3.0.
"""

import base64
import re
from dataclasses import dataclass
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from backend.open_payments import documents
from backend.open_payments.errors import InvalidValue
from backend.open_payments.types.amounts import Amount, read_asset

BASE64URL = re.compile(r"[A-Za-z0-9_-]{43}")
KEY_ID = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{1,256}")


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletAddress:
    """What a wallet address says about itself: where its servers are and its asset.

    `public_name` is None when the account's holder shows none.

    Spec: wallet address server, schema `wallet-address`.
    """

    id: str
    public_name: str | None
    asset_code: str
    asset_scale: int
    auth_server: str
    resource_server: str

    @classmethod
    def from_json(cls, obj: object) -> Self:
        document = documents.as_object(obj, what="the wallet address")
        code, scale = read_asset(document)
        return cls(
            id=documents.url(document, "id"),
            public_name=documents.optional_text(document, "publicName"),
            asset_code=code,
            asset_scale=scale,
            auth_server=documents.url(document, "authServer"),
            resource_server=documents.url(document, "resourceServer"),
        )

    def amount(self, value: int) -> Amount:
        """Count `value` smallest units of this wallet's asset."""
        return Amount(value=value, asset_code=self.asset_code, asset_scale=self.asset_scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonWebKey:
    """An Ed25519 public key as wallets publish it.

    Spec: schema `json-web-key`; RFC 8037.
    """

    kid: str
    x: str

    def __post_init__(self) -> None:
        if not KEY_ID.fullmatch(self.kid):
            raise InvalidValue("a key id is printable ASCII without quotes, commas, semicolons")
        if not BASE64URL.fullmatch(self.x) or self.x[-1] not in "AEIMQUYcgkosw048":
            raise InvalidValue("x is not an Ed25519 public key in base64url without padding")

    @classmethod
    def from_json(cls, obj: object) -> Self:
        document = documents.as_object(obj, what="the key")
        for name, only in (("kty", "OKP"), ("crv", "Ed25519"), ("alg", "EdDSA")):
            if document.get(name) != only:
                raise InvalidValue(f"the key's {name} is not {only}")
        return cls(kid=documents.text(document, "kid"), x=documents.text(document, "x"))

    def to_json(self) -> dict[str, object]:
        return {"kid": self.kid, "alg": "EdDSA", "kty": "OKP", "crv": "Ed25519", "x": self.x}

    def public_key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(self.x + "="))


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonWebKeySet:
    """The keys of a client; keys of other kinds than Ed25519 are left out.

    Spec: schema `json-web-key-set`; RFC 7517 section 5 (ignore keys that are not understood).
    """

    keys: tuple[JsonWebKey, ...]

    @classmethod
    def from_json(cls, obj: object) -> Self:
        listed = documents.required(documents.as_object(obj, what="the key set"), "keys")
        keys = []
        for item in documents.as_list(listed, what="keys", max_items=100):
            try:
                keys.append(JsonWebKey.from_json(item))
            except InvalidValue:
                continue
        return cls(keys=tuple(keys))

    def to_json(self) -> dict[str, object]:
        return {"keys": [key.to_json() for key in self.keys]}

    def get(self, kid: str) -> JsonWebKey | None:
        """Find the key with this id; None when there is none, or two different ones."""
        found = {key for key in self.keys if key.kid == kid}
        return found.pop() if len(found) == 1 else None
