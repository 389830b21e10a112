"""What a grant allows: the `access` items of a request, checked and matched.

Spec: Open Payments auth server 1.3.0, schema `access`; RFC 9635 section 8.
"""

import re
from dataclasses import dataclass
from typing import Any

from sandbox_wallet.bank import Bank, Wallet
from sandbox_wallet.intervals import Interval, parse_interval
from sandbox_wallet.money import Amount, parse_amount
from sandbox_wallet.wire import Json, Refusal, auth_refusal

RECEIVER = re.compile(r"(https|http)://(.+)/incoming-payments/(.+)\Z")
_ACTIONS = {
    "incoming-payment": {"create", "complete", "read", "read-all", "list", "list-all"},
    "quote": {"create", "read", "read-all"},
    "outgoing-payment": {"create", "read", "read-all", "list", "list-all"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The ceiling of an outgoing-payment grant, per period when it has an interval."""

    receiver: str | None
    debit: Amount | None
    receive: Amount | None
    interval: Interval | None


def check_access(bank: Bank, tenant: str, value: object) -> list[Json]:
    """Return the access items of a grant request, all of them understood.

    Raises:
        Refusal: an item is not one that this auth server can grant.
    """
    if not isinstance(value, list) or not 1 <= len(value) <= 3:
        raise invalid("access must be a list of one to three items")
    for index, item in enumerate(value):
        _check_item(bank, tenant, item, f"access[{index}]")
        if item in value[:index]:
            raise invalid("access items must differ")
    return value


def _check_item(bank: Bank, tenant: str, item: Any, where: str) -> None:
    kind = item.get("type") if isinstance(item, dict) else None
    if not isinstance(kind, str) or kind not in _ACTIONS:
        raise invalid(f"{where}.type must be one of {', '.join(_ACTIONS)}")
    actions = item.get("actions")
    if not isinstance(actions, list) or not actions:
        raise invalid(f"{where}.actions must be a list")
    if not all(isinstance(action, str) and action in _ACTIONS[kind] for action in actions):
        raise invalid(f"{where}.actions must be some of {', '.join(sorted(_ACTIONS[kind]))}")
    if len(set(actions)) != len(actions):
        raise invalid(f"{where}.actions repeats itself")
    if unknown := set(item) - {"type", "actions", "identifier", "limits"}:
        raise invalid(f"{where} has unknown members: {', '.join(sorted(unknown))}")
    if kind == "outgoing-payment" and "identifier" not in item:
        raise invalid(f"{where}.identifier is required for outgoing payments")
    if "identifier" in item:
        wallet = bank.wallet_at(item["identifier"])
        if wallet is None or wallet.tenant != tenant:
            raise auth_refusal(
                400, "invalid_request", f"{where}.identifier is not a wallet address of this server"
            )
    if "limits" in item:
        if kind != "outgoing-payment":
            raise invalid(f"{where}.limits is for outgoing payments only")
        _check_limits(item["limits"], f"{where}.limits")


def _check_limits(limits: Any, where: str) -> None:
    known = {"receiver", "interval", "debitAmount", "receiveAmount"}
    if not isinstance(limits, dict) or not set(limits) <= known:
        raise invalid(f"{where} must be an object of {', '.join(sorted(known))}")
    if "debitAmount" in limits and "receiveAmount" in limits:
        raise auth_refusal(400, "invalid_request", "only one access amount allowed")
    for name in ("debitAmount", "receiveAmount"):
        if name in limits and parse_amount(limits[name]) is None:
            raise invalid(f"{where}.{name} is not an amount")
    receiver = limits.get("receiver", "https://a.example/incoming-payments/1")
    if not isinstance(receiver, str) or not RECEIVER.match(receiver):
        raise invalid(f"{where}.receiver is not the URL of an incoming payment")
    if "interval" in limits and parse_interval(limits["interval"]) is None:
        raise invalid(f"{where}.interval is not an ISO 8601 repeating interval")


def invalid(what: str) -> Refusal:
    """Build the refusal of a request that the schema does not allow; it carries no code."""
    return auth_refusal(400, None, f"Received error validating OpenAPI request: {what}")


def needs_interaction(items: list[Json]) -> bool:
    """Tell whether a person must agree to these items."""
    return any(
        item["type"] == "outgoing-payment"
        or (item["type"] == "incoming-payment" and "list-all" in item["actions"])
        for item in items
    )


def limits_of(item: Json) -> Limits:
    """Return the limits of a checked access item; all None means unlimited."""
    limits = item.get("limits", {})
    return Limits(
        receiver=limits.get("receiver"),
        debit=parse_amount(limits.get("debitAmount")),
        receive=parse_amount(limits.get("receiveAmount")),
        interval=parse_interval(limits.get("interval")),
    )


def find_access(items: list[Json], kind: str, action: str, wallet: Wallet) -> Json | None:
    """Return the first item that allows `action`, or None.

    The first match decides even when a later one would be wider, as in Rafiki.
    """
    for item in items:
        if item["type"] != kind or item.get("identifier", wallet.url) != wallet.url:
            continue
        if action in item["actions"] or f"{action}-all" in item["actions"]:
            return item
    return None
