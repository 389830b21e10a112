"""The consent page as a browser meets it."""

import re
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from backend.open_payments import finish_hash, verify_finish_hash
from tests.sandbox_wallet.marketplace import BASE, FINISH, Json, Marketplace, amount


def open_page(market: Marketplace, pending: Json) -> httpx.Response:
    """Follow the redirect to the consent page, as a browser would."""
    market.http.cookies.clear()
    started = market.http.get(pending["interact"]["redirect"])
    assert started.status_code == 302
    return market.http.get(started.headers["location"])


def csrf_of(page: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found is not None
    return found[1]


def press(market: Marketplace, page: httpx.Response, decision: str) -> str:
    """Press a button and return where the browser ends up."""
    form = {"csrf": csrf_of(page), "decision": decision}
    decided = market.http.post(str(page.url), data=form)
    assert decided.status_code == 302
    return str(market.http.get(decided.headers["location"]).headers["location"])


def query_of(location: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def test_the_page_says_who_wants_what(market: Marketplace) -> None:
    incoming = market.incoming("carmen", 170500)
    limits = {
        "receiver": incoming["id"],
        "debitAmount": amount(1025000),
        "interval": "R11/2026-12-01T00:00:00Z/P1M",
    }

    page = open_page(market, market.ask("alice", limits).json())

    assert page.status_code == 200
    assert "Sandbox Marketplace" in page.text
    assert "$10,250.00" in page.text
    assert f"{BASE}/carmen" in page.text
    assert f"{BASE}/alice" in page.text
    assert "every month, 12 times, starting 1 December 2026" in page.text
    assert "Any recipient" not in page.text


def test_the_page_warns_of_missing_limits(market: Marketplace) -> None:
    page = open_page(market, market.ask("alice").json())

    assert "Any recipient" in page.text
    assert "No upper limit" in page.text


def test_a_window_is_told_as_a_total(market: Marketplace) -> None:
    limits = {"receiveAmount": amount(900), "interval": "R0/2026-12-01T00:00:00Z/P90D"}

    page = open_page(market, market.ask("alice", limits).json())

    assert "Recipients get at most" in page.text
    assert "in total, from 1 December 2026 until 1 March 2027, 00:00 UTC" in page.text


def test_the_page_of_a_subject_grant_says_that_no_money_moves(market: Marketplace) -> None:
    body = {
        "client": {"walletAddress": market.client},
        "subject": {"sub_ids": [{"id": f"{BASE}/alice", "format": "uri"}]},
        "interact": {"start": ["redirect"]},
    }
    pending = market.call("POST", f"{BASE}/auth/north", body).json()

    assert "cannot move any money" in open_page(market, pending).text


def test_the_page_cannot_be_framed_and_loads_nothing(market: Marketplace) -> None:
    page = open_page(market, market.ask("alice").json())

    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "no-store"
    assert not re.search(r"<(script|link|img|iframe)", page.text)


@pytest.mark.parametrize("encoding", ["rafiki", "rfc"])
def test_approval_comes_back_with_a_hash_that_verifies(market: Marketplace, encoding: str) -> None:
    market.options(hash_encoding=encoding)
    pending = market.ask("alice").json()

    location = press(market, open_page(market, pending), "approve")

    query = query_of(location)
    known = {
        "client_nonce": "client-nonce",
        "interact_nonce": pending["interact"]["finish"],
        "interact_ref": query["interact_ref"],
        "grant_endpoint": f"{BASE}/auth/north",
    }
    verify_finish_hash(query["hash"], **known)
    assert query["hash"] == finish_hash(**known, url_safe=encoding == "rfc")
    assert location.startswith(f"{FINISH}&hash=")
    assert market.continue_(pending, query["interact_ref"]).status_code == 200


def test_declining_comes_back_without_a_hash(market: Marketplace) -> None:
    location = press(market, open_page(market, market.ask("alice").json()), "decline")

    assert query_of(location) == {"state": "1", "result": "grant_rejected"}


def test_without_a_finish_the_person_is_told_to_go_back(market: Marketplace) -> None:
    page = open_page(market, market.ask("alice", finish=False).json())

    goodbye = market.http.get(press(market, page, "approve"))

    assert "close this window" in goodbye.text


def test_finishing_without_a_decision_is_invalid(market: Marketplace) -> None:
    page = open_page(market, market.ask("alice").json())
    finish = str(page.url).replace("/consent/", "/interact/") + "/finish"

    location = market.http.get(finish).headers["location"]

    assert query_of(location)["result"] == "grant_invalid"


def test_a_finished_interaction_cannot_be_used_again(market: Marketplace) -> None:
    pending = market.ask("alice").json()
    press(market, open_page(market, pending), "approve")

    again = market.http.get(pending["interact"]["redirect"])

    assert query_of(again.headers["location"])["result"] == "invalid_interaction"


def test_an_expired_interaction_says_so(market: Marketplace) -> None:
    pending = market.ask("alice").json()
    page = open_page(market, pending)
    market.clock.advance(seconds=601)

    shown = market.http.get(str(page.url))
    location = press(market, page, "approve")

    assert "Request expired" in shown.text
    assert query_of(location)["message"] == "interaction expired"


def test_a_withdrawn_request_says_so(market: Marketplace) -> None:
    pending = market.ask("alice").json()
    page = open_page(market, pending)
    continuation = pending["continue"]
    market.call("DELETE", continuation["uri"], token=continuation["access_token"]["value"])

    assert "Request withdrawn" in market.http.get(str(page.url)).text
    started = market.http.get(pending["interact"]["redirect"])
    assert query_of(started.headers["location"])["result"] == "unknown_interaction"


def test_a_form_from_elsewhere_decides_nothing(market: Marketplace) -> None:
    pending = market.ask("alice").json()
    page = open_page(market, pending)
    mine = csrf_of(page)
    theirs = csrf_of(open_page(market, pending))

    stolen = market.http.post(str(page.url), data={"csrf": mine, "decision": "approve"})
    market.http.cookies.clear()
    blind = market.http.post(str(page.url), data={"csrf": theirs, "decision": "approve"})

    assert mine != theirs
    assert (stolen.status_code, blind.status_code) == (403, 403)
    assert market.decide(pending, "reject")["result"] == "grant_rejected"


def test_the_page_needs_the_browser_that_started(market: Marketplace) -> None:
    page = open_page(market, market.ask("alice").json())
    market.http.cookies.clear()

    assert market.http.get(str(page.url)).status_code == 401


def test_unknown_links_say_so(market: Marketplace) -> None:
    redirect = market.ask("alice").json()["interact"]["redirect"].partition("?")[0]

    assert market.http.get(f"{BASE}/interact/a/b").status_code == 404
    assert market.http.get(f"{redirect}x").status_code == 404


def test_a_client_name_cannot_smuggle_markup(market: Marketplace) -> None:
    limits = {"receiver": f"{BASE}/x/incoming-payments/<script>alert(1)</script>"}

    page = open_page(market, market.ask("alice", limits).json())

    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text
