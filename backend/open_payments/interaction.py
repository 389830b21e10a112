"""The finish redirect: nonces, and the proof that the asked authorization server made it.

Spec: RFC 9635 section 4.2.3 (interact.finish hash).
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable

from backend.open_payments.errors import HashMismatch, InvalidValue

PRINTABLE = re.compile(r"[\x20-\x7e]{1,2048}")
STANDARD_ALPHABET = str.maketrans({"-": "+", "_": "/", " ": "+"})


def new_nonce(random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """Make an unguessable value of 256 bits that is safe in URLs and JSON."""
    return base64.urlsafe_b64encode(random_bytes(32)).rstrip(b"=").decode()


def finish_hash(
    *,
    client_nonce: str,
    interact_nonce: str,
    interact_ref: str,
    grant_endpoint: str,
    url_safe: bool = True,
) -> str:
    """Compute the hash that an authorization server puts into the finish redirect.

    RFC 9635 wants base64url without padding. `url_safe` False gives the standard alphabet with
    padding, which is what Rafiki sends.

    Raises:
        InvalidValue: a part is empty or not printable ASCII.

    Spec: RFC 9635 section 4.2.3.
    """
    digest = _digest(client_nonce, interact_nonce, interact_ref, grant_endpoint)
    if url_safe:
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return base64.b64encode(digest).decode()


def verify_finish_hash(
    received: str,
    *,
    client_nonce: str,
    interact_nonce: str,
    interact_ref: str,
    grant_endpoint: str,
) -> None:
    """Prove that the redirect comes from the server at `grant_endpoint`, in constant time.

    Both base64 alphabets are accepted, and `grant_endpoint` with and without a trailing slash:
    Rafiki 1 hashed the former, Rafiki 2 hashes the URL as published. All spellings name the same
    server, so the protection against mix-up stays whole.

    Raises:
        HashMismatch: the redirect must be ignored.

    Spec: RFC 9635 sections 4.2.3 and 11.12.
    """
    claimed = _decode(received)
    bare = grant_endpoint.removesuffix("/")
    matches = False
    for endpoint in (grant_endpoint, f"{grant_endpoint}/", bare):
        try:
            expected = _digest(client_nonce, interact_nonce, interact_ref, endpoint)
        except InvalidValue as error:
            raise HashMismatch("The finish redirect has a part that cannot be hashed.") from error
        matches |= hmac.compare_digest(claimed, expected)
    if not matches:
        raise HashMismatch("The finish redirect does not come from the authorization server.")


def _digest(*lines: str) -> bytes:
    # A line break inside of a part would let parts slide into each other.
    if not all(PRINTABLE.fullmatch(line) for line in lines):
        raise InvalidValue("a part of the finish hash is empty or not printable ASCII")
    return hashlib.sha256("\n".join(lines).encode("ascii")).digest()


def _decode(received: str) -> bytes:
    # A "+" that was not percent-encoded arrives as a space.
    text = received.rstrip("=").translate(STANDARD_ALPHABET)
    try:
        digest = base64.b64decode(f"{text}=", validate=True)
    except (binascii.Error, ValueError) as error:
        raise HashMismatch("The finish redirect's hash is not base64.") from error
    if len(digest) != hashlib.sha256().digest_size:
        raise HashMismatch("The finish redirect's hash has the wrong length.")
    return digest
