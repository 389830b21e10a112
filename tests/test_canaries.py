"""Secrets of whole journeys are collected: none stands in a log or in the database in the clear."""

import json
import logging
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.apps import apps
from django.test import Client as Browser
from pytest_django import Settings

from backend.accounts import api_keys
from backend.accounts.errors import BadCredentials
from backend.accounts.models import Scope
from backend.clock import SYSTEM_CLOCK
from backend.payments import links
from backend.payments.models import Grant
from backend.payments.status import GrantStatus, PaymentStatus
from backend.webhooks import services as webhooks
from tests.accounts.people import Form, log_in
from tests.jobs.people import a_person
from tests.simulation.simulator import BASE_URL, KEY, Simulation

pytestmark = pytest.mark.django_db(transaction=True)
SHORTEST = 12
# Wallets in trouble, whose answers errors are made of.
JOURNEYS: dict[str, tuple[list[dict[str, Any]], PaymentStatus]] = {
    "with lost answers": (
        [
            {"call": "create-quote", "act": "status_500_text"},
            {"call": "create-outgoing-payment", "act": "reset", "when": "after"},
        ],
        PaymentStatus.COMPLETED,
    ),
    "with wrong answers": (
        [
            {"call": "create-quote", "act": "truncated"},
            {"call": "continue", "act": "wrong_shape"},
            {"call": "create-outgoing-payment", "act": "insufficient_funds"},
        ],
        PaymentStatus.FAILED,
    ),
}


@pytest.fixture(autouse=True)
def _platform(settings: Settings) -> None:
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"


def everything_stored() -> str:
    """Every row of every table, as a backup has it."""
    rows: list[Any] = []
    for model in apps.get_models(include_auto_created=True):
        rows += model._default_manager.values()
    return json.dumps(rows, default=str)


class Payer:
    """Goes through a payment, and keeps whatever secret passes by."""

    def __init__(self) -> None:
        self.secrets: set[str] = {KEY.to_pem().splitlines()[1]}
        self.simulation = Simulation(temperament="strict", start=SYSTEM_CLOCK.now())
        self.simulation.before_each_call = self.collect

    def collect(self, request: httpx.Request) -> None:
        """Note the token that a request carries, and what grants keep meanwhile."""
        self.secrets.add(request.headers.get("authorization", "").removeprefix("GNAP "))
        for grant in Grant.objects.exclude(secrets=""):
            self.secrets |= set(asdict(grant.open_secrets()).values())
        for grant in Grant.objects.exclude(interact_ref=""):
            self.secrets.add(grant.open_interact_ref())

    def pay(self) -> PaymentStatus:
        """From the first quote to the end, through a browser."""
        simulation, browser = self.simulation, Browser()
        for _ in range(200):
            grant = Grant.objects.filter(status=GrantStatus.AWAITING_APPROVAL).first()
            if grant is not None:
                self.collect(httpx.Request("GET", BASE_URL))
                browser.get(urlsplit(links.start_url(grant.id)).path)
                location = simulation.decide("accept").removeprefix("http://127.0.0.1:8000")
                self.secrets.add(parse_qs(urlsplit(location).query)["hash"][0])
                browser.get(location)
            if not simulation.work():
                simulation._wait()
            status = PaymentStatus(simulation.payment_now().status)
            if status in {PaymentStatus.COMPLETED, PaymentStatus.FAILED}:
                return status
        raise AssertionError("not over in time")


@pytest.mark.parametrize("journey", JOURNEYS)
def test_a_payment_leaves_no_secret_behind(caplog: pytest.LogCaptureFixture, journey: str) -> None:
    faults, end = JOURNEYS[journey]
    payer = Payer()
    for fault in faults:
        payer.simulation.fault(**fault)

    with caplog.at_level(logging.DEBUG):
        assert payer.pay() is end

    secrets = {each for each in payer.secrets if len(each) >= SHORTEST}
    stored = everything_stored()
    assert len(secrets) >= 8
    # What is no secret is there: the search finds what it looks for.
    assert str(payer.simulation.payment.id) in stored
    assert str(payer.simulation.payment.id) in caplog.text
    assert [each for each in secrets if each in caplog.text] == []
    assert [each for each in secrets if each in stored] == []


def test_accounts_keys_and_webhooks_leave_no_secret_behind(
    caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    settings.TEST_MODE = True
    now = SYSTEM_CLOCK.now()
    with caplog.at_level(logging.DEBUG):
        session = Form(password="a canary for a password").send(now=now)
        with pytest.raises(BadCredentials):
            log_in(password="a canary that is wrong")
        owner = a_person("owner")
        scopes = [next(iter(Scope))]
        issued = api_keys.create_api_key(
            owner=owner, name="canary", scopes=scopes, test_mode=True, now=now
        )
        endpoint = webhooks.create_endpoint(
            owner=owner, url="https://hooks.example/", events=["*"], now=now
        )

    secrets = {
        "a canary for a password",
        "a canary that is wrong",
        session.token,
        issued.secret,
        endpoint.secret,
    }
    stored = everything_stored()
    assert [each for each in secrets if each in caplog.text or each in stored] == []
