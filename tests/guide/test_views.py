"""What the addresses of the contract answer: codes, statuses, shapes, and nothing of our inside."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from limits import RateLimitItemPerMinute
from pytest_django import Settings

from backend import rate_limits
from backend.accounts.api_keys import create_api_key
from backend.accounts.models import ApiKey, Scope, User, WalletAddress
from backend.clock import SYSTEM_CLOCK
from backend.funding.models import Seller
from backend.guide import offers, views
from backend.guide.offers import Wish, start_payment
from backend.guide.urls import urlpatterns
from backend.ids import global_id, new_id
from backend.jobs.models import Job
from backend.payments.models import Payment
from tests.jobs.people import a_person
from tests.simulation.simulator import Simulation

# Database work is done on threads of its own, which see what is committed.
pytestmark = pytest.mark.django_db(transaction=True)
START = "/offers/123/quotes/start"


@pytest.fixture
def world() -> Simulation:
    return Simulation(temperament="strict", funded=False)


@pytest.fixture
def payment(world: Simulation) -> Payment:
    wish = Wish(
        owner=world.payer,
        wallet=WalletAddress.objects.get(owner=world.payer),
        amount="25.00",
        seller_id="default-seller",
        return_url="http://127.0.0.1:8000/",
        now=world.clock.now(),
    )
    return start_payment(wish, offer_id="123")


def a_key(owner: User, *scopes: Scope) -> dict[str, str]:
    made = create_api_key(
        owner=owner,
        name="Marketplace",
        scopes=scopes or list(Scope),
        test_mode=True,
        now=SYSTEM_CLOCK.now(),
    )
    return {"authorization": f"Bearer {made.secret}"}


def wish_of(world: Simulation, **changes: Any) -> dict[str, Any]:
    return {
        "sellerId": "default-seller",
        "buyerWalletAddressUrl": WalletAddress.objects.get(owner=world.payer).url,
        "amount": "25.00",
        **changes,
    }


def post(client: Client, path: str, body: Any, key: dict[str, str], **more: str) -> Any:
    return client.post(path, body, content_type="application/json", headers={**key, **more})


def refusal(answer: Any) -> tuple[int, str]:
    body = answer.json()
    assert set(body) == {"success", "error", "code", "details"}
    assert body["success"] is False
    assert body["error"].endswith((".", ".)")), body
    return answer.status_code, body["code"]


def test_J8_every_address_wants_a_key(client: Client) -> None:
    paths = {
        str(each.pattern).replace("<str:offer_id>", "1").replace("<str:pending_id>", "1")
        for each in urlpatterns
    }
    assert len(paths) == 8
    for path in paths - {"payments/finish"}:
        answers = [client.get(f"/{path}"), client.post(f"/{path}")]
        assert {answer.status_code for answer in answers} <= {401, 405}
        assert 401 in {answer.status_code for answer in answers}


@pytest.mark.parametrize(
    "header",
    [
        {"authorization": "Bearer faena_test_" + "A" * 43},
        {"authorization": "Bearer"},
        {"authorization": "Basic YTpi"},
        {"x-api-key": "nonsense"},
        {"x-api-key": ""},
    ],
)
def test_S43_what_is_no_key_is_refused(client: Client, header: dict[str, str]) -> None:
    answer = client.get("/payments/pending", headers=header)

    assert refusal(answer) == (401, "UNAUTHENTICATED")
    assert answer["WWW-Authenticate"] == "Bearer"


def test_a_key_is_taken_in_either_header(client: Client, world: Simulation) -> None:
    key = a_key(world.payer, Scope.READ)
    secret = key["authorization"].removeprefix("Bearer ")

    assert client.get("/payments/pending", headers=key).status_code == 200
    assert client.get("/payments/pending", headers={"x-api-key": secret}).status_code == 200
    key_row = ApiKey.objects.get()
    assert key_row.last_used_at is not None
    ApiKey.objects.update(revoked_at=SYSTEM_CLOCK.now())
    assert client.get("/payments/pending", headers=key).status_code == 401


def test_a_key_does_what_its_scope_says(client: Client, world: Simulation) -> None:
    reads, pays = a_key(world.payer, Scope.READ), a_key(world.payer, Scope.MONEY)

    assert refusal(post(client, START, wish_of(world), reads)) == (403, "FORBIDDEN")
    for path in ("/offers/123/payments", "/payments/pending", f"/payments/{new_id()}/status"):
        assert refusal(client.get(path, headers=pays)) == (403, "FORBIDDEN")
    assert refusal(client.get("/sellers", headers=reads)) == (403, "FORBIDDEN")
    assert not Payment.objects.exists()


def test_a_key_is_used_so_often_a_minute(
    client: Client, world: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {**rate_limits.LIMITS, "apiKey": RateLimitItemPerMinute(1, namespace="few")}
    monkeypatch.setattr(rate_limits, "LIMITS", few)
    key = a_key(world.payer)

    assert client.get("/payments/pending", headers=key).status_code == 200
    answer = client.get("/payments/pending", headers=key)

    assert refusal(answer) == (429, "RATE_LIMITED")
    assert 0 < int(answer["Retry-After"]) <= 60


@pytest.mark.parametrize(
    ("changes", "status", "code", "path"),
    [
        ({"sellerId": None}, 400, "VALIDATION", "sellerId"),
        ({"sellerId": 7}, 400, "VALIDATION", "sellerId"),
        ({"amount": None}, 400, "VALIDATION", "amount"),
        ({"amount": ""}, 400, "VALIDATION", "amount"),
        ({"amount": "1.005"}, 400, "VALIDATION", "amount"),
        ({"amount": 1.5}, 400, "VALIDATION", "amount"),
        ({"amount": "9" * 30}, 400, "AMOUNT_OUT_OF_RANGE", "amount"),
        ({"buyerWalletAddressUrl": None}, 400, "WALLET_REQUIRED", "buyerWalletAddressUrl"),
        ({"buyerWalletAddressUrl": "?"}, 400, "VALIDATION", "buyerWalletAddressUrl"),
        (
            {"buyerWalletAddressUrl": "https://nobody.invalid/x"},
            502,
            "WALLET_UNREACHABLE",
            "buyerWalletAddressUrl",
        ),
        ({"sellerId": "nobody"}, 404, "SELLER_NOT_FOUND", "sellerId"),
        ({"returnUrl": "https://evil.example/"}, 400, "RETURN_URL_REFUSED", "returnUrl"),
    ],
)
def test_S15_D09_what_is_wrong_is_named_and_nothing_happens(
    client: Client,
    world: Simulation,
    changes: dict[str, Any],
    status: int,
    code: str,
    path: str,
) -> None:
    answer = post(client, START, wish_of(world, **changes), a_key(world.payer))

    assert refusal(answer) == (status, code)
    assert answer.json()["details"]["path"] == [path]
    assert not Payment.objects.exists()
    assert Job.objects.filter(listed=False).count() == 0


@pytest.mark.parametrize("body", ["", "[]", "{", '{"amount": NaN}', "\x00", '"x"', b"\xff"])
def test_D09_what_is_no_json_object_is_a_bad_request(
    client: Client, world: Simulation, body: str | bytes
) -> None:
    assert refusal(post(client, START, body, a_key(world.payer))) == (400, "BAD_REQUEST")


def test_D30_money_moves_by_post_only_and_forms_of_other_pages_cannot(
    client: Client, world: Simulation
) -> None:
    answer = client.get(START, headers=a_key(world.payer))
    assert refusal(answer) == (405, "BAD_REQUEST")
    assert answer["Allow"] == "POST"
    strict = Client(enforce_csrf_checks=True)
    post(strict, START, wish_of(world), a_key(world.payer), origin="https://evil.example")
    assert "Access-Control-Allow-Origin" not in answer


def test_S55_D09_an_error_of_ours_shows_nothing_of_our_inside(
    client: Client, world: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(offers, "start_payment", broken)

    answer = post(client, START, wish_of(world), a_key(world.payer))

    assert refusal(answer) == (500, "INTERNAL")
    assert "secret" not in answer.content.decode()
    assert len(answer.json()["details"]["logId"]) == 32


def test_S47_sentences_are_in_the_language_of_who_asks(client: Client, world: Simulation) -> None:
    wish = wish_of(world, amount=None)
    spoken = {
        language: post(client, START, wish, a_key(world.payer), **{"accept-language": language})
        for language in ("en", "es")
    }
    assert spoken["en"].json()["error"] == "amount is missing."
    assert spoken["es"].json()["error"] == "Falta amount."
    User.objects.filter(id=world.payer.id).update(locale="es")
    answer = post(client, START, wish, a_key(world.payer), **{"accept-language": "en"})
    assert answer.json()["error"] == "Falta amount."


def test_S11_a_wallet_that_takes_long_loses_nothing(
    client: Client, world: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody works on payments in this test.
    monkeypatch.setattr(views, "WAIT_SECONDS", 0.2)
    key = a_key(world.payer)

    for _ in range(2):
        answer = post(client, START, wish_of(world), key)
        assert refusal(answer) == (503, "UPSTREAM_UNAVAILABLE")
        assert answer.json()["details"]["retryable"] is True

    payment = Payment.objects.get()
    listed = client.get("/offers/123/payments", headers=key).json()
    assert [each["pendingId"] for each in listed["payments"]] == [str(payment.id)]


def test_S12_the_same_call_finds_the_way_to_the_approval(
    client: Client, world: Simulation, payment: Payment
) -> None:
    world.payment = payment
    for _ in range(20):
        world.work()
        world.clock.advance(1)

    answer = post(client, START, wish_of(world), a_key(world.payer))

    assert answer.status_code == 200
    body = answer.json()
    assert body["success"] is True
    assert body["pendingId"] == str(payment.id)
    assert body["redirectUrl"] == body["paymentUrl"]
    assert body["redirectUrl"].startswith("http://127.0.0.1:8000/op/start/")
    assert (body["amount"], body["assetCode"], body["assetScale"]) == ("25.00", "USD", 2)
    assert body["incomingPaymentId"].startswith("http")
    assert "no-store" in answer["Cache-Control"]


def test_a_payment_that_cannot_be_asked_for_says_why(
    client: Client, world: Simulation, payment: Payment
) -> None:
    Payment.objects.filter(id=payment.id).update(
        status="FAILED",
        due_at=None,
        failure_code="WALLET_REJECTED",
        failure_message="The wallet refused the payment. Nothing was charged.",
        failure_retryable=True,
    )
    with pytest.raises(views.PaymentFailed) as failed:
        views._if_prepared(world.payer, payment.id)

    assert failed.value.code == "WALLET_REJECTED"
    assert failed.value.retryable
    assert failed.value.message == "The wallet refused the payment. Nothing was charged."


def test_S25_D29_a_foreign_payment_looks_like_one_that_is_not_there(
    client: Client, world: Simulation, payment: Payment
) -> None:
    mine, theirs = a_key(world.payer), a_key(a_person("bea"))

    for spelling in (str(payment.id), global_id("Payment", payment.id)):
        found = client.get(f"/payments/{spelling}/status", headers=mine)
        assert (found.status_code, found.json()["pendingId"]) == (200, str(payment.id))
    foreign = client.get(f"/payments/{payment.id}/status", headers=theirs)
    for other in (str(new_id()), "123", "x" * 300, global_id("Job", payment.id)):
        missing = client.get(f"/payments/{other}/status", headers=mine)
        assert refusal(missing) == refusal(foreign) == (404, "NOT_FOUND")
        assert missing.json() == foreign.json()


def test_S27_offers_have_their_owners_payments(
    client: Client, world: Simulation, payment: Payment
) -> None:
    mine = client.get("/offers/123/payments", headers=a_key(world.payer)).json()
    theirs = client.get("/offers/123/payments", headers=a_key(a_person("bea"))).json()

    (shape,) = mine["payments"]
    assert mine["offerId"] == "123"
    assert {
        *("pendingId", "status", "buyerWalletAddressUrl", "incomingPaymentId"),
        *("outgoingPaymentId", "quoteId", "offerId"),
    } <= set(shape)
    assert theirs == {"offerId": "123", "payments": []}


@pytest.mark.parametrize("name", ["%00", "a%00b", "\u202e", "x" * 300])
def test_no_name_of_an_offer_is_a_fault_of_ours(
    client: Client, world: Simulation, name: str
) -> None:
    key = a_key(world.payer)

    listed = client.get(f"/offers/{name}/payments", headers=key)
    asked = post(client, f"/offers/{name}/quotes/start", wish_of(world), key)

    assert (listed.status_code, listed.json()["payments"]) == (200, [])
    assert refusal(asked) == (400, "VALIDATION")


def test_S54_all_payments_come_in_pages_and_only_ones_own(
    client: Client, world: Simulation, payment: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "MOST_LISTED", 2)
    for number in range(4):
        start_payment(
            Wish(
                owner=world.payer,
                wallet=WalletAddress.objects.get(owner=world.payer),
                amount="1.00",
                seller_id="default-seller",
                return_url="http://127.0.0.1:8000/",
                now=world.clock.now() + timedelta(seconds=number),
            ),
            offer_id=f"more-{number}",
        )
    key, seen, path = a_key(world.payer), [], "/payments/pending"
    for _ in range(5):
        page = client.get(path, headers=key).json()
        seen += [each["offerId"] for each in page["payments"]]
        path = f"/payments/pending?before={page['next']}"
        if page["next"] is None:
            break

    assert seen == ["more-3", "more-2", "more-1", "more-0", "123"]
    bea = a_key(a_person("bea"))
    assert client.get("/payments/pending", headers=bea).json() == {"payments": [], "next": None}
    auditor = a_key(a_person("auditor", is_auditor=True))
    assert len(client.get("/payments/pending", headers=auditor).json()["payments"]) == 2


def test_S42_D22_sellers_are_for_operators_and_keep_their_wallet(
    client: Client, world: Simulation, settings: Settings
) -> None:
    operator = a_key(a_person("operator", is_staff=True))
    shop = Seller.objects.get(slug="default-seller").wallet
    listed = client.get("/sellers", headers=operator).json()["sellers"]
    assert listed == [{"id": "default-seller", "walletAddressUrl": shop.url, "active": True}]

    for anybody in (world.payer, a_person("auditor", is_auditor=True)):
        key = a_key(anybody)
        assert refusal(client.get("/sellers", headers=key)) == (403, "FORBIDDEN")
        wish = {"id": "mine", "walletAddressUrl": shop.url}
        assert refusal(post(client, "/sellers", wish, key)) == (403, "FORBIDDEN")
    wish = {"id": "not a slug", "walletAddressUrl": shop.url}
    assert refusal(post(client, "/sellers", wish, operator)) == (400, "VALIDATION")
    assert Seller.objects.count() == 1


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("?grantStatus=APPROVED", "is approved, and goes on by itself. You can close this tab"),
        ("?grantStatus=CONFIRMATION_REQUIRED", "has to be confirmed"),
        ("?grantStatus=ENDED", "is over"),
        ("?grantStatus=REJECTED", "is not approved"),
        ("?grantStatus=<b>", "is not approved"),
        ("", "is not approved"),
    ],
)
def test_S51_D17_D31_who_comes_back_reads_a_page_and_moves_nothing(
    client: Client, world: Simulation, payment: Payment, query: str, says: str
) -> None:
    before = list(Payment.objects.values())
    forged = f"{query or '?'}&pendingId={payment.id}&interact_ref=x&hash=y"

    page = client.get(f"/payments/finish{forged}", headers={"accept": "text/html"})
    data = client.get(f"/payments/finish{forged}", headers={"accept": "application/json"})

    assert page["Content-Type"].startswith("text/html")
    assert says in page.content.decode()
    assert data.json()["ok"] is ("APPROVED" in query)
    assert "<b>" not in page.content.decode()
    assert str(payment.id) not in page.content.decode()
    assert list(Payment.objects.values()) == before
    assert client.post("/payments/finish").status_code == 405
