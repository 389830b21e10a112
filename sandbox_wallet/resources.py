"""What incoming payments, quotes and outgoing payments have in common."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from sandbox_wallet.bank import Bank, Call, Wallet
from sandbox_wallet.wire import Json, WireResponse, json_response, parse_object, resource_refusal

LARGEST_PAGE, USUAL_PAGE = 100, 20
_LARGEST_METADATA = 20_000


def invalid_request(what: str) -> NoReturn:
    """Refuse a request that the schema does not allow."""
    raise resource_refusal(400, f"Received error validating OpenAPI request: {what}")


def unknown_resource() -> NoReturn:
    """Refuse an id nobody has; as in Rafiki this is a 401 and carries no challenge."""
    raise resource_refusal(401, "Unauthorized")


def body_of(call: Call, *, required: set[str], optional: set[str]) -> Json:
    """Return the JSON body, which has the required members and no unknown ones."""
    body = parse_object(call.request.body)
    if body is None:
        invalid_request("the body must be a JSON object")
    if missing := required - set(body):
        invalid_request(f"missing {', '.join(sorted(missing))}")
    if unknown := set(body) - required - optional:
        invalid_request(f"unknown members: {', '.join(sorted(unknown))}")
    return body


def wallet_in(bank: Bank, call: Call, url: object) -> Wallet:
    """Return the wallet that a request names; it must be of the resource server asked."""
    wallet = bank.wallet_at(url)
    if wallet is None or wallet.tenant != call.args["tenant"]:
        raise resource_refusal(400, "Could not get wallet address")
    call.wallet = wallet.name
    return wallet


def wallet_named(bank: Bank, call: Call, name: str) -> Wallet:
    """Return the wallet of a resource; asked at another resource server it does not exist."""
    wallet = bank.wallet(name)
    if wallet is None or wallet.tenant != call.args["tenant"]:
        unknown_resource()
    call.wallet = wallet.name
    return wallet


def metadata_of(body: Json) -> str | None:
    """Return the metadata ready for the database, None when the request has none."""
    if "metadata" not in body:
        return None
    if not isinstance(body["metadata"], dict):
        invalid_request("metadata must be an object")
    text = json.dumps(body["metadata"])
    if len(text) > _LARGEST_METADATA:
        invalid_request("metadata is too large")
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """Which part of a list is wanted, after or before a cursor."""

    count: int
    cursor: str | None
    backwards: bool


def page_requested(call: Call) -> PageRequest:
    """Return the page that the query asks for.

    Spec: Open Payments resource server, parameters `first`, `last` and `cursor`.
    """
    query = call.request.query
    first, last, cursor = (query.get(name, [None])[0] for name in ("first", "last", "cursor"))
    if first is not None and last is not None:
        invalid_request("first and last exclude each other")
    if last is not None and cursor is None:
        invalid_request("last needs a cursor")
    wanted = first if last is None else last
    if wanted is not None and not (wanted.isdecimal() and 1 <= int(wanted) <= LARGEST_PAGE):
        invalid_request(f"first and last go from 1 to {LARGEST_PAGE}")
    return PageRequest(
        count=USUAL_PAGE if wanted is None else int(wanted),
        cursor=cursor,
        backwards=last is not None,
    )


def page(
    bank: Bank,
    *,
    table: str,
    wallet: Wallet,
    client: str | None,
    wanted: PageRequest,
    visible_from: tuple[str, tuple[Any, ...]] = ("1", ()),
    render: Callable[[sqlite3.Row], Json],
) -> WireResponse:
    """Answer one page of a wallet's payments; `client` None shows everybody's.

    Newest first, as Rafiki does. The specification names no order, nor does it say that a page is
    as long as was asked.
    """
    where, values = f"wallet = ? AND {visible_from[0]}", [wallet.name, *visible_from[1]]
    if client is not None:
        where, values = f"{where} AND client = ?", [*values, client]
    seq = _position(bank, table, wallet, wanted)
    count = min(wanted.count, bank.options.most_per_page)
    onwards, back = (">", "<") if bank.options.oldest_first else ("<", ">")

    def rows(beyond: str, position: int | None, limit: int) -> list[sqlite3.Row]:
        condition = where if position is None else f"{where} AND seq {beyond} ?"
        order = "ASC" if beyond == ">" else "DESC"
        arguments = values if position is None else [*values, position]
        # Table, condition and order are our own words; what came from outside is bound.
        sql = f"SELECT * FROM {table} WHERE {condition} ORDER BY seq {order} LIMIT ?"  # noqa: S608
        return bank.db.execute(sql, [*arguments, limit]).fetchall()

    found = rows(back if wanted.backwards else onwards, seq, count)
    if wanted.backwards:
        found.reverse()
    info: Json = {"hasNextPage": False, "hasPreviousPage": False}
    if found:
        info = {
            "startCursor": found[0]["id"],
            "endCursor": found[-1]["id"],
            "hasNextPage": bool(rows(onwards, found[-1]["seq"], 1)),
            "hasPreviousPage": bool(rows(back, found[0]["seq"], 1)),
        }
    return json_response(200, {"pagination": info, "result": [render(row) for row in found]})


def _position(bank: Bank, table: str, wallet: Wallet, wanted: PageRequest) -> int | None:
    if wanted.cursor is None:
        return None
    row = bank.db.execute(
        f"SELECT seq FROM {table} WHERE id = ? AND wallet = ?",  # noqa: S608 -- our own words
        (wanted.cursor, wallet.name),
    ).fetchone()
    if row is None:
        raise resource_refusal(404, "cursor is unknown")
    return int(row["seq"])
