"""Every column that `encryption` seals: counting by key, sealing again with the newest key.

A key may leave ENCRYPTION_KEYS when nothing is sealed with it any more.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pgtrigger
from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Count, Value
from django.db.models.functions import StrIndex, Substr

from backend import encryption

BATCH = 500
VERSION = "v1."


@dataclass(frozen=True, slots=True)
class Sealed:
    """A field of a model, and the name under which `encryption` binds its values to their row.

    `row` is the unique field whose UUID stands for the row there. `guard` is the trigger that keeps
    the row from being changed, if it has one.
    """

    model: str
    field: str
    column: str
    row: str = "id"
    guard: str | None = None

    @property
    def rows(self) -> "models.QuerySet[Any]":
        """Those in which something is sealed."""
        model: Any = apps.get_model(self.model)
        rows: models.QuerySet[Any] = model.objects.exclude(**{self.field: ""})
        return rows


SEALED = (
    Sealed("payments.Grant", "secrets", "payments_grant.secrets"),
    Sealed("payments.Grant", "interact_ref", "payments_grant.interact_ref"),
    Sealed(
        "payments.WalletCall",
        "body",
        "payments_walletcall.body",
        guard="payments.WalletCall:wallet_call_append_only",
    ),
    Sealed("webhooks.WebhookEndpoint", "secret", "webhooks.secret"),
    Sealed("webhooks.WebhookEndpoint", "previous_secret", "webhooks.secret"),
    Sealed(
        "back_office.SecondFactor",
        "sealed_key",
        "back_office_secondfactor.sealed_key",
        row="user_id",
    ),
)


def keys_in_ring() -> list[str]:
    """The names of the keys, the one that seals first.

    Raises:
        ImproperlyConfigured: see `encryption.encrypt`.
    """
    encryption.encrypt("probe", column="sealed.probe", row=UUID(int=0))
    return [entry.partition(":")[0] for entry in settings.ENCRYPTION_KEYS]


def count_by_key() -> Counter[str]:
    """How many values are sealed with which key. Reads every row of these tables."""
    found: Counter[str] = Counter()
    for sealed in SEALED:
        behind_version = Substr(sealed.field, len(VERSION) + 1)
        kid = Substr(behind_version, 1, StrIndex(behind_version, Value(".")) - 1)
        counted = sealed.rows.order_by().values(kid=kid).annotate(number=Count("id"))
        found.update({row["kid"]: row["number"] for row in counted})
    return found


def keys_of_sample(sealed: Sealed) -> set[str]:
    """Open the oldest and the newest value of a column; return with which keys.

    Raises:
        CannotDecrypt: one of them does not open.
    """
    found = set()
    for order in (sealed.row, f"-{sealed.row}"):
        row = sealed.rows.order_by(order).values_list(sealed.row, sealed.field).first()
        if row is not None:
            encryption.decrypt(row[1], column=sealed.column, row=row[0])
            found.add(encryption.key_of(row[1]))
    return found


def seal_again(*, batch: int = BATCH) -> Iterator[int]:
    """Seal with the newest key whatever another one sealed, `batch` values in a transaction.

    Yields how many each transaction sealed. Safe to stop, to repeat, and to run while payments are
    made: a value that changes meanwhile is sealed with the newest key already, and stays.

    Raises:
        CannotDecrypt: a value does not open; what was sealed before stays so.
    """
    newest = keys_in_ring()[0]
    for sealed in SEALED:
        old = sealed.rows.exclude(**{f"{sealed.field}__startswith": f"{VERSION}{newest}."})
        last = UUID(int=0)
        in_order = old.order_by(sealed.row).values_list(sealed.row, sealed.field)
        while rows := list(in_order.filter(**{f"{sealed.row}__gt": last})[:batch]):
            last = rows[-1][0]
            with transaction.atomic(), _lifted(sealed.guard):
                yield sum(_seal(sealed, row, text) for row, text in rows)


def _seal(sealed: Sealed, row: UUID, text: str) -> int:
    plain = encryption.decrypt(text, column=sealed.column, row=row)
    fresh = encryption.encrypt(plain, column=sealed.column, row=row)
    # Only if it is still the text that was read: its owner may have written another.
    unchanged = {sealed.row: row, sealed.field: text}
    return sealed.rows.filter(**unchanged).update(**{sealed.field: fresh})


def _lifted(guard: str | None) -> "AbstractContextManager[Any]":
    if guard is None or connection.vendor != "postgresql":
        return nullcontext()
    # The row says the same as before: only the key it is locked with is another.
    context: AbstractContextManager[Any] = pgtrigger.ignore(guard)
    return context
