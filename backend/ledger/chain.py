"""Each transfer's hash covers the one before it: what is changed afterwards no longer fits.

One chain, and one link per transfer, not per entry: a transfer is written whole, so its hash can
cover all its entries, and one that is added to it, taken from it or moved shows in the same link.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC

from django.db import connection

from backend.ledger.models import Head, Transfer

ONLY = 1
# Writing to the row is what locks it, also where it was not there yet.
_LOCK = f"""
    INSERT INTO {Head._meta.db_table} (id, seq, hash) VALUES ({ONLY}, 0, '')
    ON CONFLICT (id) DO UPDATE SET seq = {Head._meta.db_table}.seq
    RETURNING seq, hash
"""  # noqa: S608 - the only interpolation is our own table's name


def lock() -> Head:
    """Take the end of the chain until the transaction is over: from here on nobody else posts."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK)
        seq, digest = cursor.fetchone()
    return Head(id=ONLY, seq=seq, hash=digest)


def append(transfer: Transfer, amounts: Mapping[str, int], *, head: Head) -> None:
    """Give `transfer` its place and its hash, and move the locked `head` there.

    `amounts` are by the description of their account.
    """
    transfer.seq = head.seq + 1
    transfer.hash = digest(transfer, amounts, previous=head.hash)
    Head.objects.filter(id=ONLY).update(seq=transfer.seq, hash=transfer.hash)


def digest(transfer: Transfer, amounts: Mapping[str, int], *, previous: str) -> str:
    """SHA-256 of everything that a transfer says, after the `previous` hash, in hexadecimal."""
    content = [
        previous,
        transfer.seq,
        str(transfer.id),
        transfer.reason,
        str(transfer.payment_id or ""),
        str(transfer.subject or ""),
        transfer.at.astimezone(UTC).isoformat(timespec="microseconds"),
        sorted([account, amount] for account, amount in amounts.items()),
    ]
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
