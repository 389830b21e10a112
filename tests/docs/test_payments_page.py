"""The pages about payments say what the code does: diagrams, tables and exchanges are compared."""

import importlib
import re
from datetime import timedelta

import pytest
from django.conf import LazySettings

from backend.payments import errors, patience, proofs, status, workflow
from backend.payments.errors import Failure
from backend.payments.lookup import CANNOT_LOOK_UP
from tests.docs import pages, recordings
from tests.simulation.simulator import BASE_URL

PAYMENTS = pages.DOCS / "payments.md"
REQUESTS = pages.DOCS / "payment-requests.md"
STATUSES = pages.DOCS / "payment-statuses.md"
RELIABILITY = pages.DOCS / "reliability.md"
FAILURES = pages.DOCS / "payment-failures.md"
DIAGRAM = {"payment": pages.state_diagram(status.TRANSITIONS, first=status.PaymentStatus.CREATED)}
SEQUENCE_LINE = re.compile(r"F->>[PS]: ([a-z-]+)")


@pytest.fixture(autouse=True)
def _platform(settings: LazySettings) -> None:
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"
    settings.PUBLIC_URL = "http://127.0.0.1:8000"


def test_the_status_diagram_is_the_table_of_transitions() -> None:
    if pages.REWRITE:
        pages.rewrite(STATUSES, kind="diagram", blocks=DIAGRAM)

    assert pages.generated_blocks(STATUSES, kind="diagram") == DIAGRAM


@pytest.mark.django_db(transaction=True)
def test_the_exchanges_are_what_a_real_payment_says() -> None:
    ordinary = recordings.ordinary_payment() | recordings.dead_token()
    for page, said in ((REQUESTS, ordinary), (RELIABILITY, recordings.lost_order())):
        if pages.REWRITE:
            pages.rewrite(page, kind="recorded", blocks=said)

        assert pages.generated_blocks(page, kind="recorded") == said


@pytest.mark.django_db(transaction=True)
def test_the_sequence_diagram_has_the_calls_of_a_real_payment_in_their_order() -> None:
    drawn = SEQUENCE_LINE.findall(PAYMENTS.read_text())

    assert drawn == recordings.operations_of_an_ordinary_payment()


def test_every_status_is_explained_once() -> None:
    explained = [row[0].strip("`") for row in pages.table_with_heading(STATUSES, "Status")]

    assert explained == [each.value for each in status.PaymentStatus]


def test_every_failure_is_listed_with_its_code_and_whether_asking_again_helps() -> None:
    listed = {tuple(row[:3]) for row in pages.table_with_heading(FAILURES, "Failure")}

    failures = {name: value for name, value in vars(errors).items() if isinstance(value, Failure)}
    assert listed == {
        (f"`{name}`", f"`{failure.code}`", "yes" if failure.retryable else "no")
        for name, failure in failures.items()
    }


def test_every_constant_in_the_tables_has_that_value() -> None:
    rows = pages.table_with_heading(STATUSES, "Constant")

    named = {row[0].strip("`"): row[1] for row in rows}
    assert named == {name: pages.in_words(_value_of(name)) for name in named}
    assert len(named) == len(rows)


def test_the_polling_rhythm_is_the_one_of_the_code() -> None:
    rows = [row[:2] for row in pages.table_with_heading(STATUSES, "Since the order")]

    wanted = [[f"up to {pages.in_words(age)}", f"{pause:g} s"] for age, pause in proofs.POLLING]
    assert rows == [*wanted, ["after that", f"{proofs.LONGEST_POLL_SECONDS:g} s"]]


def test_every_kind_of_discrepancy_is_explained() -> None:
    explained = {row[0].strip("`") for row in pages.table_with_heading(FAILURES, "Discrepancy")}

    source = pages.ROOT.joinpath("backend/payments/proofs.py").read_text()
    assert explained == {CANNOT_LOOK_UP, *re.findall(r'kind="([A-Z_]+)"', source)}


@pytest.mark.django_db(transaction=True)
def test_only_the_three_named_calls_are_not_repeatable() -> None:
    named = [row[0].strip("`") for row in pages.table_with_heading(RELIABILITY, "Call")]

    assert sorted(named) == sorted(recordings.operations_that_are_asked_once())


def _value_of(name: str) -> object:
    module, _, constant = name.rpartition(".")
    short = {"workflow": workflow, "proofs": proofs, "patience": patience}
    owner = short.get(module) or importlib.import_module(f"backend.{module}")
    value = getattr(owner, constant)
    return timedelta(seconds=value) if constant.endswith(("_S", "_SECONDS")) else value
