"""The control API of tests and demos: decisions, faults, the ledger, the clock, a reset."""

import json
import sqlite3
from typing import NoReturn

from sandbox_wallet import faults, interaction, seed
from sandbox_wallet.bank import Bank, Call
from sandbox_wallet.clients import local_keys
from sandbox_wallet.clock import iso
from sandbox_wallet.wire import (
    NO_CONTENT,
    Json,
    Refusal,
    WireResponse,
    json_response,
    parse_object,
)

_MOST_REQUESTS = 10_000


def decide(bank: Bank, call: Call) -> WireResponse:
    """Decide an interaction without a browser; answer where the browser would go."""
    body = _body(call)
    decision = body.get("decision")
    if decision not in ("accept", "reject"):
        _bad('decision must be "accept" or "reject"')
    grant = interaction.grant_behind(bank, str(body.get("redirect")))
    if grant is None:
        _bad("redirect is not the interact.redirect of a grant of this sandbox")
    interaction.decide(bank, grant, call.now, approve=decision == "accept")
    return json_response(200, {"location": interaction.finish_location(bank, grant, call.now)})


def add_fault(bank: Bank, call: Call) -> WireResponse:
    """Add a rule that makes calls fail."""
    try:
        return json_response(201, faults.add(bank, _body(call)))
    except ValueError as wrong:
        _bad(str(wrong))


def list_faults(bank: Bank, call: Call) -> WireResponse:
    """Show the rules and how often each struck."""
    return json_response(200, {"faults": faults.show(bank)})


def clear_faults(bank: Bank, call: Call) -> WireResponse:
    """Forget all rules."""
    faults.clear(bank)
    return NO_CONTENT


def show_ledger(bank: Bank, call: Call) -> WireResponse:
    """Show every account and movement, or the movements towards one receiver."""
    receiver = call.request.query.get("receiver", [None])[0]
    movements = bank.ledger.movements(receiver)
    answer = {
        "accounts": bank.ledger.accounts(),
        "movements": [_movement(row) for row in movements],
        "totals": _totals(movements),
    }
    return json_response(200, answer)


def _movement(row: sqlite3.Row) -> Json:
    return {
        "t": iso(row["t"]),
        "kind": row["kind"],
        "from": row["source"],
        "to": row["target"],
        "asset": row["asset"],
        "value": row["value"],
        "outgoing": row["outgoing"],
        "quote": row["quote"],
        "receiver": row["receiver"],
        "client": row["client"],
    }


def _totals(movements: list[sqlite3.Row]) -> Json:
    """Sum up per asset: what senders paid (fees included), what arrived, what was earned."""
    totals: dict[str, dict[str, int]] = {"debited": {}, "delivered": {}, "fees": {}}

    def count(name: str, row: sqlite3.Row, value: int) -> None:
        totals[name][row["asset"]] = totals[name].get(row["asset"], 0) + value

    for row in movements:
        match row["kind"]:
            case "hold":
                count("debited", row, row["value"])
            case "release":
                count("debited", row, -row["value"])
            case "deliver":
                count("delivered", row, row["value"])
            case "fee":
                count("fees", row, row["value"])
    return totals


def show_clock(bank: Bank, call: Call) -> WireResponse:
    """Show the sandbox's time."""
    return json_response(200, {"now": iso(call.now)})


def show_options(bank: Bank, call: Call) -> WireResponse:
    """Show every option."""
    return json_response(200, bank.options.to_json())


def change_options(bank: Bank, call: Call) -> WireResponse:
    """Change some options; the others stay."""
    try:
        bank.set_options(bank.options.changed(_body(call)))
    except ValueError as wrong:
        _bad(str(wrong))
    return show_options(bank, call)


def change_keys(bank: Bank, call: Call) -> WireResponse:
    """Publish other keys of the client, as its holder does when it changes them."""
    keys = _body(call).get("keys")
    if not isinstance(keys, dict) or not all(isinstance(x, str) for x in keys.values()):
        _bad("keys must be an object of public keys (`x`) by their `kid`")
    seed.publish_keys(bank, keys)
    return json_response(200, {"keys": local_keys(bank, seed.PLATFORM)})


def show_requests(bank: Bank, call: Call) -> WireResponse:
    """Show the protocol requests seen, oldest first, and how many were refused and why."""
    rows = bank.db.execute(
        "SELECT * FROM (SELECT * FROM requests ORDER BY id DESC LIMIT ?) ORDER BY id",
        (_MOST_REQUESTS,),
    )
    seen = [
        {
            "t": iso(row["t"]),
            "call": row["call"],
            "method": row["method"],
            "path": row["path"],
            "client": row["client"],
            "wallet": row["wallet"],
            "status": row["status"],
            "refused": row["refused"],
            "fault": row["fault"],
            "digest": row["digest"],
        }
        for row in rows
    ]
    refusals = bank.db.execute("SELECT reason, count FROM refusals ORDER BY count DESC")
    counted = {row["reason"]: row["count"] for row in refusals}
    return json_response(200, {"requests": seen, "refusals": counted})


def seconds_to_advance(call: Call) -> float:
    """Return what `POST clock` asks for.

    Raises:
        Refusal: it is not a number of seconds from 0.
    """
    seconds = _body(call).get("advance_s")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < 1e10:
        _bad("advance_s must be a number of seconds from 0")
    return float(seconds)


def _body(call: Call) -> Json:
    body = parse_object(call.request.body)
    if body is None:
        _bad("the body must be a JSON object")
    return body


def _bad(why: str) -> NoReturn:
    raise Refusal(400, {"error": {"code": "invalid_request", "description": why}})


def remember_request(
    bank: Bank, call: Call, answer: WireResponse, act: str | None, digest: str
) -> None:
    """Log a protocol request: a digest and who sent it, never a token or a body."""
    refused = _reason(answer)
    path = call.request.path
    if call.operation in _SECRET_PATHS:
        # Whoever knows these URLs is half-way to the token.
        path = path.rpartition("/")[0] + "/…"
    cursor = bank.db.execute(
        "INSERT INTO requests (t, call, method, path, client, wallet, status, refused, fault,"
        " digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            call.now,
            call.operation,
            call.request.method,
            path,
            call.client,
            call.wallet,
            answer.status,
            refused,
            act,
            digest,
        ),
    )
    if refused is not None:
        bank.db.execute(
            "INSERT INTO refusals (reason, count) VALUES (?, 1)"
            " ON CONFLICT (reason) DO UPDATE SET count = count + 1",
            (f"{call.operation} {answer.status} {refused}",),
        )
    if (last := cursor.lastrowid or 0) % 1000 == 0:
        bank.db.execute("DELETE FROM requests WHERE id <= ?", (last - _MOST_REQUESTS,))


_SECRET_PATHS = frozenset(("continue-grant", "cancel-grant", "rotate-token", "revoke-token"))


def _reason(answer: WireResponse) -> str | None:
    if answer.status < 400:
        return None
    try:
        return str(json.loads(answer.body)["error"]["description"])[:200]
    except (ValueError, KeyError, TypeError):
        return ""
