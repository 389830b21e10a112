"""Hints that come in: what is not genuine changes nothing, and what is is never believed."""

import base64
import gzip
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import standardwebhooks
from django.conf import LazySettings
from django.core.checks import run_checks
from django.test import Client

from backend.checks import TAG
from backend.clock import SYSTEM_CLOCK
from backend.ids import new_id
from backend.payments.models import Attempt, Payment
from backend.payments.status import PaymentStatus
from backend.webhooks import retention, signatures
from backend.webhooks.models import InboundEvent
from backend.webhooks.signatures import ID, SIGNATURE, TIMESTAMP, headers_for, key_of
from tests.simulation.simulator import BASE_URL, Simulation

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/webhooks/payments"
SECRET, NEXT, RETIRED, SOMEBODY_ELSES = (signatures.new_secret() for _ in range(4))


@pytest.fixture(autouse=True)
def _secrets(settings: LazySettings) -> None:
    settings.WEBHOOK_SECRETS = [NEXT, SECRET]
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"


@pytest.fixture
def waiting() -> Simulation:
    """A payment whose wallet is asked again in a while."""
    simulation = Simulation(temperament="strict", start=SYSTEM_CLOCK.now())
    simulation.work()
    later = SYSTEM_CLOCK.now() + timedelta(hours=1)
    Payment.objects.filter(id=simulation.payment.id).update(due_at=later)
    return simulation


@dataclass(frozen=True)
class Hint:
    """A request to the door, signed with `secret` unless a header is given."""

    body: bytes
    id: str = "msg_1"
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    secret: str = SECRET
    headers: dict[str, str | None] = field(default_factory=dict)

    def sent(self) -> Any:
        signed: dict[str, str | None] = dict(
            headers_for(id=self.id, body=self.body, keys=[key_of(self.secret)], at=self.at)
        )
        headers = {
            name: value for name, value in {**signed, **self.headers}.items() if value is not None
        }
        return Client(raise_request_exception=False).post(
            PATH, data=self.body, content_type="application/json", headers=headers
        )


def about(payment: Payment, **more: Any) -> Hint:
    said = {"type": "payment.completed", "pendingId": str(payment.id), **more}
    return Hint(json.dumps(said).encode())


# --- what is genuine -----------------------------------------------------------------------------


def test_a_hint_has_the_payment_looked_at_now_and_says_nothing_about_it(
    waiting: Simulation,
) -> None:
    before = waiting.payment_now()

    answer = about(before, status="COMPLETED", delivered="999").sent()

    after = waiting.payment_now()
    assert (answer.status_code, answer.json()) == (202, {"ok": True})
    assert after.due_at is not None and after.due_at <= SYSTEM_CLOCK.now()
    assert after.status == before.status == PaymentStatus.AWAITING_APPROVAL
    assert InboundEvent.objects.get().payments == 1


def test_a_hint_from_the_specifications_library_is_taken(waiting: Simulation) -> None:
    body = json.dumps({"data": {"id": str(waiting.payment.id)}})
    now = datetime.now(UTC)
    signature = standardwebhooks.Webhook(NEXT).sign("msg_1", now, body)

    answer = Hint(body.encode(), at=now, headers={SIGNATURE: signature}).sent()

    assert answer.status_code == 202
    assert InboundEvent.objects.get().payments == 1


@pytest.mark.parametrize("column", ["incoming_payment_url", "outgoing_payment_url"])
def test_a_payment_is_known_by_its_urls_at_the_wallets(waiting: Simulation, column: str) -> None:
    url = "https://wallet.example/things/1"
    Attempt.objects.filter(payment=waiting.payment).update(**{column: url})
    if not Attempt.objects.filter(payment=waiting.payment).exists():
        Attempt.objects.create(
            payment=waiting.payment, number=1, started_at=SYSTEM_CLOCK.now(), **{column: url}
        )

    Hint(json.dumps({"type": "x", "data": {"id": url, "more": [url]}}).encode()).sent()

    due_at = waiting.payment_now().due_at
    assert due_at is not None and due_at <= SYSTEM_CLOCK.now()


def test_the_same_hint_again_is_taken_and_has_no_effect(waiting: Simulation) -> None:
    hint = about(waiting.payment)
    hint.sent()
    later = SYSTEM_CLOCK.now() + timedelta(hours=1)
    Payment.objects.filter(id=waiting.payment.id).update(due_at=later)

    again = hint.sent()

    assert again.status_code == 202
    assert waiting.payment_now().due_at == later
    assert InboundEvent.objects.count() == 1


@pytest.mark.parametrize(
    "said", [{"type": "unknown"}, {"test": True}, {"pendingId": str(new_id())}]
)
def test_a_hint_about_nothing_of_ours_is_kept_and_has_no_effect(
    waiting: Simulation, said: dict[str, Any]
) -> None:
    before = Payment.objects.values().get()

    answer = Hint(json.dumps(said).encode()).sent()

    assert answer.status_code == 202
    assert InboundEvent.objects.get().payments == 0
    assert Payment.objects.values().get() == before


def test_a_payment_that_is_over_stays_as_it_is(waiting: Simulation) -> None:
    Payment.objects.update(status=PaymentStatus.FAILED, due_at=None)
    before = Payment.objects.values().get()

    assert about(waiting.payment).sent().status_code == 202

    assert Payment.objects.values().get() == before


def test_hints_are_forgotten_after_a_month() -> None:
    Hint(b"{}").sent()

    assert retention.forget_old(now=SYSTEM_CLOCK.now() + timedelta(days=29)) == 0
    assert retention.forget_old(now=SYSTEM_CLOCK.now() + timedelta(days=31)) == 1


# --- what is not ---------------------------------------------------------------------------------

Tamper = Callable[[Hint], Hint]


def _with(**headers: str | None) -> Tamper:
    named = {f"webhook-{name}": value for name, value in headers.items()}
    return lambda hint: replace(hint, headers={**_signed(hint), **named})


def _signed(hint: Hint) -> dict[str, str | None]:
    return dict(headers_for(id=hint.id, body=hint.body, keys=[key_of(SECRET)], at=hint.at))


def _body(change: Callable[[bytes], bytes]) -> Tamper:
    """The headers of the one, the body of the other."""
    return lambda hint: replace(hint, body=change(hint.body), headers=_signed(hint))


def _shifted(seconds: float) -> Tamper:
    return lambda hint: replace(hint, at=hint.at + timedelta(seconds=seconds))


def _signature(change: Callable[[str], str]) -> Tamper:
    return lambda hint: replace(
        hint, headers={**_signed(hint), SIGNATURE: change(_signed(hint)[SIGNATURE] or "")}
    )


def _unlike(text: str) -> str:
    return text[:-3] + ("AA=" if text[-3:] != "AA=" else "BB=")


TAMPERED: dict[str, tuple[Tamper, int]] = {
    "body changed": (_body(lambda body: body.replace(b"completed", b"failed___")), 401),
    "body serialised anew": (
        _body(lambda body: json.dumps(json.loads(body), indent=1).encode()),
        401,
    ),
    "one byte added": (_body(lambda body: body + b" "), 401),
    "body empty": (_body(lambda body: b""), 401),
    "body not UTF-8": (_body(lambda body: b"\xff\xfe"), 401),
    "body not JSON": (_body(lambda body: b"pendingId=1"), 401),
    "body gzipped": (_body(gzip.compress), 401),
    "body of 2 MB": (_body(lambda body: body + b" " * 2_000_000), 400),
    "id missing": (_with(id=None), 401),
    "id changed": (_with(id="msg_2"), 401),
    "id with a dot": (lambda hint: replace(hint, id="msg.1"), 401),
    "timestamp missing": (_with(timestamp=None), 401),
    "timestamp 301 s ago": (_shifted(-301), 401),
    "timestamp in 310 s": (_shifted(310), 401),
    "timestamp a float": (_with(timestamp=f"{datetime.now(UTC).timestamp():.3f}"), 401),
    "timestamp nan": (_with(timestamp="nan"), 401),
    "timestamp changed": (
        lambda hint: _with(timestamp=str(int(hint.at.timestamp()) + 1))(hint),
        401,
    ),
    "signature missing": (_with(signature=None), 401),
    "signature without a comma": (_signature(lambda text: text.replace(",", "")), 401),
    "signature in three parts": (_signature(lambda text: f"{text},x"), 401),
    "signature not ASCII": (_with(signature="v1,ñandú☃"), 401),
    "signature of version 2 only": (_signature(lambda text: text.replace("v1", "v2")), 401),
    "signature one bit off": (_signature(_unlike), 401),
    "another endpoint's secret": (lambda hint: replace(hint, secret=SOMEBODY_ELSES), 401),
    "a retired secret": (lambda hint: replace(hint, secret=RETIRED), 401),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_a_tampered_hint_is_refused_changes_nothing_and_is_logged_once(
    waiting: Simulation, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    tamper, status = TAMPERED[name]
    before = Payment.objects.values().get()
    genuine = about(waiting.payment)

    with caplog.at_level(logging.INFO):
        answer = tamper(genuine).sent()

    assert answer.status_code == status
    assert answer.json()["ok"] is False
    assert not InboundEvent.objects.exists()
    assert Payment.objects.values().get() == before
    ours = [record for record in caplog.records if record.name == "backend.webhooks.views"]
    assert len(ours) == 1
    assert SECRET not in caplog.text
    # The very same hint, untouched, is taken: it was not refused for anything else.
    assert genuine.sent().status_code == 202


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"1", b'"x"', b"[]", b"\xff", b"{", b"[" * 20_000, b'{"a":' * 20_000],
)
def test_a_signed_body_that_is_no_object_is_malformed(body: bytes) -> None:
    assert Hint(body).sent().status_code == 400
    assert not InboundEvent.objects.exists()


@pytest.mark.parametrize("value", ["\0", "\ud800", "x" * 15_000, 1e400, [[[[[[[["deep"]]]]]]]]])
def test_odd_values_in_a_signed_hint_do_no_harm(value: Any) -> None:
    body = json.dumps({"type": value, "pendingId": value, "data": {"id": value}}).encode()

    assert Hint(body).sent().status_code == 202


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch", "options"])
def test_only_posts_are_taken(method: str) -> None:
    assert getattr(Client(), method)(PATH).status_code == 405


def test_without_secrets_nobody_is_genuine(settings: LazySettings) -> None:
    settings.WEBHOOK_SECRETS = []

    assert Hint(b"{}").sent().status_code == 401


def test_a_header_that_comes_twice_is_refused(waiting: Simulation) -> None:
    hint = about(waiting.payment)
    twice = {name: f"{value},{value}" for name, value in _signed(hint).items()}

    for name in (ID, TIMESTAMP, SIGNATURE):
        sent = replace(hint, headers={**_signed(hint), name: twice[name]}).sent()
        assert sent.status_code == 401, name


def test_a_secret_that_is_none_stops_the_server(settings: LazySettings) -> None:
    settings.WEBHOOK_SECRETS = [SECRET, "whsec_" + base64.b64encode(b"short").decode()]

    (found,) = [each for each in run_checks(tags=[TAG]) if each.id == "faena.E040"]

    assert "entry 2" in str(found.msg)
    assert "c2hvcnQ" not in str(found.msg)
