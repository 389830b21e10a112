"""Secrets at rest get a new key: what is sealed, how often, and what is left."""

import base64
import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction
from pytest_django import Settings

from backend.ids import new_id
from backend.payments.models import WalletCall
from backend.sealed import SEALED, count_by_key, seal_again
from backend.webhooks.models import WebhookEndpoint
from tests.conftest import NOON
from tests.docs.pages import ROOT
from tests.jobs.people import a_person
from tests.ledger.books import a_payment

pytestmark = pytest.mark.django_db


def a_key(name: str) -> str:
    return f"{name}:{base64.b64encode(name.encode().ljust(32, b'.')).decode()}"


OLD, NEW = a_key("old"), a_key("new")


@pytest.fixture(autouse=True)
def _sealed_with_the_old_key(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    for _ in range(3):
        an_endpoint()
    settings.ENCRYPTION_KEYS = [NEW, OLD]


def an_endpoint() -> WebhookEndpoint:
    endpoint = WebhookEndpoint(
        owner=a_person(f"p{new_id().hex}"),
        url="https://hooks.example/",
        events=["*"],
        created_at=NOON,
        updated_at=NOON,
    )
    endpoint.secret = endpoint.seal("whsec_secret")
    endpoint.save()
    return endpoint


def a_call() -> WalletCall:
    call = WalletCall(
        payment=a_payment(),
        attempt_number=1,
        operation="create-quote",
        request_digest="",
        fence=1,
        at=NOON,
        is_answer=True,
    )
    call.body = call.seal_body(b"the answer")
    call.save()
    return call


def rekey(*arguments: str) -> str:
    said = StringIO()
    call_command("rekey", *arguments, stdout=said)
    return said.getvalue()


def test_every_sealed_column_of_the_code_is_sealed_again() -> None:
    named = {
        column
        for path in ROOT.joinpath("backend").rglob("*.py")
        for column in re.findall(r'column="([a-z_]+\.[a-z_]+)"', path.read_text())
    }

    # Those that are sealed to see whether sealing works.
    assert named - {"checks.probe", "sealed.probe"} == {each.column for each in SEALED}


def test_everything_is_sealed_with_the_new_key_and_opens_with_it_alone(settings: Settings) -> None:
    said = rekey("--batch", "2")

    settings.ENCRYPTION_KEYS = [NEW]
    assert "3 values were sealed again" in said
    assert "they can be removed" in said
    assert {each.unseal(each.secret) for each in WebhookEndpoint.objects.all()} == {"whsec_secret"}


def test_a_second_run_finds_nothing_to_do() -> None:
    rekey()

    assert "0 values were sealed again" in rekey()


def test_counting_alone_changes_nothing_and_says_what_is_left() -> None:
    with pytest.raises(CommandError, match="3 values are not sealed with new"):
        rekey("--count")

    assert count_by_key() == {"old": 3}


def test_what_its_owner_writes_meanwhile_stays() -> None:
    endpoint = WebhookEndpoint.objects.order_by("-id").first()
    assert endpoint is not None
    batches = seal_again(batch=2)
    next(batches)

    endpoint.secret = endpoint.seal("whsec_another")
    endpoint.save()
    assert sum(batches) == 0

    endpoint.refresh_from_db()
    assert endpoint.unseal(endpoint.secret) == "whsec_another"


def test_a_value_that_does_not_open_stops_it_and_is_named(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [NEW]

    with pytest.raises(CommandError, match=r"webhooks\.secret of .* does not decrypt"):
        rekey()


def test_the_journals_guard_is_lifted_for_that_one_statement(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    call = a_call()
    settings.ENCRYPTION_KEYS = [NEW, OLD]

    rekey()

    call.refresh_from_db()
    assert (call.body.split(".")[1], call.open_body()) == ("new", b"the answer")
    if connection.vendor == "postgresql":
        with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
            WalletCall.objects.update(operation="another")
