"""`manage.py reconcile`, and how it bears many payments.

RECONCILE_PAYMENTS=10000   how many
"""

import os
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from backend.payments.models import Discrepancy, Payment
from backend.payments.status import PaymentStatus
from backend.reconciliation.reconciling import reconcile
from tests.jobs.people import NOON
from tests.reconciliation import many

PAYMENTS = int(os.environ.get("RECONCILE_PAYMENTS", "60"))
LATER = NOON + timedelta(hours=1)

pytestmark = pytest.mark.django_db(transaction=True)


def test_many_clean_payments_raise_no_alarm_and_one_that_is_not_is_found_among_them() -> None:
    many.make(PAYMENTS)
    judged = PAYMENTS - PAYMENTS // 10

    clean = reconcile(now=LATER, client=None)
    assert (clean.checked["payments"], clean.checked["fundings"]) == (judged, PAYMENTS)
    assert (dict(clean.found), Discrepancy.objects.count()) == ({}, 0)

    victim = Payment.objects.filter(status=PaymentStatus.COMPLETED).latest("id")
    Payment.objects.filter(id=victim.id).update(delivered_value=2501)
    found = reconcile(now=LATER, client=None)
    assert dict(found.found) == {"NOT_BOOKED": 1}
    assert Discrepancy.objects.get().payment_id == victim.id


def test_the_command_says_what_it_found_and_fails() -> None:
    many.make(10)
    Payment.objects.filter(status=PaymentStatus.REJECTED).update(status=PaymentStatus.FAILED)
    told = StringIO()

    with pytest.raises(CommandError, match="1 things do not add up"):
        call_command("reconcile", "--rows-only", stdout=told)

    assert (
        "found          1 STATUS_NOT_LOGGED: the log of a payment does not lead" in told.getvalue()
    )


def test_where_everything_adds_up_the_command_is_content() -> None:
    many.make(10)
    told = StringIO()

    call_command("reconcile", "--rows-only", "--days", "100000", stdout=told)

    assert told.getvalue().startswith("looked at 9 payments, 10 fundings, 8 transfers")


def test_a_discrepancy_that_returns_is_open_again_with_the_date_of_old() -> None:
    many.make(10)
    mine = Payment.objects.filter(status=PaymentStatus.REJECTED)
    mine = Payment.objects.filter(id=mine.get().id)
    for minute, status in enumerate(["FAILED", "REJECTED", "FAILED"]):
        mine.update(status=status)
        reconcile(now=LATER + timedelta(minutes=minute), client=None)

    row = Discrepancy.objects.get()
    assert (row.first_seen_at, row.resolved_at) == (LATER, None)
    assert row.last_seen_at == LATER + timedelta(minutes=2)


def test_what_is_open_is_looked_at_again_however_old_it_is() -> None:
    many.make(10)
    mine = Payment.objects.filter(id=Payment.objects.filter(status="REJECTED").get().id)
    mine.update(status="FAILED")
    reconcile(now=LATER, client=None)

    mine.update(status="REJECTED")
    report = reconcile(now=LATER, client=None, since=LATER)

    assert report.checked["payments"] == 1
    assert dict(report.resolved) == {"STATUS_NOT_LOGGED": 1}
