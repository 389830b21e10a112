"""`Payment.receipt`: for the parties, in one query, in the event that says COMPLETED."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.accounts.models import User
from backend.payments.models import Payment
from backend.receipts.models import Receipt
from tests.receipts.conftest import ISSUER
from tests.schema.client import bearer_of, data_of, execute
from tests.schema.world import a_person, global_id
from tests.simulation.simulator import Simulation

pytestmark = pytest.mark.django_db

RECEIPT = """
query ($id: ID!) {
  payment(id: $id) { status receipt { number issuedAt jws verifyUrl } }
}
"""
OF_A_JOB = """
query ($id: ID!) { node(id: $id) { ... on Job {
  payments(first: 20) { edges { node { receipt { number } } } }
} } }
"""


def seen_by(user: User | None, payment: Payment) -> Any:
    result = execute(RECEIPT, variables={"id": global_id("Payment", payment.id)}, user=user)
    return data_of(result)["payment"]


def test_the_payer_has_it(completed: Simulation, receipt: Receipt) -> None:
    assert seen_by(completed.payer, completed.payment)["receipt"] == {
        "number": receipt.number,
        "issuedAt": receipt.issued_at.isoformat(),
        "jws": receipt.jws,
        "verifyUrl": f"{ISSUER}/receipts/verify",
    }


def test_the_payee_has_the_same(completed: Simulation, receipt: Receipt) -> None:
    payee = a_person("payee")
    wallet = completed.payment.receiver
    wallet.owner = payee
    wallet.save()

    assert seen_by(payee, completed.payment)["receipt"]["jws"] == receipt.jws


@pytest.mark.parametrize("role", ["is_staff", "is_auditor"])
def test_operators_and_auditors_see_the_payment_without_it(
    completed: Simulation, role: str
) -> None:
    person = a_person()
    setattr(person, role, True)
    person.save()

    assert seen_by(person, completed.payment) == {"status": "COMPLETED", "receipt": None}


@pytest.mark.parametrize("who", ["visitor", "stranger"])
def test_to_others_there_is_no_payment(completed: Simulation, who: str) -> None:
    assert seen_by(a_person() if who == "stranger" else None, completed.payment) is None


def test_before_the_end_there_is_none() -> None:
    simulation = Simulation(temperament="strict")

    assert seen_by(simulation.payer, simulation.payment) == {"status": "CREATED", "receipt": None}


def test_many_are_read_in_one_statement(completed: Simulation) -> None:
    def statements(count: int) -> int:
        variables = {"id": global_id("Job", completed.job.id)}
        bearer = bearer_of(completed.payer)
        with CaptureQueriesContext(connection) as captured:
            result = execute(OF_A_JOB, variables=variables, bearer=bearer)
        edges = data_of(result)["node"]["payments"]["edges"]
        assert len([each for each in edges if each["node"]["receipt"]]) == count
        return len(captured)

    one = statements(1)
    for number in range(9):
        copy = completed.payment_now()
        copy.pk = Payment._meta.pk.get_default()
        copy.save(force_insert=True)
        Receipt.objects.create(
            payment=copy, number=f"R-{number}", issued_at=copy.updated_at, jws="a.b.c"
        )

    assert statements(10) == one
