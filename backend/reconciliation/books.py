"""The books, beside what they were made of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, Sum

from backend.funding.booking import FEE_KEPT
from backend.funding.models import Allocation, Funding, Payable
from backend.funding.status import PayableStatus
from backend.ledger.bookings import PAYMENT
from backend.ledger.kinds import AccountKind
from backend.ledger.models import Account, Entry, Transfer
from backend.ledger.verification import verify
from backend.payments.status import TERMINAL, PaymentPurpose
from backend.reconciliation.findings import Finding, Kind

# The books as a whole have no row; this stands for them.
THE_BOOKS = UUID(int=0)


def booked_without_payment(*, since: datetime | None) -> Iterator[Finding]:
    """Every transfer is for a payment that delivered, a promise, a kept fee, or a correction."""
    ended = Q(payment__status__in=sorted(TERMINAL), payment__delivered_value__gt=0)
    promise = Q(reason__startswith="PROMISE:") | Q(reason__startswith="RELEASE:")
    promised = Exists(Allocation.objects.filter(id=OuterRef("subject")))
    kept = Payable.objects.filter(
        id=OuterRef("subject"), purpose=PaymentPurpose.PLATFORM_FEE, status=PayableStatus.PAID
    )
    wrong = (
        (Q(reason=PAYMENT) & ~ended) | (promise & ~promised) | (Q(reason=FEE_KEPT) & ~Exists(kept))
    )
    transfers = Transfer.objects.filter(wrong).select_related("payment")
    if since is not None:
        transfers = transfers.filter(at__gte=since)
    for transfer in transfers.order_by("seq").iterator(chunk_size=500):
        payment = transfer.payment
        if _undone(transfer):
            continue
        yield Finding(
            kind=Kind.BOOKED_WITHOUT_PAYMENT,
            subject=transfer.id,
            payment=transfer.payment_id,
            expected=f"something that {transfer.reason} is for",
            actual="nothing" if payment is None else f"{payment.status}, nothing delivered",
            evidence={"transfer": transfer.seq},
        )


def _undone(transfer: Transfer) -> bool:
    """Whether another transfer for the same thing took all of it back: nothing is changed here."""
    if transfer.payment_id is None and transfer.subject is None:
        return False
    same_thing = Entry.objects.filter(
        transfer__payment=transfer.payment_id, transfer__subject=transfer.subject
    )
    left = same_thing.order_by().values("account").annotate(left=Sum("amount")).exclude(left=0)
    return not left.exists()


def held_for_nothing() -> Iterator[Finding]:
    """No account holds money for a funding that does not exist."""
    known = Exists(Funding.objects.filter(id=OuterRef("subject")))
    held = Account.objects.filter(~known, kind=AccountKind.ESCROW).exclude(balance=0)
    for account in held.order_by("id"):
        yield Finding(
            kind=Kind.ESCROW_DIFFERS,
            subject=account.id,
            expected=f"0 {account.asset_code}/{account.asset_scale} held for no funding",
            actual=f"{account.balance} in the books",
            evidence={"account": str(account)},
        )


def broken() -> Iterator[Finding]:
    """The books are as they were written: see `manage.py verify_chain`."""
    verified = verify()
    if verified.broken:
        yield Finding(
            kind=Kind.BOOKS_BROKEN,
            subject=THE_BOOKS,
            expected="each row as it was written",
            actual=verified.broken,
            evidence={"head": verified.head},
        )
