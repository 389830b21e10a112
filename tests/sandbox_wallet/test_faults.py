"""Every act of the fault switches, and that the truth is written before an answer is lost."""

import json
from typing import Any

import httpx
import pytest

from tests.sandbox_wallet.marketplace import BASE, Json, Marketplace, amount


def prepared(market: Marketplace, **limits: Json) -> tuple[Json, Json, str]:
    """Make an incoming payment, its quote and a token to pay it."""
    incoming = market.incoming("shop", 1000)
    quote = market.quote("alice", incoming["id"])
    token = market.consent("alice", limits or None)["access_token"]["value"]
    return incoming, quote, str(token)


PLAIN_ACTS = [
    ("status_500_text", {}, 500, "Internal Server Error"),
    ("status_502_html", {}, 502, "<html>"),
    ("503", {"retry_after": 7}, 503, "Service Unavailable"),
    ("429", {}, 429, "Too Many Requests"),
    ("408", {}, 408, "Request Timeout"),
    ("garbage", {}, None, "<<not json>>"),
    ("wrong_shape", {}, None, '{"unexpected":[1,2,3]}'),
    ("status", {"status": 301, "headers": {"Location": f"{BASE}/x"}}, 301, ""),
    ("status", {"status": 400, "body": {"error": {"code": "400"}}}, 400, '{"error"'),
]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("act", "rule", "status", "text"), PLAIN_ACTS)
def test_answers_are_replaced_before_or_after_the_effect(
    market: Marketplace, when: str, act: str, rule: Json, status: int | None, text: str
) -> None:
    incoming, quote, token = prepared(market)
    market.fault("create-outgoing-payment", act, when=when, **rule)

    answer = market.send("alice", quote["id"], token)

    usual = 201 if when == "after" else 200
    assert answer.status_code == (status or usual)
    assert answer.text.startswith(text)
    assert answer.headers.get("retry-after") == ("7" if "retry_after" in rule else None)
    assert market.received(incoming["id"]) == (1000 if when == "after" else 0)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("act", "error"),
    [("reset", httpx.ReadError), ("silence", httpx.ReadTimeout), ("timeout", httpx.ReadTimeout)],
)
def test_answers_are_lost_before_or_after_the_effect(
    market: Marketplace, when: str, act: str, error: type[Exception]
) -> None:
    incoming, quote, token = prepared(market)
    market.fault("create-outgoing-payment", act, when=when)

    with pytest.raises(error):
        market.send("alice", quote["id"], token)

    assert market.received(incoming["id"]) == (1000 if when == "after" else 0)


def test_a_truncated_answer_is_no_json(market: Marketplace) -> None:
    _, quote, token = prepared(market)
    market.fault("create-outgoing-payment", "truncated", when="after")

    answer = market.send("alice", quote["id"], token)

    assert answer.status_code == 201
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_a_silence_shorter_than_the_clients_patience_ends_in_a_reset(market: Marketplace) -> None:
    market.fault("get-wallet-address", "silence", seconds=1)

    with pytest.raises(httpx.ReadError):
        market.wallet("alice")


def test_a_delay_lets_the_answer_through_if_the_client_waits(market: Marketplace) -> None:
    market.fault("get-wallet-address", "delay", seconds=4, times=2)

    patient = market.http.get(f"{BASE}/alice", timeout=10)

    assert patient.json()["assetCode"] == "USD"
    with pytest.raises(httpx.ReadTimeout):
        market.http.get(f"{BASE}/alice", timeout=3)


@pytest.mark.parametrize("act", ["echo_other_receiver", "echo_other_amount"])
def test_an_answer_may_be_about_something_else(market: Marketplace, act: str) -> None:
    incoming = market.incoming("shop", 1000)
    market.fault("create-quote", act)

    quote = market.quote("alice", incoming["id"])

    same_receiver = quote["receiver"] == incoming["id"]
    same_amount = quote["debitAmount"] == amount(1000)
    assert (same_receiver, same_amount) == (
        act != "echo_other_receiver",
        act != "echo_other_amount",
    )


def test_a_late_effect_happens_later_though_the_answer_was_lost(market: Marketplace) -> None:
    incoming, quote, token = prepared(market)
    market.fault("create-outgoing-payment", "timeout", when="late", late_s=60)

    with pytest.raises(httpx.ReadTimeout):
        market.send("alice", quote["id"], token)
    at_once = market.received(incoming["id"])
    market.clock.advance(seconds=59)
    just_before = market.received(incoming["id"])
    market.clock.advance(seconds=1)
    in_time = market.received(incoming["id"])

    assert (at_once, just_before, in_time) == (0, 0, 1000)
    moved = market.ledger(incoming["id"])["movements"]
    assert {one["t"] for one in moved} == {"2026-11-22T12:01:00.000Z"}


def test_a_late_effect_after_the_quote_expired_does_not_happen(market: Marketplace) -> None:
    incoming, quote, token = prepared(market)
    market.fault("create-outgoing-payment", "reset", when="late", late_s=300)

    with pytest.raises(httpx.ReadError):
        market.send("alice", quote["id"], token)
    market.clock.advance(seconds=3600)

    assert market.received(incoming["id"]) == 0


def test_a_late_effect_needs_no_fresh_signature_or_token(market: Marketplace) -> None:
    market.options(token_life_s=30, created_window_s=30)
    incoming, quote, token = prepared(market)
    market.fault("create-outgoing-payment", "reset", when="late", late_s=200)

    with pytest.raises(httpx.ReadError):
        market.send("alice", quote["id"], token)
    market.tell("POST", "clock", {"advance_s": 200})

    assert market.received(incoming["id"]) == 1000


def test_advancing_the_clock_runs_what_was_late(market: Marketplace) -> None:
    incoming, quote, token = prepared(market)
    market.fault("create-outgoing-payment", "503", when="late", late_s=60)
    market.send("alice", quote["id"], token)

    market.tell("POST", "clock", {"advance_s": 60})

    assert market.ledger(incoming["id"])["totals"]["delivered"] == {"USD/2": 1000}


def test_late_effects_and_settlements_happen_in_order(market: Marketplace) -> None:
    market.options(settle_s=10)
    incoming, quote, token = prepared(market)
    market.fault("create-outgoing-payment", "503", when="late", late_s=60)
    market.send("alice", quote["id"], token)

    market.clock.advance(seconds=3600)

    assert market.received(incoming["id"]) == 1000
    times = [one["t"] for one in market.ledger(incoming["id"])["movements"]]
    assert times == ["2026-11-22T12:01:00.000Z", "2026-11-22T12:01:10.000Z"]


# -- acts on the money ----------------------------------------------------------------------


def outcome(market: Marketplace, act: str, **rule: Any) -> tuple[bool, int, int, int]:
    """Pay under a fault; return failed, sent, received and what the payer lost."""
    incoming, quote, token = prepared(market)
    market.fault("create-outgoing-payment", act, **rule)
    answer = market.send("alice", quote["id"], token)
    assert answer.status_code == 201, answer.text
    shown = market.call("GET", answer.json()["id"], token=token).json()
    lost = 1_000_000_000 - market.balance("alice")
    received = market.received(incoming["id"])
    return shown["failed"], int(shown["sentAmount"]["value"]), received, lost


@pytest.mark.parametrize(
    ("act", "rule", "expected"),
    [
        ("insufficient_funds", {}, (True, 0, 0, 0)),
        ("partial_delivery", {"value": 300}, (True, 300, 300, 300)),
        ("complete_short", {"value": 400}, (False, 400, 400, 400)),
        ("complete_short", {}, (False, 500, 500, 500)),
        ("stay_funding", {}, (False, 0, 0, 0)),
    ],
)
def test_the_money_takes_another_way(
    market: Marketplace, act: str, rule: Json, expected: tuple[bool, int, int, int]
) -> None:
    assert outcome(market, act, **rule) == expected


def test_one_payment_may_settle_later_than_others(market: Marketplace) -> None:
    incoming, quote, token = prepared(market)
    market.fault("create-outgoing-payment", "settle_late", seconds=30, wallet="alice")
    market.send("alice", quote["id"], token)

    at_once = market.received(incoming["id"])
    market.clock.advance(seconds=30)

    assert (at_once, market.received(incoming["id"])) == (0, 1000)


def test_a_partial_delivery_gives_the_whole_reservation_back(market: Marketplace) -> None:
    _, quote, token = prepared(market, debitAmount=amount(1000))
    market.fault("create-outgoing-payment", "partial_delivery", value=300)
    market.send("alice", quote["id"], token)

    spent = market.call("GET", f"{BASE}/north/outgoing-payment-grant", token=token).json()

    assert spent == {"spentDebitAmount": amount(0), "spentReceiveAmount": amount(0)}


def test_a_quote_may_expire_under_the_clients_hands(market: Marketplace) -> None:
    _, quote, token = prepared(market)
    market.fault("create-outgoing-payment", "expire_quote")

    answer = market.send("alice", quote["id"], token)

    assert (answer.status_code, answer.json()["error"]["description"]) == (400, "invalid quote")


def test_a_grant_may_be_revoked_in_the_wallet(market: Marketplace) -> None:
    _, quote, token = prepared(market)
    market.fault("create-outgoing-payment", "revoke_grant")

    assert market.send("alice", quote["id"], token).status_code == 403
    assert market.send("alice", quote["id"], token).status_code == 403


def test_a_key_may_be_revoked(market: Marketplace) -> None:
    _, quote, token = prepared(market)
    market.fault("create-outgoing-payment", "revoked_key")
    market.fault("request-grant", "revoked_key")

    at_resource_server = market.send("alice", quote["id"], token)
    at_auth_server = market.ask("alice")

    assert at_resource_server.status_code == 401
    assert "no longer published" in at_resource_server.json()["error"]["description"]
    assert at_auth_server.json()["error"]["code"] == "invalid_client"


# -- when rules strike ------------------------------------------------------------------------


def statuses(market: Marketplace, wallet: str, calls: int) -> list[int]:
    return [market.http.get(f"{BASE}/{wallet}").status_code for _ in range(calls)]


def test_a_rule_strikes_once_unless_it_says_more(market: Marketplace) -> None:
    market.fault("get-wallet-address", "503")

    assert statuses(market, "alice", 3) == [503, 200, 200]


def test_a_rule_may_wait_for_the_nth_call_and_strike_several_times(market: Marketplace) -> None:
    market.fault("get-wallet-address", "503", nth=2, times=2)

    assert statuses(market, "alice", 5) == [200, 503, 503, 200, 200]


def test_a_rule_may_be_about_one_wallet(market: Marketplace) -> None:
    market.fault("get-wallet-address", "503", wallet="bob")

    assert statuses(market, "alice", 1) + statuses(market, "bob", 2) == [200, 503, 200]


def test_a_rule_may_strike_by_chance(market: Marketplace) -> None:
    market.fault("get-wallet-address", "503", probability=0.5)

    seen = statuses(market, "alice", 200)

    assert 60 < seen.count(503) < 140


def test_rules_are_shown_with_what_they_did_and_can_be_cleared(market: Marketplace) -> None:
    market.fault("get-wallet-address", "503", nth=2)
    statuses(market, "alice", 3)

    shown = market.tell("GET", "faults").json()["faults"]
    cleared = market.tell("DELETE", "faults")

    assert [(rule["seen"], rule["fired"], rule["remaining"]) for rule in shown] == [(3, 1, 0)]
    assert cleared.status_code == 204
    assert market.tell("GET", "faults").json() == {"faults": []}


def test_a_family_rule_strikes_every_kind_of_grant_request(market: Marketplace) -> None:
    market.fault("request-grant", "503", times=2)
    access = {"type": "quote", "actions": ["create"]}

    assert market.grant_request("alice", [access]).status_code == 503
    assert market.ask("alice").status_code == 503


# -- every call -------------------------------------------------------------------------------


def _token_calls(market: Marketplace) -> Json:
    access = {"type": "incoming-payment", "actions": ["read"], "identifier": f"{BASE}/alice"}
    return dict(market.grant_request("alice", [access]).json())


def _out(market: Marketplace, path: str) -> Any:
    _, outgoing, token = market.pay("alice", "shop", 100)
    url = path.format(id=outgoing["id"], quote=outgoing["quoteId"])
    return lambda: market.call("GET", url, token=token)


def _in(market: Marketplace, method: str, action: str, path: str) -> Any:
    url = path.format(id=market.incoming("shop", 100)["id"])
    token = market.token("shop", "incoming-payment", action)
    body = {"walletAddress": f"{BASE}/shop"} if action == "create" else None
    return lambda: market.call(method, url, body, token=token)


def _continue(market: Marketplace, method: str) -> Any:
    continuation = market.ask("alice", finish=False).json()["continue"]
    return lambda: market.call(
        method, continuation["uri"], token=continuation["access_token"]["value"]
    )


def _manage(market: Marketplace, method: str) -> Any:
    token = _token_calls(market)["access_token"]
    return lambda: market.call(method, token["manage"], token=token["value"])


def _ask_subject(market: Marketplace) -> Any:
    body = {
        "client": {"walletAddress": market.client},
        "subject": {"sub_ids": [{"id": f"{BASE}/alice", "format": "uri"}]},
        "interact": {"start": ["redirect"]},
    }
    return lambda: market.call("POST", f"{BASE}/auth/north", body)


def _ask_access(market: Marketplace, kind: str, wallet: str) -> Any:
    item = {"type": kind, "actions": ["read"], "identifier": f"{BASE}/{wallet}"}
    return lambda: market.grant_request(wallet, [item])


def _create_quote(market: Marketplace) -> Any:
    incoming = market.incoming("shop", 100)
    return lambda: market.try_quote("alice", incoming["id"])


def _create_outgoing(market: Marketplace) -> Any:
    _, quote, token = prepared(market)
    return lambda: market.send("alice", quote["id"], token)


def _get_quote(market: Marketplace) -> Any:
    quote = market.quote("alice", market.incoming("shop", 100)["id"])
    token = market.token("alice", "quote")
    return lambda: market.call("GET", quote["id"], token=token)


INCOMING = f"{BASE}/north/incoming-payments"
CALLS: dict[str, Any] = {
    "get-wallet-address": lambda m: lambda: m.http.get(f"{BASE}/alice"),
    "get-keys": lambda m: lambda: m.http.get(f"{BASE}/alice/jwks.json"),
    "request-grant:quote": lambda m: _ask_access(m, "quote", "alice"),
    "request-grant:incoming-payment": lambda m: _ask_access(m, "incoming-payment", "shop"),
    "request-grant:outgoing-payment": lambda m: lambda: m.ask("alice"),
    "request-grant:subject": _ask_subject,
    "continue": lambda m: _continue(m, "POST"),
    "cancel": lambda m: _continue(m, "DELETE"),
    "rotate": lambda m: _manage(m, "POST"),
    "revoke": lambda m: _manage(m, "DELETE"),
    "create-incoming-payment": lambda m: _in(m, "POST", "create", INCOMING),
    "get-incoming-payment": lambda m: _in(m, "GET", "read", "{id}"),
    "get-public-incoming-payment": lambda m: lambda: m.http.get(m.incoming("shop", 1)["id"]),
    "list-incoming-payments": lambda m: _in(
        m, "GET", "list", f"{INCOMING}?wallet-address={BASE}/shop"
    ),
    "complete-incoming-payment": lambda m: _in(m, "POST", "complete", "{id}/complete"),
    "create-quote": _create_quote,
    "get-quote": _get_quote,
    "create-outgoing-payment": _create_outgoing,
    "get-outgoing-payment": lambda m: _out(m, "{id}"),
    "list-outgoing-payments": lambda m: _out(
        m, f"{BASE}/north/outgoing-payments?wallet-address={BASE}/alice"
    ),
    "get-spent-amounts": lambda m: _out(m, f"{BASE}/north/outgoing-payment-grant"),
}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", list(CALLS))
def test_every_call_can_fail_for_its_wallet(market: Marketplace, call: str, when: str) -> None:
    wallet = "shop" if "incoming" in call else "alice"
    send = CALLS[call](market)
    market.fault(call, "status_500_text", wallet=wallet, when=when)

    assert send().status_code == 500


@pytest.mark.parametrize(
    "rule",
    [
        {"call": "pay", "act": "503"},
        {"call": "*", "act": "explode"},
        {"call": "create-quote", "act": "insufficient_funds"},
        {"call": "*", "act": "503", "when": "soon"},
        {"call": "*", "act": "503", "nth": 0},
        {"call": "*", "act": "503", "nth": 1, "probability": 0.5},
        {"call": "*", "act": "503", "probability": 2},
        {"call": "*", "act": "503", "times": "often"},
        {"call": "*", "act": "delay", "seconds": "long"},
        {"call": "*", "act": "503", "wallet": "nobody"},
        {"call": "*", "act": "503", "colour": "red"},
    ],
)
def test_rules_that_make_no_sense_are_refused(market: Marketplace, rule: Json) -> None:
    answer = market.tell("POST", "faults", rule)

    assert answer.status_code == 400
    assert answer.json()["error"]["description"]
    assert market.tell("GET", "faults").json() == {"faults": []}
