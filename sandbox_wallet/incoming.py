"""Incoming payments: what a wallet expects to receive.

Open, until enough arrived or somebody completes it; or expired. One that expired with nothing
received vanishes, as in Rafiki: it then answers like an id that never was.

Spec: Open Payments resource server 1.3.0, /incoming-payments.
"""

import base64
import json
import sqlite3

from sandbox_wallet.bank import Bank, Call, Wallet
from sandbox_wallet.clock import SECOND, iso, parse_iso
from sandbox_wallet.money import Amount, parse_amount
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
from sandbox_wallet.tokens import authorise
from sandbox_wallet.wire import Json, WireResponse, json_response, resource_refusal

KIND = "incoming-payment"
COLLECTION = "incoming-payments"


def create_incoming_payment(bank: Bank, call: Call) -> WireResponse:
    """Open an incoming payment.

    Spec: POST /incoming-payments.
    """
    body = body_of(
        call,
        required={"walletAddress"},
        optional={"incomingAmount", "expiresAt", "metadata"},
    )
    metadata = metadata_of(body)
    wallet = wallet_in(bank, call, body["walletAddress"])
    permission = authorise(bank, call, kind=KIND, action="create", wallet=wallet)
    amount = _wanted_amount(body, wallet)
    expires_at = _wanted_expiry(bank, call, body)
    secret = base64.urlsafe_b64encode(bank.rng.randbytes(32)).rstrip(b"=").decode()
    resource_id = bank.new_id()
    bank.db.execute(
        "INSERT INTO incoming (id, wallet, client, incoming_value, expires_at, created_at,"
        " metadata, shared_secret) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            resource_id,
            wallet.name,
            permission.client,
            None if amount is None else amount.value,
            expires_at,
            call.now,
            metadata,
            secret,
        ),
    )
    row = find(bank, resource_id)
    assert row is not None
    return json_response(201, _with_methods(bank, call, row, wallet))


def _wanted_amount(body: Json, wallet: Wallet) -> Amount | None:
    if "incomingAmount" not in body:
        return None
    amount = parse_amount(body["incomingAmount"])
    if amount is None:
        invalid_request("incomingAmount is not an amount")
    if amount.asset != wallet.asset or amount.value < 1:
        raise resource_refusal(400, "invalid amount")
    return amount


def _wanted_expiry(bank: Bank, call: Call, body: Json) -> int:
    latest = call.now + round(bank.options.incoming_life_s * SECOND)
    if "expiresAt" not in body:
        return latest
    expires_at = parse_iso(body["expiresAt"])
    if expires_at is None:
        invalid_request("expiresAt is not a date-time")
    if not call.now < expires_at <= latest:
        raise resource_refusal(400, "invalid expiresAt")
    return expires_at


def get_incoming_payment(bank: Bank, call: Call) -> WireResponse:
    """Show an incoming payment: all of it to a token, what was received to anybody.

    Spec: GET /incoming-payments/{id}.
    """
    row, wallet = _existing(bank, call)
    if call.request.header("authorization") is None:
        shown: Json = {}
        if bank.options.public_shows_received:
            shown["receivedAmount"] = Amount(row["received_value"], wallet.asset).to_json()
        return json_response(200, {**shown, "authServer": bank.auth_server(wallet.tenant)})
    permission = authorise(bank, call, kind=KIND, action="read", wallet=wallet)
    if row["client"] != permission.client and not permission.covers_all("read"):
        raise resource_refusal(404, "incoming payment does not exist")
    return json_response(200, _with_methods(bank, call, row, wallet))


def complete_incoming_payment(bank: Bank, call: Call) -> WireResponse:
    """Close an incoming payment, so that money which comes later bounces.

    Not bound to the client that created it, as in Rafiki.

    Spec: POST /incoming-payments/{id}/complete.
    """
    row, wallet = _existing(bank, call)
    authorise(bank, call, kind=KIND, action="complete", wallet=wallet)
    if not bank.options.closes_receiver:
        raise resource_refusal(403, "action not performed")
    if not is_open(row, call.now):
        raise resource_refusal(409, "wrong state")
    bank.db.execute("UPDATE incoming SET completed = 1 WHERE id = ?", (row["id"],))
    row, _ = _existing(bank, call)
    return json_response(200, _render(bank, row, wallet))


def list_incoming_payments(bank: Bank, call: Call) -> WireResponse:
    """List a wallet's incoming payments, newest first, without payment methods.

    Spec: GET /incoming-payments.
    """
    wallet = wallet_in(bank, call, call.request.query.get("wallet-address", [None])[0])
    permission = authorise(bank, call, kind=KIND, action="list", wallet=wallet)
    vanished = ("(received_value > 0 OR completed OR expires_at > ?)", (call.now,))
    return page(
        bank,
        table="incoming",
        wallet=wallet,
        client=None if permission.covers_all("list") else permission.client,
        wanted=page_requested(call),
        visible_from=vanished if bank.options.expired_incoming_vanishes else ("1", ()),
        render=lambda row: _render(bank, row, wallet),
    )


def find(bank: Bank, resource_id: str | None) -> sqlite3.Row | None:
    """Return the row of an incoming payment, vanished or not, or None."""
    row: sqlite3.Row | None = bank.db.execute(
        "SELECT * FROM incoming WHERE id = ?", (resource_id,)
    ).fetchone()
    return row


def is_open(row: sqlite3.Row, now: int) -> bool:
    """Tell whether the incoming payment still takes money."""
    return not row["completed"] and now < row["expires_at"]


def remaining(row: sqlite3.Row) -> int | None:
    """Return how much the incoming payment may still receive; None is any amount."""
    if row["incoming_value"] is None:
        return None
    return int(row["incoming_value"] - row["received_value"])


def receive(bank: Bank, row: sqlite3.Row, value: int) -> None:
    """Count `value` as received; reaching the incoming amount completes the payment."""
    bank.db.execute(
        "UPDATE incoming SET received_value = received_value + ?,"
        " completed = completed OR COALESCE(received_value + ? >= incoming_value, 0)"
        " WHERE id = ?",
        (value, value, row["id"]),
    )


def _existing(bank: Bank, call: Call) -> tuple[sqlite3.Row, Wallet]:
    row = find(bank, call.args["id"])
    if row is None:
        unknown_resource()
    gone = call.now >= row["expires_at"] and not row["completed"] and not row["received_value"]
    if gone and bank.options.expired_incoming_vanishes:
        unknown_resource()
    return row, wallet_named(bank, call, row["wallet"])


def _render(bank: Bank, row: sqlite3.Row, wallet: Wallet) -> Json:
    shown: Json = {
        "id": bank.resource_url(wallet, COLLECTION, row["id"]),
        "walletAddress": wallet.url,
        "receivedAmount": Amount(row["received_value"], wallet.asset).to_json(),
        "completed": bool(row["completed"]),
        "expiresAt": iso(row["expires_at"]),
        "createdAt": iso(row["created_at"]),
    }
    if row["incoming_value"] is not None:
        shown["incomingAmount"] = Amount(row["incoming_value"], wallet.asset).to_json()
    if row["metadata"] is not None:
        shown["metadata"] = json.loads(row["metadata"])
    return shown


def _with_methods(bank: Bank, call: Call, row: sqlite3.Row, wallet: Wallet) -> Json:
    method = {
        "type": "ilp",
        "ilpAddress": f"test.sandbox.{row['id']}",
        "sharedSecret": row["shared_secret"],
    }
    methods = [method] if is_open(row, call.now) else []
    return {**_render(bank, row, wallet), "methods": methods}
