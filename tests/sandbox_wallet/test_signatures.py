from datetime import timedelta
from typing import Any

import httpx
import pytest

from backend.open_payments import Ed25519Signer
from tests.sandbox_wallet.marketplace import BASE, Marketplace, dump

BODY = {
    "access_token": {"access": [{"type": "quote", "actions": ["create"]}]},
    "client": {"walletAddress": f"{BASE}/platform"},
}


def ask(market: Marketplace, **more: Any) -> httpx.Response:
    return market.call("POST", f"{BASE}/auth/north", more.pop("body", BODY), **more)


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_an_unsigned_request_is_refused(market: Marketplace) -> None:
    answer = market.http.post(f"{BASE}/auth/north", content=dump(BODY))

    assert code_of(answer) == (401, "invalid_client")


def test_a_body_other_than_the_signed_one_is_refused(market: Marketplace) -> None:
    digest = "sha-512=:" + "A" * 86 + "==:"

    assert code_of(ask(market, changes={"Content-Digest": digest})) == (401, "invalid_client")


def test_another_clients_key_is_refused(market: Marketplace) -> None:
    market.signer = Ed25519Signer.generate(market.signer.key_id)

    assert code_of(ask(market)) == (401, "invalid_client")


def test_an_unpublished_key_id_is_an_unknown_client(market: Marketplace) -> None:
    market.signer = Ed25519Signer.generate("lost-key")

    assert code_of(ask(market)) == (400, "invalid_client")


def test_a_client_outside_the_sandbox_is_unknown_by_default(market: Marketplace) -> None:
    body = {**BODY, "client": {"walletAddress": "https://platform.example/acme"}}

    assert code_of(ask(market, body=body)) == (400, "invalid_client")


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_signature_from_another_time_is_refused(market: Marketplace, seconds: int) -> None:
    world_time = market.clock.now

    class Skewed(type(market.clock)):  # type: ignore[misc]
        """The client's clock, wrong by some seconds."""

        def __call__(self) -> Any:
            return world_time + timedelta(seconds=seconds)

    market.clock = Skewed()

    assert code_of(ask(market)) == (401, "invalid_client")


def test_the_window_can_be_switched_off(market: Marketplace) -> None:
    market.options(created_window_s=None)

    class Late(type(market.clock)):  # type: ignore[misc]
        """A client that lives a year behind."""

        def __call__(self) -> Any:
            return self.now - timedelta(days=365)

    market.clock = Late()

    assert ask(market).status_code == 200


def test_advancing_the_sandbox_does_not_make_signatures_old(market: Marketplace) -> None:
    market.tell("POST", "clock", {"advance_s": 86_400})

    assert ask(market).status_code == 200


def test_python_style_json_is_fine_on_raw_bytes_and_refused_in_rafiki_mode(
    market: Marketplace,
) -> None:
    spaced = dump(BODY).replace(b'":', b'": ')

    raw = ask(market, body=spaced)
    market.options(rafiki_json=True)
    rafiki, compact = ask(market, body=spaced), ask(market)

    assert raw.status_code == 200
    assert code_of(rafiki) == (401, "invalid_client")
    assert compact.status_code == 200


def test_the_resource_server_words_its_refusals_differently(market: Marketplace) -> None:
    token = market.token("shop", "incoming-payment")
    url, body = f"{BASE}/north/incoming-payments", {"walletAddress": f"{BASE}/shop"}

    unsigned = market.http.post(url, content=dump(body), headers={"Authorization": f"GNAP {token}"})
    market.signer = Ed25519Signer.generate(market.signer.key_id)
    forged = market.call("POST", url, body, token=token)

    assert unsigned.status_code == 400
    assert forged.status_code == 401
    assert forged.json()["error"]["description"].startswith("Signature validation error")
    assert "www-authenticate" not in forged.headers


def test_refusals_are_counted(market: Marketplace) -> None:
    for _ in range(2):
        market.http.post(f"{BASE}/auth/north", content=dump(BODY))

    refusals = market.tell("GET", "requests").json()["refusals"]

    assert refusals == {"request-grant:quote 401 signature headers are missing": 2}
