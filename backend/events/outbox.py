"""Writing events: one door, used inside the transaction of the change it announces."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection, transaction

from backend import rows
from backend.events.hub import wake
from backend.events.models import Event, Topic

if TYPE_CHECKING:
    from backend.accounts.models import User

_NEXT_SEQ = f"""
    INSERT INTO {Topic._meta.db_table} (name, last_seq) VALUES (%s, 1)
    ON CONFLICT (name) DO UPDATE SET last_seq = {Topic._meta.db_table}.last_seq + 1
    RETURNING last_seq
"""  # noqa: S608 - the only interpolation is our own table's name


def emit(
    *,
    topic: str,
    type: str,
    payload: Mapping[str, Any],
    at: datetime,
    actor: "User | None" = None,
    subject_id: UUID | None = None,
) -> Event:
    """Write an event and wake its subscribers once the surrounding transaction commits.

    Call it inside atomic(), as the last statement: from here to the commit the topic is
    locked, which is what makes its sequence gapless and its order the order of commits.
    Several topics in one transaction must be emitted in sorted order, or two writers can
    deadlock. `actor` None means the system itself. A rollback takes the event with it.

    Raises:
        TransactionManagementError: there is no surrounding transaction.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("emit() must run inside atomic().")
    event = Event(
        topic=topic,
        type=type,
        actor=actor,
        subject_id=subject_id,
        payload=dict(payload),
        at=at,
    )
    event.seq = _insert(event)
    # robust: a wake-up that fails must not stop the callbacks after it; a poll finds the event.
    transaction.on_commit(partial(wake, topic), robust=True)
    return event


def _insert(event: Event) -> int:
    values = rows.values_of(event)
    del values["seq"]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Both in one round trip.
            next_seq = "(SELECT last_seq FROM next)"
            statement = f"WITH next AS ({_NEXT_SEQ}) {_insert_statement(next_seq, *values)}"
            cursor.execute(statement, [event.topic, *values.values()])
        else:
            cursor.execute(_NEXT_SEQ, [event.topic])
            (seq,) = cursor.fetchone()
            cursor.execute(_insert_statement("%s", *values), [seq, *values.values()])
        (inserted,) = cursor.fetchone()
    return int(inserted)


def _insert_statement(seq: str, *columns: str) -> str:
    places = ", ".join(["%s"] * len(columns))
    return f"""
        INSERT INTO {Event._meta.db_table} (seq, {", ".join(columns)})
        VALUES ({seq}, {places}) RETURNING seq
    """  # noqa: S608 - our own names
