"""The start page begins with what cannot wait, and says nothing where nothing is wrong."""

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from backend.back_office import attention
from backend.jobs.models import Dispute
from backend.jobs.status import ReviewDecision
from backend.payments.models import Discrepancy, HeldGrant, Payment
from backend.payments.status import GrantScope, HeldGrantStatus, PaymentStatus
from tests.back_office.people import an_operator
from tests.conftest import NOON
from tests.jobs.people import (
    a_dispute,
    a_job_with_work,
    a_person,
    a_wallet,
    reviewed,
    submitted_work,
)
from tests.ledger.books import a_payment
from tests.webhooks.world import a_user, an_endpoint

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def open_payment(status: PaymentStatus, *, deadline_in: timedelta, since: timedelta) -> Payment:
    payment = a_payment(status=status, delivered=0)
    Payment.objects.filter(id=payment.id).update(
        deadline_at=NOON + deadline_in, updated_at=NOON - since, due_at=NOON
    )
    return payment


def test_unknown_payments_come_first_the_oldest_of_them_at_the_top() -> None:
    late = open_payment(PaymentStatus.SENT, deadline_in=-9 * HOUR, since=9 * HOUR)
    newer = open_payment(PaymentStatus.UNKNOWN, deadline_in=HOUR, since=HOUR)
    older = open_payment(PaymentStatus.UNKNOWN, deadline_in=-HOUR, since=2 * HOUR)
    open_payment(PaymentStatus.SENT, deadline_in=HOUR, since=HOUR)
    a_payment()

    assert attention.pressing(now=NOON) == [older, newer, late]


def test_disputes_that_wait_for_an_operator_are_on_the_start_page(client: Client) -> None:
    job, (worker,) = a_job_with_work(title="Sing <b>")
    dispute = a_dispute(reviewed(submitted_work(job, worker), ReviewDecision.REJECT))
    client.force_login(an_operator())
    before = client.get("/admin/").content.decode()
    Dispute.objects.update(status="ESCALATED", answer_by=None, due_at=None)

    after = client.get("/admin/").content.decode()

    assert list(attention.escalated()) == [dispute]
    link = f"/admin/jobs/dispute/{dispute.id}/change/"
    assert (link in before, link in after) == (False, True)
    assert "Sing &lt;b&gt;" in after


def test_discrepancies_are_counted_by_kind_and_aged_by_the_oldest() -> None:
    for hours, kind in ((1, "NOT_BOOKED"), (5, "NOT_BOOKED"), (3, "LATE_CREDIT")):
        Discrepancy.note(
            payment=a_payment(), kind=kind, expected="1", actual="2", at=NOON - hours * HOUR
        )
    Discrepancy.note(payment=a_payment(), kind="DELIVERED_LESS", expected="", actual="", at=NOON)
    Discrepancy.objects.filter(kind="DELIVERED_LESS").update(resolved_at=NOON)

    found = [(each.kind, each.number, each.since) for each in attention.discrepancies()]

    assert found == [("NOT_BOOKED", 2, NOON - 5 * HOUR), ("LATE_CREDIT", 1, NOON - 3 * HOUR)]


def test_of_a_treasury_consent_are_shown_what_is_taken_and_the_days_of_its_period() -> None:
    operator = a_person(wallet=False)
    grant = HeldGrant(
        scope=GrantScope.TREASURY,
        status=HeldGrantStatus.HELD,
        payer=operator,
        reference=operator.id,
        sender=a_wallet(operator),
        limit_value=1000,
        reserved_value=850,
        starts_at=NOON,
        period_days=30,
        period_until=NOON + 30 * timedelta(days=1),
        return_url="",
        deadline_at=NOON,
        created_at=NOON,
        updated_at=NOON,
    )

    now = attention.allowance(grant, now=NOON + timedelta(days=20))
    in_the_next_period = attention.allowance(grant, now=NOON + timedelta(days=40))

    assert (now.percent, now.days_left, now.is_low) == (85, 10, True)
    assert (in_the_next_period.percent, in_the_next_period.days_left) == (0, 20)


def test_work_that_waits_although_it_is_due_says_that_nobody_works() -> None:
    payment = open_payment(PaymentStatus.SENT, deadline_in=HOUR, since=HOUR)
    at_once = attention.lag(now=NOON)
    later = attention.lag(now=NOON + HOUR)
    Payment.objects.filter(id=payment.id).update(lease_until=NOON + 2 * HOUR)

    assert at_once.payments is None
    assert later.payments == NOON
    assert attention.lag(now=NOON + HOUR).payments is None


def test_endpoints_that_take_nothing_are_shown() -> None:
    endpoint = an_endpoint(a_user()).endpoint
    an_endpoint(a_user("other"))
    endpoint.failing_since = NOON
    endpoint.save(update_fields=["failing_since"])

    assert list(attention.failing_endpoints()) == [endpoint]


def test_the_start_page_costs_as_many_queries_with_many_payments_as_with_one(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(an_operator())
    for _ in range(5):
        open_payment(PaymentStatus.UNKNOWN, deadline_in=-HOUR, since=HOUR)

    with django_assert_max_num_queries(24):
        page = client.get("/admin/").content.decode()

    assert page.count('class="bo-tag bo-bad">UNKNOWN') == 5
