"""What an older database knew is still known."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from backend.payments.models import Discrepancy
from tests.jobs.people import NOON
from tests.ledger.books import a_payment


@pytest.mark.django_db(transaction=True)
def test_discrepancies_of_payments_are_about_their_payments() -> None:
    payment = a_payment()
    Discrepancy.note(payment=payment, kind="PAST_DEADLINE", expected="1", actual="2", at=NOON)

    MigrationExecutor(connection).migrate([("payments", "0002_held_grants")])
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())

    row = Discrepancy.objects.get()
    assert (row.subject, row.payment_id, row.last_seen_at) == (payment.id, payment.id, NOON)
