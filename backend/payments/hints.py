"""Telling Celery that a payment or a held grant is due.

The row decides; a hint may be lost, late or doubled.
"""

from uuid import UUID

from django.db import transaction

from backend.best_effort import Courier
from backend.telemetry import context

_courier = Courier("payment-hints")


def advance(payment_id: UUID) -> None:
    """After the current transaction commits, hint that this payment is due. Never blocks."""
    headers = context.carried()
    transaction.on_commit(
        lambda: _courier.send(lambda: _publish_payment(payment_id, headers)), robust=True
    )


def advance_held_grant(held_grant_id: UUID) -> None:
    """After the current transaction commits, hint that this grant is due. Never blocks."""
    headers = context.carried()
    transaction.on_commit(
        lambda: _courier.send(lambda: _publish_grant(held_grant_id, headers)), robust=True
    )


def _publish_payment(payment_id: UUID, headers: dict[str, str]) -> None:
    # Imported late: tasks import the workflow, which sends hints.
    from backend.payments.tasks import advance_payment

    advance_payment.apply_async(
        kwargs={"payment_id": str(payment_id)}, headers=headers, retry=False
    )


def _publish_grant(held_grant_id: UUID, headers: dict[str, str]) -> None:
    from backend.payments.tasks import advance_held_grant

    advance_held_grant.apply_async(
        kwargs={"held_grant_id": str(held_grant_id)}, headers=headers, retry=False
    )
