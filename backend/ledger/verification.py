"""Reading all the books again, to find what was changed behind their back."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import F, Prefetch, Sum
from django.db.models.functions import Coalesce

from backend.accounts.models import Asset
from backend.ledger import chain
from backend.ledger.models import Account, Entry, Head, Transfer

_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verification came to. `broken` names the first row that is wrong; empty: none is."""

    transfers: int
    entries: int
    head: str
    broken: str = ""


def verify(*, kept_head: str | None = None) -> Verified:
    """Recompute every hash, every sum and every balance; stop at the first that is wrong.

    `kept_head` is one that an earlier verification gave, `seq:hash`: the chain has to lead through
    it still. Reads one snapshot, a thousand transfers at a time. PostgreSQL's writers are not held
    up; SQLite's wait.
    """
    with snapshot():
        return _Reading(kept_head or "").verified()


@contextmanager
def snapshot() -> Iterator[None]:
    """Read everything as it is at one moment; not inside of another transaction."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


class _Reading:
    def __init__(self, kept_head: str) -> None:
        self._kept_head = kept_head
        self._seq, self._hash, self._entries = 0, "", 0

    def verified(self) -> Verified:
        broken = next(self._breaks(), "")
        return Verified(self._seq, self._entries, self.head, broken)

    def _breaks(self) -> Iterator[str]:
        # Joined to their accounts: an entry whose account is gone is missing from the hash.
        entries = Prefetch("entries", Entry.objects.select_related("account"))
        transfers = Transfer.objects.order_by("seq").prefetch_related(entries)
        for transfer in transfers.iterator(chunk_size=_AT_ONCE):
            yield from self._breaks_of(transfer)
        yield from self._wrong_end()
        yield from _wrong_balances()

    def _breaks_of(self, transfer: Transfer) -> Iterator[str]:
        if transfer.seq != self._seq + 1:
            yield f"transfer {self._seq + 1} is missing: after {self._seq} comes {transfer}"
        entries = list(transfer.entries.all())
        amounts = {str(entry.account): entry.amount for entry in entries}
        if transfer.hash != chain.digest(transfer, amounts, previous=self._hash):
            yield f"transfer {transfer} ({transfer.id}) or one of its entries is not as written"
        totals: Counter[Asset] = Counter()
        for entry in entries:
            totals[entry.account.asset] += entry.amount
        if not entries or any(totals.values()):
            yield f"transfer {transfer} ({transfer.id}) does not come to zero"
        self._seq, self._hash = transfer.seq, transfer.hash
        self._entries += len(entries)
        if self._kept_head.startswith(f"{self._seq}:") and self._kept_head != self.head:
            yield f"transfer {transfer} ({transfer.id}) is not what {self._kept_head} was kept of"

    @property
    def head(self) -> str:
        return f"{self._seq}:{self._hash}"

    def _wrong_end(self) -> Iterator[str]:
        head = Head.objects.filter(id=chain.ONLY).first()
        if str(head or "0:") != self.head:
            yield f"the chain ends at {self.head}, and its head says {head}"
        if self._kept_head and int(self._kept_head.partition(":")[0]) > self._seq:
            yield f"the chain ends at {self.head}, before {self._kept_head}"
        if (there := Entry.objects.count()) != self._entries:
            yield f"{there - self._entries} entries belong to no transfer"


def _wrong_balances() -> Iterator[str]:
    accounts = Account.objects.annotate(booked=Coalesce(Sum("entries__amount"), 0))
    for account in accounts.exclude(balance=F("booked")).order_by("id")[:1]:
        yield f"account {account}: balance {account.balance}, its entries come to {account.booked}"
