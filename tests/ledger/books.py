"""Accounts, payments and postings for the tests of this folder."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from backend.accounts.models import Asset, User
from backend.ids import new_id
from backend.ledger import refs
from backend.ledger.models import Account, Transfer
from backend.ledger.posting import post
from backend.ledger.refs import AccountRef
from backend.payments.models import Payment
from backend.payments.status import PaymentPurpose, PaymentStatus
from tests.jobs.people import NOON, a_person, a_wallet

USD, EUR = Asset("USD", 2), Asset("EUR", 2)


def balance(account: AccountRef) -> int:
    row = Account.objects.filter(id=account.id).first()
    return row.balance if row else 0


def a_payer(asset: Asset = USD) -> AccountRef:
    return refs.payer(new_id(), asset)


def a_payee(asset: Asset = USD) -> AccountRef:
    return refs.payee(new_id(), asset)


def moved(source: AccountRef, destination: AccountRef, amount: int, **fields: Any) -> Transfer:
    fields = {"reason": "TEST", "at": NOON, **fields}
    return post(lines=[(source, -amount), (destination, amount)], **fields)


def an_escrow(amount: int) -> AccountRef:
    """An account of money that the platform holds, with so much on it."""
    escrow = refs.escrow(new_id(), new_id(), USD)
    moved(a_payer(), escrow, amount)
    return escrow


def a_payment(
    *,
    status: PaymentStatus = PaymentStatus.COMPLETED,
    receive: int = 2500,
    debit: int | None = 2550,
    delivered: int | None = None,
    sends: str = "USD",
    receives: str = "USD",
    payer: User | None = None,
) -> Payment:
    """A payment that has ended; unless told, it delivered all that it was for."""
    payer = payer or a_person(wallet=False)
    receiver = a_wallet(a_person(wallet=False), asset_code=receives)
    return Payment.objects.create(
        purpose=PaymentPurpose.FUND,
        status=status,
        payer=payer,
        reference=new_id(),
        sender=a_wallet(payer, asset_code=sends, is_default=False),
        receiver=receiver,
        receive_value=receive,
        receive_asset_code=receives,
        receive_asset_scale=2,
        debit_value=debit,
        delivered_value=receive if delivered is None else delivered,
        return_url="https://app.example/",
        deadline_at=NOON,
        created_at=NOON,
        updated_at=NOON,
    )


@contextmanager
def behind_their_back() -> Iterator[Callable[..., None]]:
    """Write as somebody whom no trigger stops."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
            yield lambda sql, *params: cursor.execute(sql, params)
            return
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = dict(cursor.fetchall())
        for name in triggers:
            cursor.execute(f"DROP TRIGGER {name}")
        yield lambda sql, *params: cursor.execute(sql, [_plain(each) for each in params])
        for created in triggers.values():
            cursor.execute(created)


def _plain(value: Any) -> Any:
    return value.hex if isinstance(value, UUID) else value
