"""A marketplace written against the guide points PAYMENTS_SERVICE_URL at us, and works."""

import asyncio
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import pytest

from tests.e2e.marketplace import Marketplace
from tests.e2e.payments_service import PaymentsService
from tests.e2e.people import Person, people
from tests.e2e.processes import python, run

PATIENCE_SECONDS = 30.0
SELLER = "default-seller"
T = TypeVar("T")
CREATE_KEY = """
mutation ($input: ApiKeyInput!) { createApiKey(input: $input) { secret errors { message } } }
"""


@dataclass(frozen=True)
class Integrator:
    """Whoever runs the marketplace outside: an account with a wallet."""

    market: Marketplace
    token: str

    def a_key(self, *scopes: str) -> str:
        """A new API key of theirs."""
        wish = {"name": "Marketplace", "scopes": list(scopes)}
        headers = {"Authorization": f"Bearer {self.token}"}
        body = {"query": CREATE_KEY, "variables": {"input": wish}}
        made = httpx.post(self.market.graphql, json=body, headers=headers, timeout=20).json()
        return str(made["data"]["createApiKey"]["secret"])

    def approve(self, redirect_url: str) -> None:
        """What a buyer does with a browser."""

        async def visit() -> None:
            async with httpx.AsyncClient() as http:
                await Person(self.market, http, self.token).approve(redirect_url)

        asyncio.run(visit())


@pytest.fixture(scope="module")
def integrator(market: Marketplace) -> Integrator:
    async def account() -> str:
        async with people(market, 1) as (person,):
            return person.token

    return Integrator(market, asyncio.run(account()))


@pytest.fixture(scope="module")
def service(market: Marketplace, integrator: Integrator) -> PaymentsService:
    return PaymentsService(market.url, integrator.a_key("READ", "MONEY"))


def eventually(look: Callable[[], T], until: Callable[[T], bool]) -> T:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not until(seen := look()):
        assert time.monotonic() < deadline, seen
        time.sleep(0.2)
    return seen


def test_S05_S37_the_service_is_healthy(market: Marketplace) -> None:
    said = PaymentsService(market.url, None).health()

    assert (said["status"], said["service"]) == ("ok", "payments")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", said["time"])


def test_S08_S15_S25_S27_S49_S50_an_offer_is_paid_and_says_so_only_then(
    market: Marketplace, service: PaymentsService, integrator: Integrator
) -> None:
    offer_id, buyer = f"test-{uuid.uuid4().hex[:8]}", market.wallet_address("alice")

    started = service.start_quote(offer_id, SELLER, buyer, "100")

    assert started["success"], started
    pending_id = started["data"]["pendingId"]
    assert started["redirect_url"].startswith(f"{market.url}/op/start/")
    assert started["data"]["amount"] == "100.00"
    before = service.payment_status(pending_id)
    assert before
    assert (before["status"], before["offerId"]) == ("pending", offer_id)
    assert before["outgoingPaymentId"] is None

    integrator.approve(started["redirect_url"])
    paid = eventually(
        lambda: service.payment_status(pending_id),
        lambda seen: seen is not None and seen["status"] != "pending",
    )

    assert paid
    assert (paid["status"], paid["deliveredAmount"]) == ("paid", "100.00")
    assert paid["outgoingPaymentId"].startswith("http")
    assert paid["buyerWalletAddressUrl"] == buyer
    (listed,) = service.payments_of(offer_id)
    assert listed["pendingId"] == pending_id
    assert listed["incomingPaymentId"].startswith("http")
    assert listed["quoteId"].startswith("http")
    assert listed["status"] == "paid"
    again = service.start_quote(offer_id, SELLER, buyer, "100")
    assert again == {"success": False, "error": "This offer is paid already."}


def test_S13_S26_D18_a_payer_who_declines_has_failed_and_may_try_again(
    market: Marketplace, service: PaymentsService
) -> None:
    offer_id, buyer = f"test-{uuid.uuid4().hex[:8]}", market.wallet_address("alice")
    started = service.start_quote(offer_id, SELLER, buyer, "12.50")

    with httpx.Client(timeout=20) as browser:
        wallet = browser.get(started["redirect_url"]).headers["location"]
        decided = market.tell_wallet("decide", {"redirect": wallet, "decision": "reject"})
        back = browser.get(decided["location"])
        page = browser.get(back.headers["location"])
    assert page.url.path == "/payments/finish"
    assert "not approved" in page.text
    failed = eventually(
        lambda: service.payment_status(started["data"]["pendingId"]),
        lambda seen: seen is not None and seen["status"] != "pending",
    )

    assert failed
    assert (failed["status"], failed["failure"]["code"]) == ("failed", "GRANT_REJECTED")
    again = service.start_quote(offer_id, SELLER, buyer, "12.75")
    assert again["success"], again
    assert [each["amount"] for each in service.payments_of(offer_id)] == ["12.75", "12.50"]


def test_D27_D28_two_clicks_are_one_payment(market: Marketplace, service: PaymentsService) -> None:
    offer_id, buyer = f"test-{uuid.uuid4().hex[:8]}", market.wallet_address("alice")

    first, second = (service.start_quote(offer_id, SELLER, buyer, "10.00") for _ in range(2))
    other = service.start_quote(f"{offer_id}-other", SELLER, buyer, "10.00")

    assert first["data"]["pendingId"] == second["data"]["pendingId"]
    assert first["redirect_url"] == second["redirect_url"]
    assert other["data"]["pendingId"] != first["data"]["pendingId"]
    refused = service.start_quote(offer_id, SELLER, buyer, "11.00")
    assert refused["success"] is False
    assert len(service.payments_of(offer_id)) == 1


def test_S34_S35_S36_D03_escrow_succeeds_once_the_money_is_there(
    service: PaymentsService, integrator: Integrator
) -> None:
    job = f"Escrow for job: {uuid.uuid4().hex}"

    first = service.create_incoming_payment("40.00", job)

    assert first["success"] is False
    approve_at = re.search(r"http\S+", first["error"])
    assert approve_at, first
    assert service.create_incoming_payment("40.00", job) == first, "the same payer is asked"
    integrator.approve(approve_at[0])
    second = eventually(
        lambda: service.create_incoming_payment("40.00", job), lambda seen: seen["success"]
    )
    status = service.payment_status(second["payment_id"])
    assert status
    assert (status["status"], status["deliveredAmount"]) == ("paid", "40.00")

    # Another job of the same name is not what was paid for.
    third = service.create_incoming_payment("40.00", job)
    assert third["success"] is False


def test_S43_D22_without_a_key_nothing_is_said_or_done(
    market: Marketplace, service: PaymentsService
) -> None:
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "offers/1/quotes/start", {"sellerId": SELLER, "amount": "1.00"}),
        ("GET", "payments/1/status", {}),
        ("GET", "offers/1/payments", {}),
        ("POST", "api/payments/incoming", {"amount": "1.00", "description": "x"}),
        ("POST", "api/wallet/profile", {"walletAddressUrl": market.wallet_address("alice")}),
        ("GET", "payments/pending", {}),
        ("GET", "sellers", {}),
        ("POST", "sellers", {"id": "x", "walletAddressUrl": market.wallet_address("alice")}),
    ]
    for key in (None, "faena_test_" + "A" * 43, "faena_live_" + "A" * 43):
        headers = {"X-API-Key": key} if key else {}
        for method, path, body in calls:
            answer = httpx.request(
                method, f"{market.url}/{path}", json=body, headers=headers, timeout=20
            )
            assert answer.status_code == 401, (path, answer.text)
            assert answer.json()["code"] == "UNAUTHENTICATED"
            assert answer.json()["error"]
            assert answer.headers["www-authenticate"] == "Bearer"


def test_S54_a_wallet_is_looked_up(market: Marketplace, service: PaymentsService) -> None:
    answer = httpx.post(
        f"{market.url}/api/wallet/profile",
        json={"walletAddressUrl": market.wallet_address("bob")},
        headers={"X-API-Key": service.api_key or ""},
        timeout=20,
    )

    known = market.wallets["bob"]
    assert answer.status_code == 200
    assert answer.json()["success"] is True
    wallet = answer.json()["wallet"]
    assert (wallet["id"], wallet["assetCode"], wallet["assetScale"]) == (
        known["walletAddress"],
        known["assetCode"],
        known["assetScale"],
    )
    assert set(wallet) == {"id", "assetCode", "assetScale", "authServer", "resourceServer"}


def test_a_key_acts_in_graphql_too_and_the_offers_are_nobody_elses(
    market: Marketplace, service: PaymentsService, integrator: Integrator
) -> None:
    offer_id = f"test-{uuid.uuid4().hex[:8]}"
    assert service.start_quote(offer_id, SELLER, market.wallet_address("alice"), "7.00")["success"]

    query = {"query": "{ jobs(first: 5, filter: {mine: true}) { edges { node { title } } } }"}
    headers = {"Authorization": f"Bearer {service.api_key}"}
    mine = httpx.post(market.graphql, json=query, headers=headers, timeout=20).json()
    assert f"Offer {offer_id}" in str(mine)
    everybodys = {"query": "{ jobs(first: 50) { edges { node { title } } } }"}
    assert offer_id not in httpx.post(market.graphql, json=everybodys, timeout=20).text


def test_S42_D22_D24_an_operator_registers_a_seller_whom_nobody_can_redirect(
    market: Marketplace, integrator: Integrator, service: PaymentsService
) -> None:
    make = "User.objects.filter(display_name='Payer 0').update(is_staff=True)"
    code = f"from backend.accounts.models import User; {make}"
    run(python("manage.py", "shell", "-c", code), environment=market.environment)
    headers = {"X-API-Key": integrator.a_key("SELLERS")}
    seller = {
        "id": "second-shop",
        "walletAddressUrl": market.wallet_address("shop-mxn"),
        "keyId": "any",
        "privateKeyPath": "/etc/passwd",
    }

    def send(**changes: str) -> httpx.Response:
        wish = {**seller, **changes}
        return httpx.post(f"{market.url}/sellers", json=wish, headers=headers, timeout=20)

    for _ in range(2):
        made = send()
        assert (made.status_code, made.json()) == (201, {"ok": True, "id": "second-shop"})
    redirected = send(walletAddressUrl=market.wallet_address("bob"))
    assert (redirected.status_code, redirected.json()["code"]) == (403, "FORBIDDEN")
    listed = httpx.get(f"{market.url}/sellers", headers=headers, timeout=20).json()["sellers"]
    assert {
        "id": "second-shop",
        "walletAddressUrl": market.wallet_address("shop-mxn"),
        "active": True,
    } in listed
    assert "passwd" not in str(listed)
    offer_id = f"test-{uuid.uuid4().hex[:8]}"
    started = service.start_quote(offer_id, "second-shop", market.wallet_address("alice"), "3.00")
    assert started["success"], started
    said = {name: started["data"][name] for name in ("amount", "assetCode", "assetScale")}
    assert said == {"amount": "3.00", "assetCode": "MXN", "assetScale": 2}, "in the payee's asset"
