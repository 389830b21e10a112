"""Outgoing payments: the instruction to send money, and how it went.

Spec: Open Payments resource server 1.3.0, /outgoing-payments and /outgoing-payment-grant.
"""

import json
import sqlite3
from typing import NoReturn

from sandbox_wallet import execution, incoming, quotes, spending
from sandbox_wallet.access import limits_of
from sandbox_wallet.bank import Bank, Call, Wallet
from sandbox_wallet.clock import iso
from sandbox_wallet.money import Amount, Asset, parse_amount
from sandbox_wallet.resources import (
    body_of,
    invalid_request,
    metadata_of,
    page,
    page_requested,
    unknown_resource,
    wallet_in,
    wallet_named,
)
from sandbox_wallet.spending import Spent
from sandbox_wallet.tokens import authorise, wallet_of_token
from sandbox_wallet.wire import Json, WireResponse, json_response, parse_object, resource_refusal

KIND = "outgoing-payment"
COLLECTION = "outgoing-payments"


def create_outgoing_payment(bank: Bank, call: Call) -> WireResponse:
    """Accept a payment of a quote, or of an amount to an incoming payment.

    201 says that the instruction is stored, not that money moved.

    Spec: POST /outgoing-payments.
    """
    body = _checked_body(call)
    metadata = metadata_of(body)
    wallet = wallet_in(bank, call, body["walletAddress"])
    permission = authorise(bank, call, kind=KIND, action="create", wallet=wallet)
    if "quoteId" in body:
        quote = _usable_quote(bank, call, wallet, body["quoteId"])
    else:
        quote = quotes.quote(
            bank,
            call,
            wallet=wallet,
            client=permission.client,
            receiver=body["incomingPayment"],
            debit=parse_amount(body["debitAmount"]),
            receive=None,
        )
    period, before = spending.reserve(
        bank,
        grant_id=permission.grant_id,
        limits=limits_of(permission.access),
        receiver=quote["receiver"],
        debit=Amount(quote["debit_value"], wallet.asset),
        receive=Amount(quote["receive_value"], Asset.parse(quote["receive_asset"])),
        now=call.now,
    )
    payment_id = _free_id(bank, quote)
    bank.db.execute(
        "INSERT INTO outgoing (id, wallet, client, grant_id, period, quote, receiver, state,"
        " debit_value, receive_value, receive_asset, created_at, metadata, mischief)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 'FUNDING', ?, ?, ?, ?, ?, ?)",
        (
            payment_id,
            wallet.name,
            permission.client,
            permission.grant_id,
            period,
            quote["id"],
            quote["receiver"],
            quote["debit_value"],
            quote["receive_value"],
            quote["receive_asset"],
            call.now,
            metadata,
            json.dumps(dict(call.mischief)),
        ),
    )
    bank.db.execute("UPDATE quotes SET used = 1 WHERE id = ?", (quote["id"],))
    # Shown as it was accepted: what the money does next is seen by reading the payment.
    shown = {**_render(bank, _find(bank, payment_id), wallet), **_spent_before(before)}
    execution.start(bank, payment_id, call.now)
    return json_response(201, shown)


def _checked_body(call: Call) -> Json:
    body = parse_object(call.request.body) or {}
    if "quoteId" in body:
        return body_of(call, required={"walletAddress", "quoteId"}, optional={"metadata"})
    body = body_of(
        call, required={"walletAddress", "incomingPayment", "debitAmount"}, optional={"metadata"}
    )
    if parse_amount(body["debitAmount"]) is None:
        invalid_request("debitAmount is not an amount")
    return body


def _usable_quote(bank: Bank, call: Call, wallet: Wallet, url: object) -> sqlite3.Row:
    quote = quotes.find(bank, bank.resource_id(url, quotes.COLLECTION))
    if quote is None:
        raise resource_refusal(404, "unknown quote")
    if call.mischief.get("act") == "expire_quote":
        _invalid_quote()
    if quote["wallet"] != wallet.name or call.now >= quote["expires_at"]:
        _invalid_quote()
    if quote["used"] and bank.options.single_use_quotes:
        _invalid_quote()
    target_id = bank.resource_id(quote["receiver"], incoming.COLLECTION)
    target = incoming.find(bank, target_id)
    closed = target is None or not incoming.is_open(target, call.now)
    if closed and bank.options.refuses_closed_receiver:
        _invalid_quote()
    return quote


def _invalid_quote() -> NoReturn:
    raise resource_refusal(400, "invalid quote")


def _free_id(bank: Bank, quote: sqlite3.Row) -> str:
    if bank.options.outgoing_id_is_quote_id and _find_or_none(bank, quote["id"]) is None:
        return str(quote["id"])
    return bank.new_id()


def get_outgoing_payment(bank: Bank, call: Call) -> WireResponse:
    """Show an outgoing payment to the client that created it.

    Spec: GET /outgoing-payments/{id}.
    """
    row = _find_or_none(bank, call.args["id"])
    if row is None:
        unknown_resource()
    wallet = wallet_named(bank, call, row["wallet"])
    permission = authorise(bank, call, kind=KIND, action="read", wallet=wallet)
    if row["client"] != permission.client and not permission.covers_all("read"):
        raise resource_refusal(404, "outgoing payment does not exist")
    return json_response(200, _render(bank, row, wallet))


def list_outgoing_payments(bank: Bank, call: Call) -> WireResponse:
    """List a wallet's outgoing payments of the calling client, newest first.

    Even `list-all` shows only the caller's own: Rafiki's way.

    Spec: GET /outgoing-payments.
    """
    wallet = wallet_in(bank, call, call.request.query.get("wallet-address", [None])[0])
    permission = authorise(bank, call, kind=KIND, action="list", wallet=wallet)
    return page(
        bank,
        table="outgoing",
        wallet=wallet,
        client=permission.client,
        wanted=page_requested(call),
        render=lambda row: _render(bank, row, wallet),
    )


def get_spent_amounts(bank: Bank, call: Call) -> WireResponse:
    """Show what the grant of the presented token has spent in the current period.

    Spec: GET /outgoing-payment-grant.
    """
    wallet = wallet_of_token(bank, call, KIND)
    permission = authorise(bank, call, kind=KIND, action="create", wallet=wallet)
    limits = limits_of(permission.access)
    period = spending.period_of(limits, call.now)
    if period is None:
        return json_response(200, {"spentDebitAmount": None, "spentReceiveAmount": None})
    spent = spending.spent_in(bank, permission.grant_id, period, wallet.asset, limits)
    receive = None if spent.receive is None else spent.receive.to_json()
    return json_response(
        200, {"spentDebitAmount": spent.debit.to_json(), "spentReceiveAmount": receive}
    )


def _spent_before(before: Spent) -> Json:
    shown = {"grantSpentDebitAmount": before.debit.to_json()}
    if before.receive is not None:
        shown["grantSpentReceiveAmount"] = before.receive.to_json()
    return shown


def _find_or_none(bank: Bank, payment_id: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = bank.db.execute(
        "SELECT * FROM outgoing WHERE id = ?", (payment_id,)
    ).fetchone()
    return row


def _find(bank: Bank, payment_id: str) -> sqlite3.Row:
    row = _find_or_none(bank, payment_id)
    assert row is not None
    return row


def _render(bank: Bank, row: sqlite3.Row, wallet: Wallet) -> Json:
    over = row["state"] in (execution.COMPLETED, execution.FAILED)
    # Wallets that take the unused rest out of the payment make it look fully sent.
    sent = row["debit_value"] if over and bank.options.withdraws_unused else row["sent_value"]
    shown: Json = {
        "id": bank.resource_url(wallet, COLLECTION, row["id"]),
        "walletAddress": wallet.url,
        "quoteId": bank.resource_url(wallet, quotes.COLLECTION, row["quote"]),
        "failed": row["state"] in (execution.FAILED, execution.CANCELLED),
        "receiver": row["receiver"],
        "debitAmount": Amount(row["debit_value"], wallet.asset).to_json(),
        "receiveAmount": Amount(row["receive_value"], Asset.parse(row["receive_asset"])).to_json(),
        "sentAmount": Amount(sent, wallet.asset).to_json(),
        "createdAt": iso(row["created_at"]),
    }
    if row["metadata"] is not None:
        shown["metadata"] = json.loads(row["metadata"])
    return shown
