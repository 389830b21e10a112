"""The back office in a real browser: both factors, then from what needs somebody to its end."""

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from pytest_django.live_server_helper import LiveServer

from backend import rate_limits
from backend.accounts.models import User
from backend.back_office.models import OperatorAction
from backend.events.relay import relay
from backend.payments.models import HeldGrant, Payment
from backend.payments.status import PaymentStatus
from backend.webhooks.models import WebhookDelivery
from backend.webhooks.status import DeliveryStatus
from tests.back_office.people import PASSWORD, an_operator
from tests.back_office.test_pages import a_treasury_grant
from tests.conformance.conftest import HERE
from tests.payments.test_resolving import hanging, look_once_more
from tests.simulation.simulator import BASE_URL, Simulation
from tests.webhooks.world import a_user, an_endpoint, announce, deliveries

pytestmark = pytest.mark.django_db(transaction=True)

WIDE, PHONE = 1280, 360
EVIDENCE = {"#id_outcome_1": True, "#id_note": "The provider's support says so."}


@pytest.fixture(autouse=True)
def _as_in_production(settings: LazySettings) -> Iterator[None]:
    settings.OPERATORS_NEED_SECOND_FACTOR = True
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"
    rate_limits.limiter().reset()
    yield
    rate_limits.limiter().reset()


@pytest.fixture
def simulation() -> Simulation:
    """A payment that hangs, in a world whose clock is a little ahead of the server's."""
    made = hanging(PaymentStatus.UNKNOWN)
    made.clock.at = datetime.now(UTC) + timedelta(minutes=30)
    return made


@pytest.fixture
def missed() -> WebhookDelivery:
    """A delivery that was given up."""
    person, now = a_user(), datetime.now(UTC)
    made = an_endpoint(person)
    announce(f"user:{person.id}")
    relay(now=now)
    (delivery,) = deliveries(made.endpoint)
    WebhookDelivery.objects.filter(id=delivery.id).update(
        status=DeliveryStatus.MISSED, due_at=None, ended_at=now
    )
    return delivery


def visit(
    node: str, browser: str, server: LiveServer, operator: User, visits: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Log in as `operator`, who sets the second factor up, and make the visits."""
    arguments = {
        "executable": browser,
        "base": server.url,
        "email": operator.email,
        "password": PASSWORD,
        "visits": visits,
    }
    done = subprocess.run(
        [node, "back_office.mjs", json.dumps(arguments)],
        cwd=HERE,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["errors"] == []
    assert [each for each in report["seen"] if each["overflow"] > 0] == []
    seen: list[dict[str, Any]] = report["seen"]
    return seen


def test_two_operators_end_a_hanging_payment_and_one_brings_a_webhook_again(
    node: str,
    browser: str,
    live_server: LiveServer,
    simulation: Simulation,
    missed: WebhookDelivery,
) -> None:
    payment = simulation.payment
    of_payment = f"/admin/payments/payment/{payment.id}/change/"
    of_delivery = f"/admin/webhooks/webhookdelivery/{missed.id}/change/"
    word = {
        "fill": {**EVIDENCE, "#id_evidence_url": "https://a.example"},
        "press": "#do-resolve button",
    }
    other = {**word, "fill": {**EVIDENCE, "#id_evidence_url": "https://b.example"}}

    first = visit(
        node,
        browser,
        live_server,
        an_operator("Ana"),
        [
            {"path": "/admin/", "width": PHONE},
            {"path": "/admin/", "width": WIDE},
            {"follow": ".bo-list a", "width": WIDE},
            {"width": PHONE},
            {**word, "width": WIDE},
        ],
    )
    look_once_more(simulation)
    second = visit(
        node,
        browser,
        live_server,
        an_operator("Bea"),
        [
            {"path": of_payment, **other, "width": PHONE},
            {"path": of_delivery, "width": PHONE},
            {"press": "#do-replay button", "width": WIDE},
        ],
    )

    missed.refresh_from_db()
    assert "UNKNOWN" in first[1]["text"]
    assert first[2]["url"].endswith(of_payment.replace("-", "")) or of_payment in first[2]["url"]
    assert "SENDING → UNKNOWN" in first[2]["text"]
    assert "Ana says that it is FAILED" in first[4]["text"]
    assert "UNKNOWN → FAILED" in second[0]["text"]
    assert Payment.objects.get(id=payment.id).status == PaymentStatus.FAILED
    assert "Brought it again" in second[2]["text"]
    assert missed.status == DeliveryStatus.PENDING
    assert OperatorAction.objects.count() == 5


@pytest.mark.parametrize("width", [PHONE, WIDE])
def test_an_operator_asks_for_the_first_consent_of_the_treasury(
    node: str, browser: str, live_server: LiveServer, width: int, tmp_path: Path
) -> None:
    operator = an_operator("Ana")
    a_treasury_grant(operator).delete()
    ask = {"fill": {"#ask-treasury #id_limit": "250000"}, "press": "#ask-treasury button"}

    offered, asked = visit(
        node,
        browser,
        live_server,
        operator,
        [
            {"path": "/admin/", "width": width, "png": str(tmp_path / "start.png"), "whole": True},
            {**ask, "width": width, "png": str(tmp_path / "asked.png")},
        ],
    )

    grant = HeldGrant.objects.get()
    assert "no consent is held" in offered["text"]
    assert asked["url"].endswith(f"/heldgrant/{grant.id}/change/")
    assert "Asked for a consent of 2,500.00 USD" in asked["text"]
    assert grant.limit_value == 250_000
