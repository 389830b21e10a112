"""The keys that nobody else has: of secrets at rest, and of receipts."""

import jwt
from django.core.exceptions import ImproperlyConfigured

from backend.doctor.findings import Code, Found
from backend.encryption import CannotDecrypt
from backend.receipts.keys import published_keys
from backend.receipts.models import Receipt
from backend.sealed import SEALED, keys_in_ring, keys_of_sample

RECEIPTS_LOOKED_AT = 20


def check_encryption() -> str:
    """The keys in the ring open the oldest and the newest value of each column."""
    try:
        ring = keys_in_ring()
    except ImproperlyConfigured as error:
        raise Found(Code.ENCRYPTION_KEYS_UNUSABLE, str(error)) from error
    used: set[str] = set()
    for column in SEALED:
        try:
            used |= keys_of_sample(column)
        except CannotDecrypt as error:
            raise Found(Code.ENCRYPTION_KEY_LOST, str(error)) from error
    if old := sorted(used - {ring[0]}):
        raise Found(Code.ENCRYPTION_KEY_OLD, f"{', '.join(old)} sealed what {ring[0]} has not yet.")
    if len(ring) > 1:
        return f"Seals with {ring[0]}; rekey --count says whether {', '.join(ring[1:])} can go."
    return f"Seals with {ring[0]}, and opens what it looked at."


def check_receipts() -> str:
    """There is a key to sign with, and receipts signed before still verify."""
    try:
        published = published_keys()
    except ImproperlyConfigured as error:
        raise Found(Code.RECEIPT_KEY_UNUSABLE, str(error)) from error
    newest = Receipt.objects.order_by("-issued_at").values_list("jws", flat=True)
    oldest = Receipt.objects.order_by("issued_at").values_list("jws", flat=True)
    used = {
        str(jwt.get_unverified_header(jws).get("kid"))
        for jws in (*newest[:RECEIPTS_LOOKED_AT], *oldest[:RECEIPTS_LOOKED_AT])
    }
    if lost := sorted(used - published.keys()):
        raise Found(Code.RECEIPT_KEY_LOST, f"Receipts are signed with {', '.join(lost)}.")
    return f"Signs with {next(iter(published))}; {len(published) - 1} retired."
