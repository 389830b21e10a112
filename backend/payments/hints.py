"""Telling Celery that a payment is due. The row decides; a hint may be lost, late or doubled."""

from uuid import UUID

from django.db import transaction

from backend.best_effort import Courier

_courier = Courier("payment-hints")


def advance(payment_id: UUID) -> None:
    """After the current transaction commits, hint that this payment is due. Never blocks."""
    transaction.on_commit(lambda: _courier.send(lambda: _publish(payment_id)), robust=True)


def _publish(payment_id: UUID) -> None:
    # Imported late: tasks import the workflow, which sends hints.
    from backend.payments.tasks import advance_payment

    advance_payment.apply_async(kwargs={"payment_id": str(payment_id)}, retry=False)
