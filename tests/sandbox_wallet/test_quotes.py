import httpx
import pytest

from tests.sandbox_wallet.marketplace import BASE, Json, Marketplace, amount


def error_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["description"]


def test_a_quote_for_all_that_is_expected_rounds_the_debit_up(market: Marketplace) -> None:
    incoming = market.incoming("carmen", 20000)

    quote = market.quote("alice", incoming["id"])

    assert quote["debitAmount"] == amount(1174)
    assert quote["receiveAmount"] == amount(20000, "MXN")
    assert quote["method"] == "ilp"
    assert quote["expiresAt"] == "2026-11-22T12:05:00.000Z"
    assert set(quote) == {
        *("id", "walletAddress", "receiver", "debitAmount", "receiveAmount", "method"),
        *("createdAt", "expiresAt"),
    }


def test_a_fixed_debit_rounds_the_delivery_down(market: Marketplace) -> None:
    incoming = market.incoming("alice", None)

    quote = market.quote("carmen", incoming["id"], debitAmount=amount(1000, "MXN"))

    assert quote["receiveAmount"] == amount(58)


def test_a_fixed_delivery_may_be_a_part(market: Marketplace) -> None:
    incoming = market.incoming("shop", 5000)

    quote = market.quote("alice", incoming["id"], receiveAmount=amount(1200))

    assert quote["debitAmount"] == amount(1200)


def test_fees_are_on_the_gross_or_on_the_net(market: Marketplace) -> None:
    market.options(fees={"bps": 100, "fixed": 100})
    incoming = market.incoming("shop", None)

    send = market.quote("alice", incoming["id"], debitAmount=amount(10000))
    receive = market.quote("alice", incoming["id"], receiveAmount=amount(9800))

    assert send["receiveAmount"] == amount(9800)
    assert receive["debitAmount"] == amount(9998)


def test_an_amount_too_small_to_arrive_names_the_minimum(market: Marketplace) -> None:
    incoming = market.incoming("alice", None)

    small = market.try_quote("carmen", incoming["id"], debitAmount=amount(17, "MXN"))

    assert error_of(small) == (400, "non-positive receive amount")
    minimum = small.json()["error"]["details"]["minSendAmount"]
    assert minimum == amount(18, "MXN")
    assert market.quote("carmen", incoming["id"], debitAmount=minimum)["receiveAmount"] == amount(1)


def test_a_quote_expires_with_its_receiver(market: Marketplace) -> None:
    incoming = market.incoming("shop", 100, expiresAt="2026-11-22T12:01:00Z")

    assert market.quote("alice", incoming["id"])["expiresAt"] == "2026-11-22T12:01:00.000Z"


@pytest.mark.parametrize(
    "amounts",
    [
        {"debitAmount": amount(0)},
        {"debitAmount": amount(10, "EUR")},
        {"debitAmount": amount(2501)},
        {"receiveAmount": amount(2501)},
        {"receiveAmount": amount(0)},
        {"receiveAmount": amount(10, "MXN")},
    ],
)
def test_amounts_that_do_not_fit_are_invalid(market: Marketplace, amounts: dict[str, Json]) -> None:
    incoming = market.incoming("shop", 2500)

    assert error_of(market.try_quote("alice", incoming["id"], **amounts)) == (400, "invalid amount")


def test_an_open_amount_needs_one_in_the_quote(market: Marketplace) -> None:
    incoming = market.incoming("shop", None)

    assert error_of(market.try_quote("alice", incoming["id"])) == (400, "invalid amount")


def test_closed_or_unknown_receivers_are_invalid(market: Marketplace) -> None:
    incoming = market.incoming("shop", 100)
    token = market.token("shop", "incoming-payment", "complete")
    market.call("POST", f"{incoming['id']}/complete", token=token)
    stranger = "https://elsewhere.example/incoming-payments/1"
    wrong_bank = incoming["id"].replace("/north/", "/sur/")

    for receiver in (incoming["id"], stranger, wrong_bank):
        assert error_of(market.try_quote("alice", receiver)) == (400, "invalid receiver")


@pytest.mark.parametrize(
    "change",
    [
        {"method": "card"},
        {"receiver": "somebody"},
        {"debitAmount": amount(1), "receiveAmount": amount(1)},
        {"debitAmount": "1"},
        {"sentAmount": amount(1)},
    ],
)
def test_a_malformed_quote_request_is_400(market: Marketplace, change: Json) -> None:
    body = {
        "walletAddress": f"{BASE}/alice",
        "receiver": market.incoming("shop", 100)["id"],
        "method": "ilp",
        **change,
    }
    token = market.token("alice", "quote")

    answer = market.call("POST", f"{BASE}/north/quotes", body, token=token)

    assert answer.status_code == 400
    assert "OpenAPI" in answer.json()["error"]["description"]


def test_a_missing_rate_is_the_wallets_problem(market: Marketplace) -> None:
    market.options(rates={"USD:EUR": "0.9"})
    incoming = market.incoming("carmen", 100)

    answer = market.try_quote("alice", incoming["id"])

    assert error_of(answer) == (500, "could not convert between assets")


def test_a_quote_can_be_read_again(market: Marketplace) -> None:
    quote = market.quote("alice", market.incoming("shop", 100)["id"])
    token = market.token("alice", "quote")

    assert market.call("GET", quote["id"], token=token).json() == quote
    unknown = market.call("GET", f"{BASE}/north/quotes/nothing", token=token)
    assert error_of(unknown) == (401, "Unauthorized")
