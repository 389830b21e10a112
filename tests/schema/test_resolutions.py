"""What operators say about a payment that hangs, as a client of the API meets it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.accounts.models import User
from backend.ids import new_id
from backend.payments.models import Payment
from backend.payments.status import PaymentStatus
from tests.jobs.people import NOON, a_person
from tests.schema.client import data_of, execute
from tests.schema.world import PaymentWorld, a_payment

pytestmark = pytest.mark.django_db

SAY = """mutation ($input: ResolveUnknownInput!) { resolveUnknownPayment(input: $input) {
  payment { status resolutions { operator { displayName } outcome evidenceUrl note at carriedOut
    awaitsConfirmation } }
  errors { __typename code message path retryable } } }"""
READ = "query ($id: ID!) { payment(id: $id) { resolutions { outcome awaitsConfirmation } } }"


@pytest.fixture
def hanging() -> PaymentWorld:
    """Not behind any job, so nothing but the payment itself is looked at."""
    world = a_payment()
    Payment.objects.filter(id=world.payment.id).update(
        status=PaymentStatus.UNKNOWN, deadline_at=NOON - timedelta(hours=1)
    )
    return world


def say(world: PaymentWorld, operator: User, **given: Any) -> dict[str, Any]:
    given = {
        "paymentId": world.id,
        "outcome": "FAILED",
        "evidenceUrl": f"https://wallet.example/{new_id()}",
        "note": "Nothing came.",
        "idempotencyKey": str(new_id()),
        **given,
    }
    payload: dict[str, Any] = data_of(execute(SAY, variables={"input": given}, user=operator))
    return dict(payload["resolveUnknownPayment"])


def test_a_proposal_is_shown_with_all_that_was_said(hanging: PaymentWorld) -> None:
    operator = a_person("ada", is_staff=True)

    said = say(hanging, operator, evidenceUrl="https://wallet.example/ticket/7")

    assert said["errors"] == []
    assert said["payment"] == {
        "status": "UNKNOWN",
        "resolutions": [
            {
                "operator": {"displayName": "ada"},
                "outcome": "FAILED",
                "evidenceUrl": "https://wallet.example/ticket/7",
                "note": "Nothing came.",
                "at": NOON.isoformat(),
                "carriedOut": False,
                "awaitsConfirmation": True,
            }
        ],
    }


def test_only_the_newest_proposal_awaits_a_confirmation(hanging: PaymentWorld) -> None:
    say(hanging, a_person(is_staff=True))
    said = say(hanging, a_person(is_staff=True), outcome="COMPLETED")

    assert [row["awaitsConfirmation"] for row in said["payment"]["resolutions"]] == [False, True]

    Payment.objects.update(status=PaymentStatus.SENT)
    auditor = a_person(is_auditor=True)
    read = data_of(execute(READ, variables={"id": hanging.id}, user=auditor))
    assert [row["awaitsConfirmation"] for row in read["payment"]["resolutions"]] == [False, False]


def test_a_refusal_speaks_the_operators_language(hanging: PaymentWorld) -> None:
    operator = a_person(is_staff=True, locale="es")
    say(hanging, operator)

    [error] = say(hanging, operator)["errors"]

    assert (error["code"], error["path"]) == ("FORBIDDEN", ["paymentId"])
    assert error["message"] == "Tú propusiste esto: debe confirmarlo otro operador."


def test_who_comes_too_soon_is_told_to_try_again(hanging: PaymentWorld) -> None:
    say(hanging, a_person(is_staff=True))

    # The proposal has made it due: the wallets are asked first.
    [error] = say(hanging, a_person(is_staff=True))["errors"]

    assert (error["code"], error["retryable"]) == ("INVALID_TRANSITION", True)


@pytest.mark.parametrize("outcome", ["CANCELED", "SENT", "UNKNOWN"])
def test_other_outcomes_are_refused(hanging: PaymentWorld, outcome: str) -> None:
    [error] = say(hanging, a_person(is_staff=True), outcome=outcome)["errors"]

    assert (error["code"], error["path"]) == ("VALIDATION", ["outcome"])


def test_resolutions_of_many_payments_are_read_together(hanging: PaymentWorld) -> None:
    worlds = [hanging, *[a_payment() for _ in range(4)]]
    Payment.objects.update(status=PaymentStatus.UNKNOWN, deadline_at=NOON - timedelta(hours=1))
    operator = a_person(is_staff=True)
    for world in worlds:
        say(world, operator)
    aliases = " ".join(
        f'p{number}: payment(id: "{world.id}") {{ resolutions {{ note awaitsConfirmation }} }}'
        for number, world in enumerate(worlds)
    )

    with CaptureQueriesContext(connection) as captured:
        read = data_of(execute(f"{{ {aliases} }}", user=operator))

    assert all(len(each["resolutions"]) == 1 for each in read.values())
    # The token twice (made and read), the payments, what was said, the attempts.
    assert len(captured) <= 5
