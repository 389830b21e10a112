"""Standard Webhooks: signing what leaves us, and judging what comes in.

A signature is HMAC-SHA256 over `id.timestamp.body`, where the body is the very bytes that are
sent. Secrets are written `whsec_` and base64 of 24 to 64 bytes.

Spec: standardwebhooks.com, "Webhook signatures" and "Webhook secrets".
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime

TOLERANCE_SECONDS = 300
SECRET_BYTES = 32
PREFIX = "whsec_"
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
_BYTES_OF_A_SECRET = range(24, 65)
# An id of ours or of others; no dot, which separates what is signed.
_ID = re.compile(r"[A-Za-z0-9_:-]{1,200}", re.ASCII)
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_MOST_SIGNATURES = 8


class BadSecret(ValueError):
    """The text is no signing secret; nothing of it is in the message."""


class NotGenuine(Exception):
    """The request was not signed with one of the secrets, or not now. Its text says what failed."""


def new_secret() -> str:
    """A fresh secret, as both sides write it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The bytes that a secret stands for.

    Raises:
        BadSecret: it is not base64 of 24 to 64 bytes, with or without `whsec_` before it.
    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadSecret("A webhook secret is whsec_ and base64.") from error
    if len(key) not in _BYTES_OF_A_SECRET:
        raise BadSecret("A webhook secret is base64 of 24 to 64 bytes.")
    return key


def headers_for(*, id: str, body: bytes, keys: Iterable[bytes], at: datetime) -> dict[str, str]:
    """The three headers that sign `body`, once with each key: receivers accept any of them."""
    timestamp = str(int(at.timestamp()))
    signed = [_sign(key, id, timestamp, body) for key in keys]
    return {ID: id, TIMESTAMP: timestamp, SIGNATURE: " ".join(f"v1,{each}" for each in signed)}


def verify(*, headers: Mapping[str, str], body: bytes, keys: Iterable[bytes], now: datetime) -> str:
    """The id of a request that was signed with one of `keys` in the last five minutes.

    Whether it came before is the caller's to know.

    Raises:
        NotGenuine: and nothing else, whatever the headers and the body are.
    """
    id, timestamp, given = (headers.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
    if not _ID.fullmatch(id):
        raise NotGenuine("no usable webhook-id")
    if not _TIMESTAMP.fullmatch(timestamp):
        raise NotGenuine("no usable webhook-timestamp")
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        raise NotGenuine("webhook-timestamp is too far from now")
    signatures = [
        part.removeprefix("v1,").encode(errors="replace")
        for part in given.split(" ")[:_MOST_SIGNATURES]
        if part.startswith("v1,")
    ]
    for key in keys:
        expected = _sign(key, id, timestamp, body).encode()
        if any(hmac.compare_digest(expected, each) for each in signatures):
            return id
    raise NotGenuine("no signature of ours")


def _sign(key: bytes, id: str, timestamp: str, body: bytes) -> str:
    signed = f"{id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
