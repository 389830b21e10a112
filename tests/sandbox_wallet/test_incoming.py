import re

import httpx
import pytest

from backend.open_payments import Ed25519Signer
from tests.sandbox_wallet.marketplace import BASE, Json, Marketplace, amount

ILP_ADDRESS = re.compile(r"(g|private|example|peer|self|test[1-3]?|local)([.][a-zA-Z0-9_~-]+)+\Z")


def create(market: Marketplace, **body: object) -> httpx.Response:
    token = market.token("shop", "incoming-payment")
    whole = {"walletAddress": f"{BASE}/shop", **body}
    return market.call("POST", f"{BASE}/north/incoming-payments", whole, token=token)


def read(market: Marketplace, url: str, action: str = "read") -> httpx.Response:
    wallet = "carmen" if "/sur/" in url else "shop"
    return market.call("GET", url, token=market.token(wallet, "incoming-payment", action))


def complete(market: Marketplace, url: str) -> httpx.Response:
    token = market.token("shop", "incoming-payment", "complete")
    return market.call("POST", f"{url}/complete", token=token)


def test_a_created_incoming_payment_shows_everything(market: Marketplace) -> None:
    made = market.incoming(
        "shop", 2500, metadata={"orderRef": "ñ-42"}, expiresAt="2026-12-01T00:00:00Z"
    )

    method = made["methods"][0]
    assert made["incomingAmount"] == amount(2500)
    assert made["receivedAmount"] == amount(0)
    assert made["completed"] is False
    assert made["metadata"] == {"orderRef": "ñ-42"}
    assert made["expiresAt"] == "2026-12-01T00:00:00.000Z"
    assert ILP_ADDRESS.match(method["ilpAddress"])
    assert re.fullmatch("[A-Za-z0-9_-]{43}", method["sharedSecret"])


def test_absent_fields_are_left_out_rather_than_null(market: Marketplace) -> None:
    made = market.incoming("shop", None)

    assert "incomingAmount" not in made
    assert "metadata" not in made


@pytest.mark.parametrize(
    ("body", "description"),
    [
        ({"incomingAmount": amount(0)}, "invalid amount"),
        ({"incomingAmount": amount(100, "EUR")}, "invalid amount"),
        ({"incomingAmount": amount(100, "USD", 9)}, "invalid amount"),
        ({"incomingAmount": {**amount(1), "value": "1.5"}}, "incomingAmount is not an amount"),
        ({"incomingAmount": {**amount(1), "value": 1}}, "incomingAmount is not an amount"),
        ({"incomingAmount": {**amount(1), "value": str(2**63)}}, "incomingAmount is not an amount"),
        ({"expiresAt": "2026-11-22T12:00:00Z"}, "invalid expiresAt"),
        ({"expiresAt": "2026-12-22T12:00:01Z"}, "invalid expiresAt"),
        ({"expiresAt": "tomorrow"}, "expiresAt is not a date-time"),
        ({"metadata": None}, "metadata must be an object"),
        ({"metadata": {"x": "y" * 20_000}}, "metadata is too large"),
        ({"colour": "red"}, "unknown members: colour"),
        ({"walletAddress": f"{BASE}/nobody"}, "Could not get wallet address"),
        ({"walletAddress": f"{BASE}/carmen"}, "Could not get wallet address"),
    ],
)
def test_what_cannot_be_expected_is_refused(
    market: Marketplace, body: Json, description: str
) -> None:
    answer = create(market, **body)

    assert answer.status_code == 400
    assert description in answer.json()["error"]["description"]
    assert answer.json()["error"]["code"] == "400"


def test_anybody_may_see_what_was_received_and_nothing_else(market: Marketplace) -> None:
    made = market.incoming("shop", 2500)

    answer = market.http.get(made["id"])

    assert answer.json() == {"receivedAmount": amount(0), "authServer": f"{BASE}/auth/north"}


def test_reading_with_a_token_shows_the_whole_payment(market: Marketplace) -> None:
    made = market.incoming("shop", 2500)

    assert read(market, made["id"]).json() == made


def test_payments_of_other_clients_are_404_without_read_all(market: Marketplace) -> None:
    made = market.incoming("shop", 2500)
    other = other_client(market)

    assert read(other, made["id"]).status_code == 404
    assert read(other, made["id"], "read-all").status_code == 200


def other_client(market: Marketplace) -> Marketplace:
    """Another client instance of the same sandbox: one that is nothing but a key."""
    signer = Ed25519Signer.generate("other-key")
    identity = {"jwk": dict(signer.public_jwk().to_json())}
    return Marketplace(http=market.http, signer=signer, clock=market.clock, identity=identity)


def test_anybody_with_a_grant_may_complete_once(market: Marketplace) -> None:
    made = market.incoming("shop", 2500)

    first = complete(other_client(market), made["id"])
    second = complete(market, made["id"])

    assert first.status_code == 200
    assert first.json()["completed"] is True
    assert "methods" not in first.json()
    assert second.status_code == 409
    assert second.json()["error"]["description"] == "wrong state"


def test_a_completed_payment_offers_no_methods(market: Marketplace) -> None:
    made = market.incoming("shop", 2500)
    complete(market, made["id"])

    assert read(market, made["id"]).json()["methods"] == []


def test_an_expired_unpaid_payment_vanishes(market: Marketplace) -> None:
    made = market.incoming("shop", 2500, expiresAt="2026-11-22T12:10:00Z")
    market.clock.advance(minutes=10)

    for answer in (market.http.get(made["id"]), read(market, made["id"])):
        assert answer.status_code == 401
        assert answer.json()["error"]["description"] == "Unauthorized"
        assert "www-authenticate" not in answer.headers


def test_vanishing_can_be_switched_off(market: Marketplace) -> None:
    market.options(expired_incoming_vanishes=False)
    made = market.incoming("shop", 2500, expiresAt="2026-11-22T12:10:00Z")
    market.clock.advance(minutes=10)

    assert read(market, made["id"]).json()["methods"] == []


def test_an_expired_payment_that_received_something_stays(market: Marketplace) -> None:
    incoming = market.incoming("shop", 2500, expiresAt="2026-11-22T12:10:00Z")
    quote = market.quote("alice", incoming["id"], debitAmount=amount(1000))
    token = market.consent("alice")["access_token"]["value"]
    market.send("alice", quote["id"], token)
    market.clock.advance(minutes=10)

    shown = read(market, incoming["id"]).json()

    assert shown["receivedAmount"] == amount(1000)
    assert shown["completed"] is False
    assert shown["methods"] == []
    assert complete(market, incoming["id"]).status_code == 409


def test_an_unknown_id_is_401_without_a_challenge(market: Marketplace) -> None:
    answer = market.http.get(f"{BASE}/north/incoming-payments/nothing")

    assert answer.status_code == 401
    assert "www-authenticate" not in answer.headers


def pages(market: Marketplace, query: str) -> Json:
    token = market.token("shop", "incoming-payment", "list")
    url = f"{BASE}/north/incoming-payments?wallet-address={BASE.replace(':', '%3A')}/shop&{query}"
    answer = market.call("GET", url, token=token)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_lists_go_from_new_to_old_page_by_page(market: Marketplace) -> None:
    ids = [market.incoming("shop", value)["id"] for value in range(1, 6)][::-1]

    first = pages(market, "first=2")
    cursor = first["pagination"]["endCursor"]
    second = pages(market, f"first=2&cursor={cursor}")
    back = pages(market, f"last=1&cursor={second['pagination']['startCursor']}")

    assert [one["id"] for one in first["result"]] == ids[:2]
    assert [one["id"] for one in second["result"]] == ids[2:4]
    assert [one["id"] for one in back["result"]] == ids[1:2]
    assert first["pagination"] == {
        "startCursor": ids[0].rpartition("/")[2],
        "endCursor": ids[1].rpartition("/")[2],
        "hasNextPage": True,
        "hasPreviousPage": False,
    }
    assert second["pagination"]["hasPreviousPage"] is True
    assert "methods" not in first["result"][0]


def test_a_wallet_may_list_what_is_oldest_first_in_pages_as_short_as_it_likes(
    market: Marketplace,
) -> None:
    made = [market.incoming("shop", 100 + n)["id"] for n in range(3)]
    market.options(oldest_first=True, most_per_page=2)

    first = pages(market, "first=100")
    then = pages(market, f"first=100&cursor={first['pagination']['endCursor']}")
    back = pages(market, f"last=100&cursor={then['pagination']['startCursor']}")

    assert [item["id"] for item in (*first["result"], *then["result"])] == made
    assert (first["pagination"]["hasNextPage"], then["pagination"]["hasNextPage"]) == (True, False)
    assert back["result"] == first["result"]


def test_what_arrived_may_be_shown_to_tokens_only(market: Marketplace) -> None:
    made = market.incoming("shop", 100)
    market.options(public_shows_received=False)

    assert set(market.call("GET", made["id"]).json()) == {"authServer"}


def test_an_empty_list_has_no_cursors(market: Marketplace) -> None:
    assert pages(market, "") == {
        "pagination": {"hasNextPage": False, "hasPreviousPage": False},
        "result": [],
    }


@pytest.mark.parametrize(
    "query", ["first=0", "first=101", "first=x", "last=5", "first=1&last=1&cursor=x"]
)
def test_pages_that_cannot_be_are_400(market: Marketplace, query: str) -> None:
    token = market.token("shop", "incoming-payment", "list")
    url = f"{BASE}/north/incoming-payments?wallet-address={BASE}/shop&{query}"

    assert market.call("GET", url, token=token).status_code == 400


def test_lists_leave_out_what_vanished_and_what_others_made(market: Marketplace) -> None:
    market.incoming("shop", 100, expiresAt="2026-11-22T12:01:00Z")
    kept = market.incoming("shop", 100)
    market.clock.advance(minutes=1)

    assert [one["id"] for one in pages(market, "")["result"]] == [kept["id"]]
    assert pages(other_client(market), "")["result"] == []
