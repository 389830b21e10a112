"""The one door into the books."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from backend.accounts.models import Asset
from backend.ledger import chain
from backend.ledger.errors import AlreadyPosted, Overdrawn, TooLarge, Unbalanced
from backend.ledger.kinds import AccountKind
from backend.ledger.models import Account, Entry, Transfer
from backend.ledger.refs import AccountRef
from backend.payments.models import Payment

LARGEST = 2**63 - 1
Line = tuple[AccountRef, int]


def post(
    *,
    reason: str,
    at: datetime,
    lines: Iterable[Line],
    payment: Payment | None = None,
    subject: UUID | None = None,
) -> Transfer:
    """Write one transfer: `lines` in the smallest unit of their account's asset, plus and minus.

    Lines of one account are added up. What the transfer is for is a `payment`, or a `subject` (any
    other id), or neither; for the same thing and the same `reason` it is safe to repeat, at
    whatever time: the transfer that is there is returned.

    All who post wait for each other until they commit. So call it after every row lock of your
    transaction and before its first `emit`, and do not lock rows of the books yourself: then
    nobody can wait in a circle, however often a transaction posts.

    Raises:
        Unbalanced: the lines do not add up to zero in every asset, or there are none, or a zero.
        AlreadyPosted: the same reason stands there for the same thing, with other lines.
        Overdrawn: an ESCROW account would fall below zero.
        TooLarge: a balance would leave the range of 64 bits.
        ValueError: `payment` and `subject` are both given.
    """
    if payment is not None and subject is not None:
        raise ValueError("A transfer is for a payment or for a subject, not for both.")
    amounts = _added_up(lines)
    transfer = Transfer(reason=reason, payment=payment, subject=subject, at=at)
    with transaction.atomic():
        head = chain.lock()
        if posted := _posted(transfer):
            return _the_same(posted, amounts)
        _require_cover(amounts)
        described = {str(account): amount for account, amount in amounts.items()}
        chain.append(transfer, described, head=head)
        transfer.save(force_insert=True)
        Entry.objects.bulk_create(
            Entry(transfer=transfer, account_id=account.id, amount=amount)
            for account, amount in amounts.items()
        )
        if connection.vendor != "postgresql":  # there a trigger does it
            _add_to_balances(amounts)
    return transfer


def _added_up(lines: Iterable[Line]) -> dict[AccountRef, int]:
    amounts: Counter[AccountRef] = Counter()
    totals: Counter[Asset] = Counter()
    for account, amount in lines:
        amounts[account] += amount
        totals[account.asset] += amount
    if not amounts or not all(amounts.values()):
        raise Unbalanced("A transfer has lines, and none of them is zero.")
    if any(totals.values()):
        wrong = {f"{asset.code}/{asset.scale}": total for asset, total in totals.items() if total}
        raise Unbalanced(f"The lines come to {wrong}, not to zero.")
    return dict(sorted(amounts.items(), key=lambda line: line[0].id))


def _posted(transfer: Transfer) -> Transfer | None:
    same_reason = Transfer.objects.filter(reason=transfer.reason)
    if transfer.payment_id is not None:
        return same_reason.filter(payment_id=transfer.payment_id).first()
    if transfer.subject is not None:
        return same_reason.filter(subject=transfer.subject).first()
    return None


def _the_same(posted: Transfer, amounts: Mapping[AccountRef, int]) -> Transfer:
    there = dict(posted.entries.values_list("account_id", "amount"))
    if there != {account.id: amount for account, amount in amounts.items()}:
        raise AlreadyPosted(f"{posted} was posted for the same thing with other lines.")
    return posted


def _require_cover(amounts: Mapping[AccountRef, int]) -> None:
    """See that all accounts can bear their amounts, and make those that are not there yet."""
    ids = [account.id for account in amounts]
    balances = dict(Account.objects.filter(id__in=ids).values_list("id", "balance"))
    for account, amount in amounts.items():
        before = balances.get(account.id, 0)
        if account.kind is AccountKind.ESCROW and before + amount < 0:
            raise Overdrawn(account, balance=before, amount=amount)
        if abs(before + amount) > LARGEST:
            raise TooLarge(f"{account} would come to {before + amount}.")
    Account.objects.bulk_create(
        Account(
            id=account.id,
            kind=account.kind,
            asset_code=account.asset.code,
            asset_scale=account.asset.scale,
            owner=account.owner,
            subject=account.subject,
        )
        for account in amounts
        if account.id not in balances
    )


def _add_to_balances(amounts: Mapping[AccountRef, int]) -> None:
    for account, amount in amounts.items():
        Account.objects.filter(id=account.id).update(balance=F("balance") + amount)
