"""Secrets at rest get a new key: what is sealed, how often, and what is left."""

import ast
import base64
from collections.abc import Iterator
from importlib import import_module
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction
from pytest_django import Settings

from backend.back_office import second_factor
from backend.back_office.models import SecondFactor
from backend.ids import new_id
from backend.payments.models import WalletCall
from backend.sealed import SEALED, count_by_key, seal_again
from backend.webhooks.models import WebhookEndpoint
from tests.back_office.people import an_operator
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


def sealed_in(path: Path) -> Iterator[str]:
    """The columns that the code of a file seals: each call of `encryption.encrypt` names one."""
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for call in ast.walk(ast.parse(path.read_text())):
        if isinstance(call, ast.Call) and ast.unparse(call.func).split(".")[-1] == "encrypt":
            for column in (each.value for each in call.keywords if each.arg == "column"):
                if isinstance(column, ast.Constant):
                    yield str(column.value)
                else:
                    assert isinstance(column, ast.Name), f"{path} names its column otherwise."
                    yield getattr(import_module(module), column.id)


def test_every_sealed_column_of_the_code_is_sealed_again() -> None:
    files = set(ROOT.joinpath("backend").rglob("*.py")) - {ROOT / "backend" / "sealed.py"}

    named = {column for path in files for column in sealed_in(path)}

    # The one that is sealed to see whether sealing works.
    assert named - {"checks.probe"} == {each.column for each in SEALED}


def test_everything_is_sealed_with_the_new_key_and_opens_with_it_alone(settings: Settings) -> None:
    said = rekey("--batch", "2")

    settings.ENCRYPTION_KEYS = [NEW]
    assert "3 values were sealed again" in said
    assert "they can be removed" in said
    assert {each.unseal(each.secret) for each in WebhookEndpoint.objects.all()} == {"whsec_secret"}


def test_operators_get_in_with_the_new_key_alone(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    factors = [second_factor.begin(an_operator(), now=NOON) for _ in range(3)]
    keys = {factor.open_key() for factor in factors}
    settings.ENCRYPTION_KEYS = [NEW, OLD]

    rekey("--batch", "2")

    settings.ENCRYPTION_KEYS = [NEW]
    assert {factor.open_key() for factor in SecondFactor.objects.all()} == keys


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
