"""Which path and method means which operation."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from sandbox_wallet import control, grants, incoming, interaction, outgoing, quotes, tokens, wallets
from sandbox_wallet.bank import CONTROL, Bank, Call
from sandbox_wallet.tokens import presented
from sandbox_wallet.wire import Json, WireRequest, WireResponse, json_response, parse_object

Handler = Callable[[Bank, Call], WireResponse]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation; those of the protocol are logged, signed and open to faults."""

    method: str
    path: tuple[str, ...]
    name: str
    handler: Handler | None
    is_protocol: bool = True


def _control(method: str, name: str, handler: Handler | None, *, path: str) -> Route:
    return Route(method, (CONTROL.strip("/"), path), name, handler, is_protocol=False)


def _front(method: str, path: str, handler: Handler) -> Route:
    return Route(method, tuple(path.split("/")), "consent", handler, is_protocol=False)


# The first match wins, so literal segments come before wildcards of the same length.
ROUTES = (
    Route("GET", ("",), "index", None, is_protocol=False),
    _control("POST", "decide", control.decide, path="decide"),
    _control("POST", "add-fault", control.add_fault, path="faults"),
    _control("GET", "list-faults", control.list_faults, path="faults"),
    _control("DELETE", "clear-faults", control.clear_faults, path="faults"),
    _control("GET", "show-ledger", control.show_ledger, path="ledger"),
    _control("GET", "show-clock", control.show_clock, path="clock"),
    _control("POST", "advance-clock", None, path="clock"),
    _control("GET", "show-options", control.show_options, path="options"),
    _control("POST", "change-options", control.change_options, path="options"),
    _control("POST", "change-keys", control.change_keys, path="keys"),
    _control("GET", "show-requests", control.show_requests, path="requests"),
    _control("POST", "reset", None, path="reset"),
    _front("GET", "done", interaction.show_done),
    _front("GET", "interact/{id}/{nonce}", interaction.start_interaction),
    _front("GET", "interact/{id}/{nonce}/finish", interaction.finish_interaction),
    _front("GET", "consent/{id}/{nonce}", interaction.show_consent),
    _front("POST", "consent/{id}/{nonce}", interaction.decide_consent),
    Route("POST", ("auth", "{tenant}"), "request-grant", grants.request_grant),
    Route("POST", ("continue", "{id}"), "continue-grant", grants.continue_grant),
    Route("DELETE", ("continue", "{id}"), "cancel-grant", grants.cancel_grant),
    Route("POST", ("token", "{id}"), "rotate-token", tokens.rotate_token),
    Route("DELETE", ("token", "{id}"), "revoke-token", tokens.revoke_token),
    Route("GET", ("{wallet}",), "get-wallet-address", wallets.get_wallet_address),
    Route("GET", ("{wallet}", "jwks.json"), "get-keys", wallets.get_keys),
    Route(
        "POST",
        ("{tenant}", "incoming-payments"),
        "create-incoming-payment",
        incoming.create_incoming_payment,
    ),
    Route(
        "GET",
        ("{tenant}", "incoming-payments"),
        "list-incoming-payments",
        incoming.list_incoming_payments,
    ),
    Route(
        "GET",
        ("{tenant}", "incoming-payments", "{id}"),
        "get-incoming-payment",
        incoming.get_incoming_payment,
    ),
    Route(
        "POST",
        ("{tenant}", "incoming-payments", "{id}", "complete"),
        "complete-incoming-payment",
        incoming.complete_incoming_payment,
    ),
    Route("POST", ("{tenant}", "quotes"), "create-quote", quotes.create_quote),
    Route("GET", ("{tenant}", "quotes", "{id}"), "get-quote", quotes.get_quote),
    Route(
        "POST",
        ("{tenant}", "outgoing-payments"),
        "create-outgoing-payment",
        outgoing.create_outgoing_payment,
    ),
    Route(
        "GET",
        ("{tenant}", "outgoing-payments"),
        "list-outgoing-payments",
        outgoing.list_outgoing_payments,
    ),
    Route(
        "GET",
        ("{tenant}", "outgoing-payments", "{id}"),
        "get-outgoing-payment",
        outgoing.get_outgoing_payment,
    ),
    Route(
        "GET",
        ("{tenant}", "outgoing-payment-grant"),
        "get-spent-amounts",
        outgoing.get_spent_amounts,
    ),
)
_TENANTS = frozenset(("north", "sur"))


def _by_length() -> Mapping[int, tuple[Route, ...]]:
    lengths = {len(route.path) for route in ROUTES}
    return {length: tuple(r for r in ROUTES if len(r.path) == length) for length in lengths}


_BY_LENGTH = _by_length()


def find(request: WireRequest) -> tuple[Route, Mapping[str, str]] | WireResponse:
    """Return the operation of a request and its path arguments, or the refusal of the path."""
    parts = [unquote(part) for part in request.path[1:].split("/")]
    matched = False
    for route in _BY_LENGTH.get(len(parts), ()):
        args = _match(route.path, parts)
        if args is None:
            continue
        if route.method == request.method:
            return route, args
        matched = True
    status, reason = (405, "method not allowed") if matched else (404, "Not Found")
    return json_response(status, {"error": {"code": str(status), "description": reason}})


def _match(pattern: tuple[str, ...], parts: list[str]) -> dict[str, str] | None:
    args = {}
    for expected, part in zip(pattern, parts, strict=True):
        if expected.startswith("{"):
            if not part or (expected == "{tenant}" and part not in _TENANTS):
                return None
            args[expected[1:-1]] = part
        elif expected != part:
            return None
    return args


def operation_of(route: Route, request: WireRequest) -> str:
    """Return the name of the operation as fault rules know it."""
    if route.name == "get-incoming-payment" and request.header("authorization") is None:
        return "get-public-incoming-payment"
    if route.name == "request-grant":
        return f"request-grant:{_grant_kind(request)}"
    return route.name


def _grant_kind(request: WireRequest) -> str:
    """Return the kind of a grant request: outgoing payments outweigh what comes with them."""
    body = parse_object(request.body) or {}
    wanted = body.get("access_token")
    items = wanted.get("access") if isinstance(wanted, dict) else None
    found = items if isinstance(items, list) else []
    kinds = [item.get("type") for item in found if isinstance(item, dict)]
    for kind in ("outgoing-payment", "incoming-payment", "quote"):
        if kind in kinds:
            return kind
    return "subject"


def wallet_of(bank: Bank, call: Call) -> str | None:
    """Return the name of the wallet that a call is about, or None when it names none."""
    if "wallet" in call.args:
        return call.args["wallet"].lower()
    if (table := _TABLES.get(call.operation)) is not None:
        sql = f"SELECT wallet FROM {table} WHERE id = ?"  # noqa: S608 -- a name from below
        row = bank.db.execute(sql, (call.args["id"],)).fetchone()
        return None if row is None else str(row["wallet"])
    body = parse_object(call.request.body) or {}
    named = body.get("walletAddress") or call.request.query.get("wallet-address", [None])[0]
    if (wallet := bank.wallet_at(named)) is not None:
        return wallet.name
    if call.operation.startswith("request-grant"):
        return _wallet_asked_for(bank, body)
    return _wallet_in(bank, _granted(bank, call), "identifier")


_TABLES = {
    "get-incoming-payment": "incoming",
    "get-public-incoming-payment": "incoming",
    "complete-incoming-payment": "incoming",
    "get-quote": "quotes",
    "get-outgoing-payment": "outgoing",
}


def _wallet_asked_for(bank: Bank, body: Json) -> str | None:
    access, subject = body.get("access_token"), body.get("subject")
    items = access.get("access") if isinstance(access, dict) else None
    ids = subject.get("sub_ids") if isinstance(subject, dict) else None
    return _wallet_in(bank, items, "identifier") or _wallet_in(bank, ids, "id")


def _wallet_in(bank: Bank, items: object, member: str) -> str | None:
    for item in items if isinstance(items, list) else ():
        named = item.get(member) if isinstance(item, dict) else None
        if (wallet := bank.wallet_at(named)) is not None:
            return wallet.name
    return None


def _granted(bank: Bank, call: Call) -> object:
    token = presented(call)
    row = bank.db.execute(
        "SELECT access FROM grants WHERE continue_token = ?"
        " UNION SELECT access FROM tokens JOIN grants ON grants.id = grant_id WHERE value = ?",
        (token, token),
    ).fetchone()
    return None if row is None else json.loads(row["access"])
