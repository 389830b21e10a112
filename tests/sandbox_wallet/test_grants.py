from typing import Any

import pytest

from backend.open_payments import Ed25519Signer
from tests.sandbox_wallet.marketplace import BASE, Json, Marketplace, amount


def error_of(answer: Any) -> tuple[int, str | None, str]:
    error = answer.json()["error"]
    return answer.status_code, error.get("code"), error["description"]


READ = {"type": "incoming-payment", "actions": ["create", "read"], "identifier": f"{BASE}/alice"}


def test_a_non_interactive_grant_is_issued_at_once(market: Marketplace) -> None:
    answer = market.grant_request("alice", [READ])

    token = answer.json()["access_token"]
    assert answer.status_code == 200
    assert token["access"] == [READ]
    assert token["expires_in"] == 600
    assert token["manage"].startswith(f"{BASE}/token/")
    assert set(answer.json()) == {"access_token", "continue"}


@pytest.mark.parametrize(
    "client", [f"{BASE}/platform", {"walletAddress": f"{BASE}/platform"}], ids=["string", "object"]
)
def test_the_client_may_be_named_in_both_forms(market: Marketplace, client: Any) -> None:
    assert market.grant_request("alice", [READ], client=client).status_code == 200


def test_read_all_needs_nobody_but_list_all_does(market: Marketplace) -> None:
    read_all = {"type": "incoming-payment", "actions": ["read-all"]}
    list_all = {"type": "incoming-payment", "actions": ["list-all"]}
    # As a Rafiki instance asks for a receiver: ready to interact, without a finish.
    interact = {"start": ["redirect"]}

    assert "access_token" in market.grant_request("alice", [read_all], interact=interact).json()
    assert "interact" in market.grant_request("alice", [list_all], interact=interact).json()


def test_a_key_alone_is_a_client_of_non_interactive_grants(market: Marketplace) -> None:
    market.signer = Ed25519Signer.generate("own-key")
    jwk = {**market.signer.public_jwk().to_json()}
    client = {"jwk": jwk}

    issued = market.grant_request("shop", [{**READ, "identifier": f"{BASE}/shop"}], client=client)
    refused = market.ask("alice", client=client)

    token = issued.json()["access_token"]["value"]
    body = {"walletAddress": f"{BASE}/shop"}
    created = market.call("POST", f"{BASE}/north/incoming-payments", body, token=token)
    assert created.status_code == 201
    assert error_of(refused)[:2] == (400, "invalid_client")


OUT = {"type": "outgoing-payment", "actions": ["create"], "identifier": f"{BASE}/alice"}


@pytest.mark.parametrize(
    ("access", "code"),
    [
        ([], None),
        ([READ, READ], None),
        ([READ, {**READ, "actions": ["read"]}, {"type": "quote", "actions": ["read"]}, OUT], None),
        ([{"type": "salary", "actions": ["create"]}], None),
        ([{**READ, "actions": ["steal"]}], None),
        ([{**READ, "actions": ["read", "read"]}], None),
        ([{**READ, "limits": {}}], None),
        ([{**READ, "colour": "red"}], None),
        ([{**READ, "identifier": f"{BASE}/nobody"}], "invalid_request"),
        ([{**READ, "identifier": f"{BASE}/carmen"}], "invalid_request"),
        ([{"type": "outgoing-payment", "actions": ["create"]}], None),
        ([OUT], "invalid_request"),
        ([{**OUT, "limits": {"interval": "monthly"}}], None),
        ([{**OUT, "limits": {"receiver": f"{BASE}/alice"}}], None),
        ([{**OUT, "limits": {"debitAmount": {"value": 5}}}], None),
        (
            [{**OUT, "limits": {"debitAmount": amount(1), "receiveAmount": amount(1)}}],
            "invalid_request",
        ),
    ],
)
def test_access_that_cannot_be_granted_is_refused(
    market: Marketplace, access: list[Json], code: str | None
) -> None:
    answer = market.grant_request("alice", access)

    assert error_of(answer)[:2] == (400, code)


@pytest.mark.parametrize(
    "interact",
    [
        {"start": ["app"]},
        {"start": ["redirect"], "finish": {"method": "push", "uri": "https://a.example"}},
        {"start": ["redirect"], "finish": {"method": "redirect", "uri": "javascript:1"}},
        {"start": ["redirect"], "finish": {"method": "redirect", "uri": "https://a.example"}},
    ],
)
def test_an_interaction_nobody_could_finish_is_refused(market: Marketplace, interact: Json) -> None:
    assert market.grant_request("alice", [OUT], interact=interact).status_code == 400


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"NaN", b"\xff", b'{"client":"x"}'])
def test_a_grant_request_that_is_not_one_is_400(market: Marketplace, body: bytes) -> None:
    assert market.call("POST", f"{BASE}/auth/north", body).status_code == 400


def test_a_pending_grant_says_where_to_go_and_how_to_continue(market: Marketplace) -> None:
    pending = market.ask("alice", {"debitAmount": amount(500)}).json()

    assert pending["interact"]["redirect"].startswith(f"{BASE}/interact/")
    assert "clientName=Sandbox+Marketplace" in pending["interact"]["redirect"]
    assert pending["interact"]["finish"] not in pending["interact"]["redirect"]
    assert pending["continue"]["wait"] == 0
    assert "access_token" not in pending


def test_an_approved_grant_is_issued_once(market: Marketplace) -> None:
    pending = market.ask("alice", {"debitAmount": amount(500)}).json()
    finish = market.decide(pending)

    first = market.continue_(pending, finish["interact_ref"])
    second = market.continue_(pending, finish["interact_ref"])

    assert first.json()["access_token"]["access"][0]["limits"] == {"debitAmount": amount(500)}
    assert error_of(second)[:2] == (401, "request_denied")


def test_a_wrong_interact_ref_finds_nothing(market: Marketplace) -> None:
    pending = market.ask("alice").json()
    market.decide(pending)

    assert error_of(market.continue_(pending, "guess"))[:2] == (404, "invalid_continuation")


def test_a_rejected_grant_is_denied(market: Marketplace) -> None:
    pending = market.ask("alice", finish=False).json()
    market.decide(pending, "reject")

    assert error_of(market.continue_(pending))[:2] == (401, "request_denied")


def test_continuing_before_the_wait_is_too_fast(market: Marketplace) -> None:
    market.options(wait_s=5)
    pending = market.ask("alice").json()
    finish = market.decide(pending)

    early = market.continue_(pending, finish["interact_ref"])
    market.clock.advance(seconds=5)
    late = market.continue_(pending, finish["interact_ref"])

    assert pending["continue"]["wait"] == 5
    assert error_of(early)[:2] == (400, "too_fast")
    assert late.status_code == 200


def test_a_grant_without_finish_is_polled(market: Marketplace) -> None:
    pending = market.ask("alice", finish=False).json()

    waiting = market.continue_(pending)
    market.decide(pending)
    issued = market.continue_(pending)

    assert set(waiting.json()) == {"continue"}
    assert waiting.json()["continue"]["wait"] == 0
    assert "access_token" in issued.json()


def test_a_grant_with_finish_cannot_be_polled(market: Marketplace) -> None:
    pending = market.ask("alice").json()

    assert error_of(market.continue_(pending)) == (
        401,
        "request_denied",
        "grant cannot be polled",
    )


def test_an_expired_interaction_ends_the_polling(market: Marketplace) -> None:
    pending = market.ask("alice", finish=False).json()
    market.clock.advance(seconds=601)

    assert error_of(market.continue_(pending))[:2] == (401, "request_denied")


def test_a_continue_token_of_another_grant_is_refused(market: Marketplace) -> None:
    mine, other = market.ask("alice").json(), market.ask("alice").json()
    mine["continue"]["access_token"] = other["continue"]["access_token"]

    assert error_of(market.continue_(mine, "x"))[:2] == (401, "invalid_continuation")


def test_cancelling_a_grant_kills_its_tokens(market: Marketplace) -> None:
    issued = market.consent("alice")
    continuation = issued["continue"]

    def cancel() -> Any:
        return market.call(
            "DELETE", continuation["uri"], token=continuation["access_token"]["value"]
        )

    first, second = cancel(), cancel()
    spent = market.call(
        "GET", f"{BASE}/north/outgoing-payment-grant", token=issued["access_token"]["value"]
    )

    assert first.status_code == 204
    assert first.content == b""
    assert second.status_code == 401
    assert spent.status_code == 403


def test_a_subject_grant_proves_a_wallet_address_and_gives_no_token(market: Marketplace) -> None:
    subject = {"sub_ids": [{"id": f"{BASE}/alice", "format": "uri"}]}
    body = {
        "client": {"walletAddress": market.client},
        "subject": subject,
        "interact": {"start": ["redirect"]},
    }
    pending = market.call("POST", f"{BASE}/auth/north", body).json()
    market.decide(pending)

    answer = market.continue_(pending).json()

    assert answer["subject"] == subject
    assert "access_token" not in answer


def test_a_subject_of_another_bank_is_refused(market: Marketplace) -> None:
    body = {
        "client": {"walletAddress": market.client},
        "subject": {"sub_ids": [{"id": f"{BASE}/carmen", "format": "uri"}]},
        "interact": {"start": ["redirect"]},
    }

    assert market.call("POST", f"{BASE}/auth/north", body).status_code == 400


def test_auto_accept_needs_no_person(market: Marketplace) -> None:
    market.options(auto_accept=True)
    pending = market.ask("alice", finish=False).json()

    assert "access_token" in market.continue_(pending).json()
