"""Secrets at rest: AES-256-GCM bound to the row they belong to.

Format: `v1.<kid>.<nonce>.<ciphertext>`, the last two base64url without padding. The associated
data names table, column and row, so a token copied to another row does not decrypt.
"""

import base64
import binascii
import os
from functools import cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class CannotDecrypt(Exception):
    """The text is damaged, of another row, or its key is no longer in the ring."""


def encrypt(plaintext: str, *, column: str, row: UUID) -> str:
    """Seal `plaintext` for this column (`table.column`) of this row with the newest key."""
    kid, key = next(iter(_ring(tuple(settings.ENCRYPTION_KEYS)).items()))
    nonce = os.urandom(12)
    sealed = key.encrypt(nonce, plaintext.encode(), _associated_data(column, row))
    return f"v1.{kid}.{_b64(nonce)}.{_b64(sealed)}"


def decrypt(text: str, *, column: str, row: UUID) -> str:
    """Open what `encrypt` sealed for the same column and row.

    Raises:
        CannotDecrypt: see there; nothing of the content is in the message.
    """
    try:
        version, kid, nonce, sealed = text.split(".")
        key = _ring(tuple(settings.ENCRYPTION_KEYS))[kid]
        if version != "v1":
            raise CannotDecrypt(f"Unknown format {version!r} in {column}.")
        plain = key.decrypt(_unb64(nonce), _unb64(sealed), _associated_data(column, row))
    except (ValueError, KeyError, InvalidTag) as error:
        raise CannotDecrypt(f"{column} of {row} does not decrypt.") from error
    return plain.decode()


def key_of(text: str) -> str:
    """The name of the key that sealed this text."""
    return text.split(".", 2)[1]


@cache
def _ring(entries: tuple[str, ...]) -> dict[str, AESGCM]:
    ring: dict[str, AESGCM] = {}
    for entry in entries:
        kid, _, encoded = entry.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            raise ImproperlyConfigured(f"ENCRYPTION_KEYS: {kid} is not base64.") from error
        if len(key) != 32 or not kid or "." in kid:
            raise ImproperlyConfigured("ENCRYPTION_KEYS: write kid:base64-of-32-bytes, no dots.")
        ring[kid] = AESGCM(key)
    if not ring:
        raise ImproperlyConfigured("ENCRYPTION_KEYS is empty: make one with `make key`.")
    return ring


def _associated_data(column: str, row: UUID) -> bytes:
    return f"{column}|{row}".encode()


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
