"""The books: accounts, transfers between them, and the entries a transfer is made of.

Rows are added by `posting.post` and never changed. That the database refuses anything else is in
migration 0002, in SQL: a trigger that django-pgtrigger makes can be switched off by whoever may
set a variable, which is right for a log and wrong for money.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import ClassVar
from uuid import UUID

from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Coalesce

from backend.accounts.models import Asset
from backend.ids import new_id
from backend.ledger.kinds import SHAPES, AccountKind
from backend.ledger.refs import describe
from backend.payments.models import Payment

NOBODY = Value(UUID(int=0), output_field=models.UUIDField())


def _keys_fit_the_kind() -> Q:
    return reduce(
        or_,
        (
            Q(kind=kind.value, owner__isnull=not shape.owner, subject__isnull=not shape.subject)
            for kind, shape in SHAPES.items()
        ),
    )


class Account(models.Model):
    """What one kind of money of one owner comes to, in one asset.

    `balance` is the sum of the account's entries, in the asset's smallest unit; it changes only
    together with them.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    kind = models.CharField(max_length=20, choices=AccountKind)
    asset_code = models.CharField(max_length=32)
    asset_scale = models.PositiveSmallIntegerField()
    # A user's id, and whatever else the account is about. No foreign keys: books outlive rows.
    owner = models.UUIDField(null=True)
    subject = models.UUIDField(null=True)
    balance = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            # NULL is not equal to NULL in a unique index, unless it is made to be.
            models.UniqueConstraint(
                "kind",
                "asset_code",
                "asset_scale",
                Coalesce("owner", NOBODY),
                Coalesce("subject", NOBODY),
                name="account_once",
            ),
            models.CheckConstraint(name="account_keys_fit_kind", condition=_keys_fit_the_kind()),
            models.CheckConstraint(
                name="account_escrow_not_overdrawn",
                condition=~Q(kind=AccountKind.ESCROW) | Q(balance__gte=0),
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="account_owner", fields=["owner"], condition=Q(owner__isnull=False))
        ]

    def __str__(self) -> str:
        return describe(self.kind, self.asset, self.owner, self.subject)

    @property
    def asset(self) -> Asset:
        return Asset(self.asset_code, self.asset_scale)


class Transfer(models.Model):
    """Entries that were made together, add up to zero in every asset, and say why.

    `seq` has no gaps, and `hash` covers the transfer, its entries and the hash before it: see
    chain.py.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    seq = models.BigIntegerField(unique=True)
    reason = models.CharField(max_length=80)
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, null=True, related_name="transfers"
    )
    subject = models.UUIDField(null=True)
    at = models.DateTimeField(db_index=True)
    hash = models.CharField(max_length=64)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="transfer_once_per_payment",
                fields=["payment", "reason"],
                condition=~Q(payment=None),
            ),
            models.UniqueConstraint(
                name="transfer_once_per_subject",
                fields=["subject", "reason"],
                condition=~Q(subject=None),
            ),
            models.CheckConstraint(
                name="transfer_for_one_thing", condition=Q(payment=None) | Q(subject=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.reason}"


class Entry(models.Model):
    """One line of a transfer: `amount` more on an account, or less."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    transfer = models.ForeignKey(
        Transfer, on_delete=models.PROTECT, related_name="entries", db_index=False
    )
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="entries")
    amount = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "entries"
        constraints: ClassVar = [
            models.UniqueConstraint(name="entry_once_per_account", fields=["transfer", "account"]),
            models.CheckConstraint(name="entry_not_zero", condition=~Q(amount=0)),
        ]

    def __str__(self) -> str:
        return f"{self.amount:+} {self.account_id}"


class Head(models.Model):
    """The end of the chain: one row, locked by whoever posts."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    seq = models.BigIntegerField()
    hash = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"
