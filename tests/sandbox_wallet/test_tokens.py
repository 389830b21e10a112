from datetime import timedelta

import httpx
import pytest

from tests.sandbox_wallet.marketplace import BASE, Json, Marketplace


def description(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["description"])


def issued(market: Marketplace) -> Json:
    access = {"type": "incoming-payment", "actions": ["create", "read"]}
    return dict(market.grant_request("shop", [access]).json()["access_token"])


def use(market: Marketplace, token: str) -> httpx.Response:
    body = {"walletAddress": f"{BASE}/shop"}
    return market.call("POST", f"{BASE}/north/incoming-payments", body, token=token)


def test_rotation_changes_value_and_manage_and_kills_the_old_token(market: Marketplace) -> None:
    old = issued(market)

    answer = market.call("POST", old["manage"], token=old["value"])

    new = answer.json()["access_token"]
    assert answer.status_code == 200
    assert (new["value"], new["manage"]) != (old["value"], old["manage"])
    assert new["access"] == old["access"]
    assert description(use(market, old["value"])) == "Inactive Token"
    assert use(market, new["value"]).status_code == 201


def test_a_rotated_token_cannot_be_rotated_again(market: Marketplace) -> None:
    old = issued(market)
    market.call("POST", old["manage"], token=old["value"])

    answer = market.call("POST", old["manage"], token=old["value"])

    assert answer.status_code == 401
    assert answer.json()["error"] == {
        "code": "invalid_client",
        "description": "invalid access token",
    }


def test_an_expired_token_is_inactive_but_can_be_rotated(market: Marketplace) -> None:
    old = issued(market)
    market.clock.advance(seconds=600)

    refused = use(market, old["value"])
    rotated = market.call("POST", old["manage"], token=old["value"])

    assert (refused.status_code, description(refused)) == (403, "Inactive Token")
    assert refused.headers["www-authenticate"] == f"GNAP as_uri={BASE}/auth/north"
    assert use(market, rotated.json()["access_token"]["value"]).status_code == 201


def test_a_token_is_purged_thirty_days_after_it_expired(market: Marketplace) -> None:
    old = issued(market)
    market.clock.now += timedelta(days=30, seconds=600)

    assert market.call("POST", old["manage"], token=old["value"]).status_code == 401


def test_a_revoked_token_is_inactive(market: Marketplace) -> None:
    token = issued(market)

    first = market.call("DELETE", token["manage"], token=token["value"])
    second = market.call("DELETE", token["manage"], token=token["value"])

    assert (first.status_code, second.status_code) == (204, 401)
    assert use(market, token["value"]).status_code == 403


def test_a_token_is_managed_only_with_itself(market: Marketplace) -> None:
    token, other = issued(market), issued(market)

    assert market.call("POST", token["manage"], token=other["value"]).status_code == 401
    assert market.call("POST", token["manage"]).status_code == 401


def test_a_token_allows_only_what_was_granted(market: Marketplace) -> None:
    token = market.token("alice", "incoming-payment", "read")

    other_action = market.call(
        "POST", f"{BASE}/north/incoming-payments", {"walletAddress": f"{BASE}/alice"}, token=token
    )
    other_wallet = use(market, token)

    assert (other_action.status_code, description(other_action)) == (403, "Insufficient Grant")
    assert (other_wallet.status_code, description(other_wallet)) == (403, "Insufficient Grant")


def test_only_the_first_matching_access_item_counts(market: Marketplace) -> None:
    first = market.incoming("shop", 100)["id"]
    second = market.incoming("shop", 100)["id"]
    items = [
        {
            "type": "outgoing-payment",
            "actions": ["create"],
            "identifier": f"{BASE}/alice",
            "limits": {"receiver": receiver},
        }
        for receiver in (first, second)
    ]
    interact = {"start": ["redirect"]}
    pending = market.grant_request("alice", items, interact=interact).json()
    market.decide(pending)
    token = market.continue_(pending).json()["access_token"]["value"]

    assert market.send("alice", market.quote("alice", second)["id"], token).status_code == 403
    assert market.send("alice", market.quote("alice", first)["id"], token).status_code == 201


def test_a_token_of_another_bank_is_inactive(market: Marketplace) -> None:
    token = issued(market)["value"]

    answer = market.call(
        "POST", f"{BASE}/sur/incoming-payments", {"walletAddress": f"{BASE}/carmen"}, token=token
    )

    assert answer.status_code == 403


@pytest.mark.parametrize("header", ["", "Bearer abc", "GNAP"])
def test_an_odd_authorization_header_is_401(market: Marketplace, header: str) -> None:
    answer = market.call(
        "POST",
        f"{BASE}/north/incoming-payments",
        {"walletAddress": f"{BASE}/shop"},
        changes={"Authorization": header},
    )

    assert answer.status_code == 401
    assert "www-authenticate" in answer.headers
