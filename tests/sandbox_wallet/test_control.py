from typing import Any

import pytest

from tests.sandbox_wallet.marketplace import BASE, Marketplace, amount


def test_decide_needs_a_redirect_and_a_decision(market: Marketplace) -> None:
    redirect = market.ask("alice").json()["interact"]["redirect"]

    unknown = market.tell("POST", "decide", {"redirect": f"{BASE}/x", "decision": "accept"})
    unclear = market.tell("POST", "decide", {"redirect": redirect, "decision": "maybe"})

    assert (unknown.status_code, unclear.status_code) == (400, 400)
    assert "accept" in unclear.json()["error"]["description"]


def test_a_decision_is_made_once(market: Marketplace) -> None:
    pending = market.ask("alice").json()

    assert market.decide(pending, "reject") == {"state": "1", "result": "grant_rejected"}
    assert market.decide(pending, "accept")["result"] == "invalid_interaction"


def test_the_ledger_shows_every_movement_of_a_receiver(market: Marketplace) -> None:
    market.pay("alice", "shop", 100)
    incoming, outgoing, _ = market.pay("alice", "carmen", 1705)

    ledger = market.ledger(incoming["id"])

    assert [(one["kind"], one["from"], one["to"], one["value"]) for one in ledger["movements"]] == [
        ("hold", "user:alice", "hold:USD/2", 100),
        ("exchange", "hold:USD/2", "fx:USD/2", 100),
        ("deliver", "fx:MXN/2", "user:carmen", 1705),
    ]
    assert {one["outgoing"] for one in ledger["movements"]} == {outgoing["id"]}
    assert {one["client"] for one in ledger["movements"]} == {market.client}
    assert ledger["movements"][0]["t"] == "2026-11-22T12:00:00.000Z"


def test_balances_of_each_asset_add_up_to_zero(market: Marketplace) -> None:
    market.options(fees={"bps": 50, "fixed": 1})
    market.pay("alice", "carmen", 99999)
    market.pay("bob", "shop", 12345)

    sums: dict[str, int] = {}
    for account in market.ledger()["accounts"]:
        sums[account["asset"]] = sums.get(account["asset"], 0) + account["balance"]

    assert set(sums.values()) == {0}


def test_the_clock_can_be_advanced(market: Marketplace) -> None:
    quote = market.quote("alice", market.incoming("shop", 100)["id"])
    token = market.consent("alice")["access_token"]["value"]

    answer = market.tell("POST", "clock", {"advance_s": 300})

    assert answer.json() == {"now": "2026-11-22T12:05:00.000Z"}
    assert market.tell("GET", "clock").json() == answer.json()
    assert market.send("alice", quote["id"], token).status_code == 400
    assert market.tell("POST", "clock", {"advance_s": -1}).status_code == 400


def test_a_reset_forgets_everything_but_the_client_key(market: Marketplace) -> None:
    incoming = market.pay("alice", "shop", 100)[0]
    market.options(fee_fixed=5)
    market.fault("*", "status_500_text")

    assert market.tell("POST", "reset").json() == {"reset": True}

    assert market.http.get(incoming["id"]).status_code == 401
    assert market.balance("alice") == 1_000_000_000
    assert market.tell("GET", "options").json()["fee_fixed"] == 0
    assert market.tell("GET", "faults").json() == {"faults": []}
    assert market.pay("alice", "shop", 100)[1]["failed"] is False


@pytest.mark.parametrize(
    "changes",
    [
        {"colour": "red"},
        {"temperament": "moody"},
        {"settle_s": -1},
        {"settle_s": "1"},
        {"wait_s": 1.5},
        {"fee_bps": 10_000},
        {"fees": {"percent": 1}},
        {"rates": {"USDMXN": "17"}},
        {"rates": {"USD:MXN": "0"}},
        {"rates": 17},
        {"hash_encoding": "md5"},
        {"auto_accept": 1},
        {"client_origins": "http://127.0.0.1"},
    ],
)
def test_options_that_make_no_sense_are_refused_whole(
    market: Marketplace, changes: dict[str, Any]
) -> None:
    answer = market.tell("POST", "options", {"quote_life_s": 7, **changes})

    assert answer.status_code == 400
    assert market.tell("GET", "options").json()["quote_life_s"] == 300


def test_a_temperament_is_a_preset_that_single_options_refine(market: Marketplace) -> None:
    market.options(temperament="loose", grant_limits=True)

    options = market.tell("GET", "options").json()

    assert options["single_use_quotes"] is False
    assert options["grant_limits"] is True


def test_the_request_log_has_digests_and_no_secrets(market: Marketplace) -> None:
    issued = market.consent("alice", {"debitAmount": amount(5)})

    answer = market.tell("GET", "requests")

    calls = [one["call"] for one in answer.json()["requests"]]
    assert calls == [
        "get-wallet-address",
        "request-grant:outgoing-payment",
        "continue-grant",
    ]
    assert {len(one["digest"]) for one in answer.json()["requests"]} == {64}
    assert answer.json()["requests"][1]["client"] == market.client
    secrets = (
        issued["access_token"]["value"],
        issued["access_token"]["manage"],
        issued["continue"]["uri"],
        issued["continue"]["access_token"]["value"],
    )
    assert not [secret for secret in secrets if secret in answer.text]


def test_the_same_request_has_the_same_digest(market: Marketplace) -> None:
    incoming = market.incoming("shop", 100)
    for _ in range(2):
        market.received(incoming["id"])

    digests = [one["digest"] for one in market.tell("GET", "requests").json()["requests"]]

    assert digests[-1] == digests[-2]
