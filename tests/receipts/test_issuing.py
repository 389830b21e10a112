"""One receipt for each completed payment, none for another, and it says what the payment says."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import jwt
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection, transaction

from backend.funding.models import Funding
from backend.funding.status import FundingStatus
from backend.payments import claims, workflow
from backend.payments.models import Payment
from backend.payments.signals import payment_ended
from backend.payments.status import PaymentPurpose, PaymentStatus
from backend.receipts.issuing import issue, number_of, on_payment_ended
from backend.receipts.models import Receipt
from backend.receipts.subjects import subject_of
from tests.conftest import NOON
from tests.simulation.crashes import Crash
from tests.simulation.simulator import LEASE_OVER, Simulation

A_PAYMENT_ID = UUID("019e8299-5c00-7abc-8123-456789abcdef")


def claims_in(receipt: Receipt) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(receipt.jws, options={"verify_signature": False})
    return claims


# --- what it says -------------------------------------------------------------------------------


def test_the_receipt_says_what_the_payment_says(completed: Simulation, receipt: Receipt) -> None:
    payment = completed.payment
    attempt = payment.attempts.get()
    at = payment.transitions.get(new="COMPLETED").at

    assert claims_in(receipt) == {
        "v": 1,
        "iss": "http://127.0.0.1:8000",
        "iat": int(at.timestamp()),
        "number": receipt.number,
        "payment": {
            "id": str(payment.id),
            "purpose": "FUND",
            "completedAt": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z",
            "debitAmount": {"value": str(payment.debit_value), "assetCode": "USD", "assetScale": 2},
            "deliveredAmount": {"value": "2500", "assetCode": "USD", "assetScale": 2},
            "incomingPayment": attempt.incoming_payment_url,
            "quote": attempt.quote_url,
            "outgoingPayment": attempt.outgoing_payment_url,
        },
        "payer": {"walletAddress": payment.sender.url},
        "payee": {"walletAddress": payment.receiver.url},
        "for": {
            "fundingId": str(payment.reference),
            "job": {"id": str(completed.job.id), "title": "Translate"},
        },
    }
    assert receipt.issued_at == at
    assert attempt.incoming_payment_url and attempt.quote_url and attempt.outgoing_payment_url


def test_its_header_says_what_it_is_and_brings_no_key_along(receipt: Receipt) -> None:
    header = jwt.get_unverified_header(receipt.jws)

    assert header.keys() == {"alg", "kid", "typ"}
    assert (header["alg"], header["typ"]) == ("EdDSA", "receipt+jwt")


@pytest.mark.django_db
def test_each_amount_is_in_the_asset_of_its_wallet() -> None:
    simulation = Simulation(temperament="strict", payer_wallet="bob")
    assert simulation.run().status is PaymentStatus.COMPLETED

    payment = claims_in(Receipt.objects.get())["payment"]

    assert payment["debitAmount"]["assetCode"] == "EUR"
    assert payment["deliveredAmount"]["assetCode"] == "USD"


@pytest.mark.django_db
def test_it_names_the_attempt_that_delivered_and_none_that_is_dead() -> None:
    simulation = Simulation(temperament="strict")
    simulation.fault(call="create-outgoing-payment", when="before", act="reset")
    assert simulation.run().status is PaymentStatus.COMPLETED
    dead, living = simulation.payment.attempts.order_by("number")

    payment = claims_in(Receipt.objects.get())["payment"]

    assert dead.dead_at is not None
    assert payment["incomingPayment"] == living.incoming_payment_url
    assert payment["outgoingPayment"] == living.outgoing_payment_url


def test_of_another_purpose_it_says_the_reference(completed: Simulation) -> None:
    payment = completed.payment
    payment.purpose = PaymentPurpose.REFUND

    assert subject_of(payment) == {"reference": str(payment.reference)}


@pytest.mark.parametrize(
    ("last_bit", "number"),
    [(0, "R-2026-028T5CY4TQKFF"), (1, "R-2026-028T5CY4TQKFG")],
)
def test_a_number_is_the_year_and_the_random_part_of_the_payments_id(
    last_bit: int, number: str
) -> None:
    payment = Payment(id=UUID(int=A_PAYMENT_ID.int + last_bit))

    assert number_of(payment, at=NOON) == number
    assert number_of(payment, at=datetime(2027, 1, 1, tzinfo=UTC))[:7] == "R-2027-"


# --- exactly one ---------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_completion_that_was_rolled_back_leaves_none_and_its_repetition_one() -> None:
    simulation = Simulation(temperament="strict")
    seen: list[int] = []

    def die_once(**_: Any) -> None:
        if not seen:
            seen.append(Receipt.objects.count())
            raise Crash("after the receipt, before the commit")

    payment_ended.connect(die_once, dispatch_uid="die once")
    try:
        while not simulation.deaths:
            simulation.payment = simulation.payment_now()
            simulation.visit_wallet()
            simulation.clock.advance(1)
            simulation.work()
        after_the_crash = Receipt.objects.count()
        verdict = simulation.run()
    finally:
        payment_ended.disconnect(dispatch_uid="die once")

    assert (seen, after_the_crash) == ([1], 0)
    assert (verdict.status, verdict.receipts) == (PaymentStatus.COMPLETED, 1)


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_that_see_the_money_one_issues_it() -> None:
    simulation = Simulation(temperament="strict")
    overtaken: list[PaymentStatus] = []

    def be_overtaken(request: httpx.Request) -> None:
        now = simulation.payment_now()
        if now.status != PaymentStatus.SENT or overtaken:
            return
        overtaken.append(PaymentStatus.SENT)
        # This worker read the payment as SENT and is about to ask; the other one does all of it.
        while simulation.payment_now().status == PaymentStatus.SENT:
            simulation.clock.advance(LEASE_OVER)
            due = claims.claim_due(Payment, now=simulation.clock.now(), limit=1, only=now.id)
            for payment in due:
                workflow.advance(
                    payment, client=simulation.client, clock=simulation.clock, rng=simulation.rng
                )
        overtaken.append(PaymentStatus(simulation.payment_now().status))

    simulation.before_each_call = be_overtaken
    verdict = simulation.run()

    assert overtaken == [PaymentStatus.SENT, PaymentStatus.COMPLETED]
    assert (verdict.problems, verdict.receipts) == ([], 1)


@pytest.mark.django_db(transaction=True)
def test_issuing_again_and_at_the_same_time_gives_the_first_one(completed: Simulation) -> None:
    first = Receipt.objects.get()

    def again(seconds: int) -> str:
        try:
            at = first.issued_at.replace(year=2027, second=seconds)
            return issue(payment=Payment.objects.get(id=first.payment_id), at=at).jws
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(again, range(24)))

    assert found == {first.jws}
    assert Receipt.objects.count() == 1


@pytest.mark.django_db
def test_a_payment_that_failed_has_none() -> None:
    simulation = Simulation(temperament="strict")
    simulation.fault(call="create-outgoing-payment", act="insufficient_funds")

    verdict = simulation.run()

    assert (verdict.status, verdict.receipts) == (PaymentStatus.FAILED, 0)


@pytest.mark.parametrize("status", sorted(set(PaymentStatus) - {PaymentStatus.COMPLETED}), ids=str)
def test_no_other_end_issues_one(status: PaymentStatus) -> None:
    payment = Payment(id=A_PAYMENT_ID, purpose=PaymentPurpose.PAYOUT, status=status)

    # Issuing would need the database, which this test may not use.
    on_payment_ended(payment=payment, at=NOON)


@pytest.mark.django_db(transaction=True)
def test_without_a_key_nothing_is_completed_by_halves(settings: Any) -> None:
    simulation = Simulation(temperament="strict")
    key, settings.RECEIPT_PRIVATE_KEY = settings.RECEIPT_PRIVATE_KEY, "no key"

    with pytest.raises(ImproperlyConfigured):
        simulation.run()
    stuck = simulation.payment_now()
    settings.RECEIPT_PRIVATE_KEY = key

    assert stuck.status == PaymentStatus.SENT
    assert Funding.objects.get().status == FundingStatus.AWAITING_APPROVAL
    assert simulation.run().problems == []


@pytest.mark.django_db(transaction=True)
def test_postgresql_keeps_a_receipt_as_it_is(completed: Simulation) -> None:
    if connection.vendor != "postgresql":
        return
    with pytest.raises(DatabaseError), transaction.atomic():
        Receipt.objects.update(jws="forged")
    with pytest.raises(DatabaseError), transaction.atomic():
        Receipt.objects.all().delete()
