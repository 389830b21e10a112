import httpx
import pytest

from tests.sandbox_wallet.marketplace import BASE, Json, Marketplace, amount


def error_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["description"]


def token_for(market: Marketplace, wallet: str, limits: Json | None = None) -> str:
    return str(market.consent(wallet, limits)["access_token"]["value"])


def complete(market: Marketplace, url: str) -> httpx.Response:
    token = market.token("shop", "incoming-payment", "complete")
    return market.call("POST", f"{url}/complete", token=token)


def test_a_payment_arrives_and_the_books_balance(market: Marketplace) -> None:
    incoming, outgoing, token = market.pay("alice", "carmen", 170500)

    shown = market.call("GET", outgoing["id"], token=token).json()
    totals = market.ledger(incoming["id"])["totals"]
    assert market.received(incoming["id"]) == 170500
    assert shown["sentAmount"] == shown["debitAmount"] == amount(10000)
    assert shown["failed"] is False
    assert totals == {"debited": {"USD/2": 10000}, "delivered": {"MXN/2": 170500}, "fees": {}}


def test_the_answer_is_the_instruction_before_money_moved(market: Marketplace) -> None:
    _, outgoing, token = market.pay("alice", "shop", 500)

    read = market.call("GET", outgoing["id"], token=token).json()

    assert outgoing["sentAmount"] == amount(0)
    assert outgoing["grantSpentDebitAmount"] == amount(0)
    assert set(outgoing) - set(read) == {"grantSpentDebitAmount"}
    assert outgoing["id"].rpartition("/")[2] == outgoing["quoteId"].rpartition("/")[2]


def test_a_fee_makes_sent_less_than_debit_and_goes_to_the_wallet(market: Marketplace) -> None:
    market.options(fees={"bps": 100, "fixed": 5})
    incoming, outgoing, token = market.pay("alice", "shop", 1000)

    shown = market.call("GET", outgoing["id"], token=token).json()

    assert shown["debitAmount"] == amount(1015)
    assert shown["sentAmount"] == amount(1000)
    assert market.ledger(incoming["id"])["totals"]["fees"] == {"USD/2": 15}
    assert market.balance("alice") == 1_000_000_000 - 1015


def test_unused_slippage_goes_back_to_the_sender(market: Marketplace) -> None:
    market.options(slippage_bps=100)
    _, outgoing, token = market.pay("alice", "shop", 1000)

    shown = market.call("GET", outgoing["id"], token=token).json()

    assert shown["debitAmount"] == amount(1010)
    assert shown["sentAmount"] == amount(1000)
    assert market.balance("alice") == 1_000_000_000 - 1000


def test_a_wallet_that_withdraws_the_rest_looks_fully_sent(market: Marketplace) -> None:
    market.options(slippage_bps=100, withdraws_unused=True)
    _, outgoing, token = market.pay("alice", "shop", 1000)

    shown = market.call("GET", outgoing["id"], token=token).json()

    assert shown["sentAmount"] == shown["debitAmount"]


def test_a_quote_pays_once(market: Marketplace) -> None:
    incoming = market.incoming("shop", None)
    quote = market.quote("alice", incoming["id"], debitAmount=amount(100))
    token = token_for(market, "alice")

    first = market.send("alice", quote["id"], token)
    second = market.send("alice", quote["id"], token)

    assert first.status_code == 201
    assert error_of(second) == (400, "invalid quote")
    assert market.received(incoming["id"]) == 100


def test_a_loose_wallet_pays_a_quote_twice_and_knows_no_limits(market: Marketplace) -> None:
    market.options(temperament="loose")
    incoming = market.incoming("shop", None)
    quote = market.quote("alice", incoming["id"], debitAmount=amount(100))
    token = token_for(market, "alice", {"debitAmount": amount(1)})

    ids = {market.send("alice", quote["id"], token).json()["id"] for _ in range(2)}

    assert len(ids) == 2
    assert quote["id"].rpartition("/")[2] not in {one.rpartition("/")[2] for one in ids}
    assert market.received(incoming["id"]) == 200


def test_a_loose_wallet_still_honours_quote_expiry(market: Marketplace) -> None:
    market.options(temperament="loose")
    quote = market.quote("alice", market.incoming("shop", 100)["id"])
    token = token_for(market, "alice")
    market.clock.advance(seconds=300)

    assert error_of(market.send("alice", quote["id"], token)) == (400, "invalid quote")


def test_a_loose_wallet_accepts_for_a_paid_receiver_and_delivers_nothing(
    market: Marketplace,
) -> None:
    market.options(temperament="loose")
    quote = market.quote("alice", market.incoming("shop", 100)["id"])
    token = token_for(market, "alice")
    market.send("alice", quote["id"], token)

    again = market.send("alice", quote["id"], token).json()

    shown = market.call("GET", again["id"], token=token).json()
    assert shown["failed"] is False
    assert shown["sentAmount"] == amount(0)
    assert market.balance("alice") == 1_000_000_000 - 100


def test_a_loose_receiver_does_not_close(market: Marketplace) -> None:
    market.options(temperament="loose")
    incoming = market.incoming("shop", 100)

    assert error_of(complete(market, incoming["id"])) == (403, "action not performed")


def test_quotes_that_cannot_be_used_are_refused(market: Marketplace) -> None:
    incoming = market.incoming("shop", 100)
    quote = market.quote("alice", incoming["id"])
    token, treasury = token_for(market, "alice"), token_for(market, "treasury")

    of_another_wallet = market.send("treasury", quote["id"], treasury)
    unknown = market.send("alice", f"{BASE}/north/quotes/nothing", token)
    complete(market, incoming["id"])
    closed = market.send("alice", quote["id"], token)

    assert error_of(of_another_wallet) == (400, "invalid quote")
    assert error_of(unknown) == (404, "unknown quote")
    assert error_of(closed) == (400, "invalid quote")


def test_an_expired_quote_is_invalid(market: Marketplace) -> None:
    quote = market.quote("alice", market.incoming("shop", 100)["id"])
    token = token_for(market, "alice")
    market.clock.advance(seconds=300)

    assert error_of(market.send("alice", quote["id"], token)) == (400, "invalid quote")


def send_to(market: Marketplace, receiver: str, token: str, debit: Json) -> httpx.Response:
    body = {"walletAddress": f"{BASE}/alice", "incomingPayment": receiver, "debitAmount": debit}
    return market.call("POST", f"{BASE}/north/outgoing-payments", body, token=token)


def test_paying_an_incoming_payment_quotes_inside(market: Marketplace) -> None:
    incoming = market.incoming("carmen", None)
    token = token_for(market, "alice")

    answer = send_to(market, incoming["id"], token, amount(1000))

    assert answer.status_code == 201
    assert answer.json()["receiveAmount"] == amount(17050, "MXN")
    assert market.received(incoming["id"]) == 17050
    assert error_of(send_to(market, incoming["id"], token, amount(0))) == (400, "invalid amount")


@pytest.mark.parametrize(
    "body", [{}, {"quoteId": "x", "debitAmount": amount(1)}, {"incomingPayment": "x"}]
)
def test_a_malformed_instruction_is_400(market: Marketplace, body: Json) -> None:
    token = token_for(market, "alice")
    whole = {"walletAddress": f"{BASE}/alice", **body}

    answer = market.call("POST", f"{BASE}/north/outgoing-payments", whole, token=token)

    assert answer.status_code == 400


def test_without_money_the_payment_fails_after_it_was_accepted(market: Marketplace) -> None:
    incoming, outgoing, token = market.pay("pobre", "shop", 100)

    shown = market.call("GET", outgoing["id"], token=token).json()
    spent = market.call("GET", f"{BASE}/north/outgoing-payment-grant", token=token).json()

    assert outgoing["failed"] is False
    assert shown["failed"] is True
    assert shown["sentAmount"] == amount(0)
    assert spent["spentDebitAmount"] == amount(0)
    assert market.received(incoming["id"]) == 0


def test_money_moves_when_the_settlement_time_has_passed(market: Marketplace) -> None:
    market.options(settle_s=20)
    incoming, outgoing, token = market.pay("alice", "shop", 100)

    before = market.received(incoming["id"])
    held = market.balance("alice")
    market.clock.advance(seconds=20)
    after = market.received(incoming["id"])

    assert (before, after) == (0, 100)
    assert held == 1_000_000_000 - 100
    sent = market.call("GET", outgoing["id"], token=token).json()["sentAmount"]
    assert sent == amount(100)


def test_nothing_is_sent_after_the_quote_expired(market: Marketplace) -> None:
    market.options(settle_s=301)
    incoming, outgoing, token = market.pay("alice", "shop", 100)
    market.clock.advance(seconds=301)

    shown = market.call("GET", outgoing["id"], token=token).json()

    assert shown["failed"] is True
    assert market.received(incoming["id"]) == 0
    assert market.balance("alice") == 1_000_000_000


def test_late_money_bounces_off_a_closed_receiver(market: Marketplace) -> None:
    market.options(settle_s=20)
    incoming, outgoing, token = market.pay("alice", "shop", 100)
    complete(market, incoming["id"])
    market.clock.advance(seconds=20)

    shown = market.call("GET", outgoing["id"], token=token).json()

    assert (shown["failed"], shown["sentAmount"]) == (False, amount(0))
    assert market.received(incoming["id"]) == 0
    assert market.balance("alice") == 1_000_000_000


def test_two_payments_to_one_receiver_never_exceed_what_it_expects(market: Marketplace) -> None:
    market.options(settle_s=20)
    incoming = market.incoming("shop", 100)
    token = token_for(market, "alice")
    for value in (100, 60):
        quote = market.quote("alice", incoming["id"], receiveAmount=amount(value))
        market.send("alice", quote["id"], token)

    market.clock.advance(seconds=20)

    assert market.received(incoming["id"]) == 100
    assert market.balance("alice") == 1_000_000_000 - 100


# -- limits -------------------------------------------------------------------------------


def try_to_send(market: Marketplace, token: str, value: int, sender: str = "alice") -> int:
    incoming = market.incoming("shop", None)
    quote = market.quote(sender, incoming["id"], debitAmount=amount(value))
    return market.send(sender, quote["id"], token).status_code


def test_a_debit_limit_is_a_total(market: Marketplace) -> None:
    token = token_for(market, "alice", {"debitAmount": amount(250)})

    assert [try_to_send(market, token, value) for value in (100, 100, 51, 50)] == [
        *(201, 201, 403, 201),
    ]


def test_a_receiver_limit_allows_exactly_that_payment(market: Marketplace) -> None:
    incoming = market.incoming("shop", 100)
    token = token_for(market, "alice", {"receiver": incoming["id"]})

    assert try_to_send(market, token, 100) == 403
    quote = market.quote("alice", incoming["id"])
    assert market.send("alice", quote["id"], token).status_code == 201


def test_a_limit_in_another_asset_allows_nothing(market: Marketplace) -> None:
    token = token_for(market, "alice", {"receiveAmount": amount(10_000, "MXN")})

    assert try_to_send(market, token, 100) == 403


def test_a_receive_limit_counts_what_arrives(market: Marketplace) -> None:
    token = token_for(market, "alice", {"receiveAmount": amount(150)})

    assert [try_to_send(market, token, value) for value in (100, 51, 50)] == [201, 403, 201]


def test_an_interval_starts_over_and_ends_after_n_plus_one_periods(market: Marketplace) -> None:
    limits = {"debitAmount": amount(100), "interval": "R1/2026-11-22T12:00:00Z/PT1H"}
    market.options(token_life_s=100_000)
    token = token_for(market, "alice", limits)
    results = []

    for _ in range(3):
        results.append([try_to_send(market, token, 100), try_to_send(market, token, 1)])
        market.clock.advance(hours=1)

    assert results == [[201, 403], [201, 403], [403, 403]]


def test_before_its_interval_a_grant_allows_nothing(market: Marketplace) -> None:
    limits = {"debitAmount": amount(100), "interval": "R/2026-11-23T00:00:00Z/P1D"}
    token = token_for(market, "alice", limits)
    spent = market.call("GET", f"{BASE}/north/outgoing-payment-grant", token=token)

    assert try_to_send(market, token, 1) == 403
    assert spent.json() == {"spentDebitAmount": None, "spentReceiveAmount": None}


def test_spent_amounts_count_this_period(market: Marketplace) -> None:
    token = token_for(market, "alice", {"debitAmount": amount(100)})
    try_to_send(market, token, 70)

    spent = market.call("GET", f"{BASE}/north/outgoing-payment-grant", token=token)

    assert spent.json() == {"spentDebitAmount": amount(70), "spentReceiveAmount": amount(70)}


def test_spent_amounts_need_a_token_for_outgoing_payments(market: Marketplace) -> None:
    url = f"{BASE}/north/outgoing-payment-grant"

    assert market.call("GET", url).status_code == 401
    assert market.call("GET", url, token="nothing").status_code == 403
    assert market.call("GET", url, token=market.token("alice", "quote")).status_code == 403


def test_spent_in_several_assets_has_no_received_total(market: Marketplace) -> None:
    token = token_for(market, "alice")
    for receiver in (market.incoming("shop", 100), market.incoming("carmen", 1705)):
        market.send("alice", market.quote("alice", receiver["id"])["id"], token)

    spent = market.call("GET", f"{BASE}/north/outgoing-payment-grant", token=token)

    assert spent.json() == {"spentDebitAmount": amount(200), "spentReceiveAmount": None}


def test_the_list_shows_own_payments_newest_first(market: Marketplace) -> None:
    _, first, _ = market.pay("alice", "shop", 1)
    _, second, token = market.pay("alice", "shop", 2)
    url = f"{BASE}/north/outgoing-payments?wallet-address={BASE}/alice"

    listed = market.call("GET", url, token=token).json()["result"]

    assert [one["id"] for one in listed] == [second["id"], first["id"]]
    assert "grantSpentDebitAmount" not in listed[0]


def test_an_unknown_payment_is_401(market: Marketplace) -> None:
    token = token_for(market, "alice")

    answer = market.call("GET", f"{BASE}/north/outgoing-payments/nothing", token=token)

    assert error_of(answer) == (401, "Unauthorized")
