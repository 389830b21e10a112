"""The page about reconciliation explains what can be found."""

import json
import re

import pytest
from django.conf import LazySettings

from backend.ids import new_id
from backend.payments.status import PaymentStatus
from backend.reconciliation.findings import Kind
from backend.reconciliation.tasks import NIGHTLY_DAYS
from celery_app import app
from tests.docs import pages
from tests.monitoring.test_ops import alerts
from tests.payments.test_resolving import an_operator, hanging, look_once_more
from tests.schema.client import data_of, execute
from tests.schema.world import global_id
from tests.simulation.simulator import BASE_URL

PAGE = "docs/reconciliation.md"


def test_every_kind_is_explained_once() -> None:
    text = pages.ROOT.joinpath(PAGE).read_text()

    assert sorted(re.findall(r"^\| `([A-Z_]+)` \|", text, re.MULTILINE)) == sorted(Kind)


def test_somebody_is_got_up_for_what_cannot_wait() -> None:
    text = pages.ROOT.joinpath(PAGE).read_text()
    (said,) = re.findall(r"^What is (.+?)Alerts\]", text, re.MULTILINE | re.DOTALL)
    paging = [rule["expr"] for rule in alerts() if rule["labels"]["severity"] == "page"]
    asked_for = re.findall(r'discrepancy_open\{kind=~?"([^"]+)"', " ".join(paging))

    assert set(re.findall(r"`([A-Z_]+)`", said)) == set("|".join(asked_for).split("|"))


def test_it_runs_when_the_page_says() -> None:
    schedule = app.conf.beat_schedule["reconcile"]["schedule"]
    text = pages.ROOT.joinpath(PAGE).read_text()

    assert (schedule.hour, schedule.minute) == ({3}, {40})
    assert f"03:40 UTC over the last\n{NIGHTLY_DAYS} days" in text


@pytest.mark.django_db(transaction=True)
def test_what_two_operators_say_as_shown_ends_a_payment_that_no_wallet_knows_of(
    settings: LazySettings,
) -> None:
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"
    blocks = pages.FENCED.findall(pages.ROOT.joinpath(PAGE).read_text())
    document, given = (text for kind, text in blocks if kind in {"graphql", "json"})
    simulation = hanging(PaymentStatus.UNKNOWN)
    payment = global_id("Payment", simulation.payment.id)
    said = []

    for ticket in ("4711", "4712"):
        here = given.replace("<payment>", payment).replace("<a new UUID>", str(new_id()))
        values = json.loads(here.replace("4711", ticket))
        at = simulation.clock.now()
        answer = execute(document, variables=values, user=an_operator(ticket), now=at)
        said.append(data_of(answer)["resolveUnknownPayment"])
        look_once_more(simulation)

    assert [each["errors"] for each in said] == [[], []]
    assert [each["payment"]["status"] for each in said] == ["UNKNOWN", "FAILED"]
