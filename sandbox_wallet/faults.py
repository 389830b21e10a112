"""Faults on demand: which call fails, when, and how.

A rule names a call, the nth such call or a probability, and an act; and a wallet, if only one
is meant (a grant for quotes names none unless it has an identifier). Acts on the answer happen
`before` the effect (there is none), `after` it, or `late`: the answer is lost now and the
effect comes `late_s` later. Acts on the money change what the wallet does instead.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sandbox_wallet.bank import Bank
from sandbox_wallet.wire import JSON_TYPE, Json, WireResponse, dump_json

CALLS = frozenset(
    [
        "get-wallet-address",
        "get-keys",
        "request-grant",
        "request-grant:incoming-payment",
        "request-grant:quote",
        "request-grant:outgoing-payment",
        "request-grant:subject",
        "continue-grant",
        "cancel-grant",
        "rotate-token",
        "revoke-token",
        "create-incoming-payment",
        "get-incoming-payment",
        "get-public-incoming-payment",
        "list-incoming-payments",
        "complete-incoming-payment",
        "create-quote",
        "get-quote",
        "create-outgoing-payment",
        "get-outgoing-payment",
        "list-outgoing-payments",
        "get-spent-amounts",
    ]
)
ALIASES = {
    "continue": "continue-grant",
    "cancel": "cancel-grant",
    "rotate": "rotate-token",
    "revoke": "revoke-token",
    "status_503": "503",
    "status_429": "429",
    "status_408": "408",
    "timeout": "silence",
}
MONEY_ACTS = frozenset(
    (
        "insufficient_funds",
        "expire_quote",
        "partial_delivery",
        "stay_funding",
        "settle_late",
        "complete_short",
    )
)
CLIENT_ACTS = frozenset(("revoke_grant", "revoked_key"))
ANSWER_ACTS = frozenset(
    [
        "status_500_text",
        "status_502_html",
        "503",
        "429",
        "408",
        "status",
        "silence",
        "reset",
        "garbage",
        "truncated",
        "wrong_shape",
        "echo_other_receiver",
        "echo_other_amount",
        "delay",
    ]
)
# These change an answer, so there has to be one, whatever the rule says about the moment.
NEED_AN_ANSWER = frozenset(("delay", "echo_other_receiver", "echo_other_amount"))
ACTS = MONEY_ACTS | CLIENT_ACTS | ANSWER_ACTS
_NUMBERS = {"seconds", "retry_after", "value", "late_s", "status"}
_MEMBERS = {"call", "wallet", "nth", "probability", "when", "act", "times", "body", "headers"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A rule that struck: do `act` at the moment `when` (before, after or late)."""

    when: str
    act: str
    arguments: Mapping[str, Any]

    @property
    def changes_money(self) -> bool:
        """Tell whether the act changes what the wallet does, rather than its answer."""
        return self.act not in ANSWER_ACTS


def add(bank: Bank, rule: Json) -> Json:
    """Store a rule and return it with its id.

    Raises:
        ValueError: with a sentence about what is wrong in `rule`.
    """
    call, act = (str(rule.get(name)) for name in ("call", "act"))
    call, act = ALIASES.get(call, call), ALIASES.get(act, act)
    if call != "*" and call not in CALLS:
        raise ValueError(f"call must be * or one of {', '.join(sorted(CALLS))}")
    if act not in ACTS:
        raise ValueError(f"act must be one of {', '.join(sorted(ACTS))}")
    if act in MONEY_ACTS and call != "create-outgoing-payment":
        raise ValueError(f"{act} is about create-outgoing-payment only")
    if unknown := set(rule) - _MEMBERS - _NUMBERS:
        raise ValueError(f"unknown members: {', '.join(sorted(unknown))}")
    when = rule.get("when", "before")
    if when not in ("before", "after", "late"):
        raise ValueError("when must be before, after or late")
    nth, probability, times = (rule.get(name) for name in ("nth", "probability", "times"))
    if nth is not None and probability is not None:
        raise ValueError("give nth or probability, not both")
    if not all(one is None or _is_count(one) for one in (nth, times)):
        raise ValueError("nth and times are whole numbers from 1")
    if probability is not None and not _is_number(probability, most=1):
        raise ValueError("probability goes from 0 to 1")
    arguments = {name: rule[name] for name in (*_NUMBERS, "body", "headers") if name in rule}
    if not all(_is_number(arguments[name]) for name in _NUMBERS & set(arguments)):
        raise ValueError(f"{', '.join(sorted(_NUMBERS))} are numbers from 0")
    wallet = rule.get("wallet")
    if wallet is not None and bank.wallet(str(wallet)) is None:
        raise ValueError(f"there is no wallet {wallet}")
    # A rule without probability strikes once unless it says how often.
    remaining = times if times is not None or probability is not None else 1
    bank.db.execute(
        "INSERT INTO faults (call, wallet, nth, probability, occurs, act, remaining, arguments)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (call, wallet, nth, probability, when, act, remaining, json.dumps(arguments)),
    )
    return show(bank)[-1]


def show(bank: Bank) -> list[Json]:
    """Return every rule with how many calls it saw and how often it struck."""
    rows = bank.db.execute("SELECT * FROM faults ORDER BY id")
    return [
        {
            "id": row["id"],
            "call": row["call"],
            "wallet": row["wallet"],
            "nth": row["nth"],
            "probability": row["probability"],
            "when": row["occurs"],
            "act": row["act"],
            "remaining": row["remaining"],
            **json.loads(row["arguments"]),
            "seen": row["seen"],
            "fired": row["fired"],
        }
        for row in rows
    ]


def clear(bank: Bank) -> None:
    """Forget every rule."""
    bank.db.execute("DELETE FROM faults")


def strike(bank: Bank, call: str, wallet_of: Callable[[], str | None]) -> Fault | None:
    """Return the first rule that strikes this call, and count; None lets the call through."""
    family = call.partition(":")[0]
    rows = bank.db.execute(
        "SELECT * FROM faults WHERE call IN (?, ?, '*') ORDER BY id", (call, family)
    ).fetchall()
    struck: Fault | None = None
    for row in rows:
        if row["wallet"] is not None and row["wallet"] != wallet_of():
            continue
        bank.db.execute("UPDATE faults SET seen = seen + 1 WHERE id = ?", (row["id"],))
        if struck is None and _strikes(bank, row):
            bank.db.execute(
                "UPDATE faults SET fired = fired + 1, remaining = remaining - 1 WHERE id = ?",
                (row["id"],),
            )
            arguments = json.loads(row["arguments"])
            struck = Fault(when=row["occurs"], act=row["act"], arguments=arguments)
    return struck


def _strikes(bank: Bank, row: sqlite3.Row) -> bool:
    if row["remaining"] == 0:
        return False
    if row["probability"] is not None:
        return bool(bank.rng.random() < row["probability"])
    return row["nth"] is None or row["seen"] + 1 >= row["nth"]


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_number(value: object, most: float = 10**12) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most


def lost_answer(fault: Fault) -> WireResponse:
    """Return what the client sees of a call that has had no effect, or not yet."""
    return distort(fault, WireResponse(status=200, headers=(JSON_TYPE,), body=b"{}"))


def distort(fault: Fault, answer: WireResponse) -> WireResponse:
    """Return `answer` as the fault lets it arrive."""
    seconds = float(fault.arguments.get("seconds", 60))
    match fault.act:
        case "delay":
            return replace(answer, delay_s=seconds)
        case "silence":
            return replace(answer, fate="silence", delay_s=seconds)
        case "reset":
            return replace(answer, fate="reset")
        case "truncated":
            return replace(answer, body=answer.body[: len(answer.body) // 2])
        case "garbage":
            return replace(answer, headers=(JSON_TYPE,), body=b"<<not json>>")
        case "wrong_shape":
            return replace(answer, headers=(JSON_TYPE,), body=b'{"unexpected":[1,2,3]}')
        case "echo_other_receiver" | "echo_other_amount":
            return replace(answer, body=_echo(fault.act, answer.body))
        case "status":
            return _any_status(fault.arguments)
        case _:
            return _trouble(fault)


def _trouble(fault: Fault) -> WireResponse:
    if fault.act == "status_502_html":
        page = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
        return _answer(502, page, ("content-type", "text/html"))
    status, text = {
        "status_500_text": (500, b"Internal Server Error"),
        "503": (503, b"Service Unavailable"),
        "429": (429, b"Too Many Requests"),
        "408": (408, b"Request Timeout"),
    }[fault.act]
    headers = [("content-type", "text/plain; charset=utf-8")]
    if "retry_after" in fault.arguments:
        headers.append(("retry-after", str(int(fault.arguments["retry_after"]))))
    return _answer(status, text, *headers)


def _any_status(arguments: Mapping[str, Any]) -> WireResponse:
    body = arguments.get("body", "")
    headers = {str(k).lower(): str(v) for k, v in dict(arguments.get("headers", {})).items()}
    if isinstance(body, str):
        headers.setdefault("content-type", "text/plain; charset=utf-8")
        return _answer(int(arguments.get("status", 500)), body.encode(), *headers.items())
    headers.setdefault(*JSON_TYPE)
    return _answer(int(arguments.get("status", 500)), dump_json(body), *headers.items())


def _echo(act: str, body: bytes) -> bytes:
    try:
        shown = json.loads(body)
    except ValueError:
        return body
    if act == "echo_other_receiver" and "receiver" in shown:
        shown["receiver"] = f"{shown['receiver'].rpartition('/')[0]}/somebody-else"
    if act == "echo_other_amount":
        for name in ("incomingAmount", "debitAmount", "receiveAmount"):
            if name in shown:
                shown[name]["value"] = str(int(shown[name]["value"]) + 1)
    return dump_json(shown)


def _answer(status: int, body: bytes, *headers: tuple[str, str]) -> WireResponse:
    return WireResponse(status=status, headers=headers, body=body)
