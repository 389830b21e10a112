"""Quotes: what a payment would cost, binding until it expires.

Spec: Open Payments resource server 1.3.0, /quotes.
"""

import sqlite3

from sandbox_wallet import incoming
from sandbox_wallet.access import RECEIVER
from sandbox_wallet.bank import Bank, Call, Wallet
from sandbox_wallet.clock import SECOND, iso
from sandbox_wallet.money import Amount, Asset, parse_amount
from sandbox_wallet.rates import NoRate, Price, Tariff, TooSmall
from sandbox_wallet.resources import (
    body_of,
    invalid_request,
    unknown_resource,
    wallet_in,
    wallet_named,
)
from sandbox_wallet.tokens import authorise
from sandbox_wallet.wire import Json, WireResponse, json_response, resource_refusal

KIND = "quote"
COLLECTION = "quotes"


def create_quote(bank: Bank, call: Call) -> WireResponse:
    """Price a payment: by its debit, by its delivery, or by what the receiver expects.

    Spec: POST /quotes.
    """
    body = body_of(
        call,
        required={"walletAddress", "receiver", "method"},
        optional={"debitAmount", "receiveAmount"},
    )
    if body["method"] != "ilp":
        invalid_request("method must be ilp")
    if "debitAmount" in body and "receiveAmount" in body:
        invalid_request("give debitAmount or receiveAmount, not both")
    wallet = wallet_in(bank, call, body["walletAddress"])
    permission = authorise(bank, call, kind=KIND, action="create", wallet=wallet)
    debit, receive = (_amount_in(body, name) for name in ("debitAmount", "receiveAmount"))
    row = quote(
        bank,
        call,
        wallet=wallet,
        client=permission.client,
        receiver=body["receiver"],
        debit=debit,
        receive=receive,
    )
    return json_response(201, _render(bank, row, wallet))


def get_quote(bank: Bank, call: Call) -> WireResponse:
    """Show a quote.

    Spec: GET /quotes/{id}.
    """
    row = find(bank, call.args["id"])
    if row is None:
        unknown_resource()
    wallet = wallet_named(bank, call, row["wallet"])
    permission = authorise(bank, call, kind=KIND, action="read", wallet=wallet)
    if row["client"] != permission.client and not permission.covers_all("read"):
        raise resource_refusal(404, "quote does not exist")
    return json_response(200, _render(bank, row, wallet))


def quote(
    bank: Bank,
    call: Call,
    *,
    wallet: Wallet,
    client: str,
    receiver: object,
    debit: Amount | None,
    receive: Amount | None,
) -> sqlite3.Row:
    """Store a quote and return it; without amounts it is for all that `receiver` expects.

    Raises:
        Refusal: the receiver is closed or unknown, or the amount does not fit.
    """
    target, target_wallet = _open_receiver(bank, call, receiver)
    tariff = tariff_between(bank, wallet.asset, target_wallet.asset)
    left = incoming.remaining(target)
    if debit is not None:
        price = _fixed_send(tariff, debit, wallet)
    elif receive is not None:
        if receive.asset != target_wallet.asset or receive.value < 1:
            raise resource_refusal(400, "invalid amount")
        price = tariff.fixed_receive(receive.value)
    else:
        # All that was ever expected, not what is still missing: Rafiki's way.
        left = target["incoming_value"]
        if left is None:
            raise resource_refusal(400, "invalid amount")
        price = tariff.fixed_receive(left)
    if left is not None and price.receive > left:
        raise resource_refusal(400, "invalid amount")
    return _store(bank, call, wallet, client, str(receiver), target, target_wallet, price)


def find(bank: Bank, resource_id: str | None) -> sqlite3.Row | None:
    """Return the row of a quote, or None."""
    row: sqlite3.Row | None = bank.db.execute(
        "SELECT * FROM quotes WHERE id = ?", (resource_id,)
    ).fetchone()
    return row


def tariff_between(bank: Bank, source: Asset, target: Asset) -> Tariff:
    """Return today's rates and fees.

    Raises:
        Refusal: the table of rates does not have this pair.
    """
    options = bank.options
    try:
        return Tariff.between(
            source,
            target,
            rates=options.rates,
            fee_bps=options.fee_bps,
            fee_fixed=options.fee_fixed,
            slippage_bps=options.slippage_bps,
        )
    except NoRate:
        raise resource_refusal(500, "could not convert between assets") from None


def _amount_in(body: Json, name: str) -> Amount | None:
    if name not in body:
        return None
    amount = parse_amount(body[name])
    if amount is None:
        invalid_request(f"{name} is not an amount")
    return amount


def _open_receiver(bank: Bank, call: Call, receiver: object) -> tuple[sqlite3.Row, Wallet]:
    if not isinstance(receiver, str) or not RECEIVER.match(receiver):
        invalid_request("receiver is not the URL of an incoming payment")
    row = incoming.find(bank, bank.resource_id(receiver, incoming.COLLECTION))
    wallet = None if row is None else bank.wallet(row["wallet"])
    if row is None or wallet is None or not incoming.is_open(row, call.now):
        raise resource_refusal(400, "invalid receiver")
    if bank.resource_url(wallet, incoming.COLLECTION, row["id"]) != receiver:
        raise resource_refusal(400, "invalid receiver")
    return row, wallet


def _fixed_send(tariff: Tariff, debit: Amount, wallet: Wallet) -> Price:
    if debit.asset != wallet.asset or debit.value < 1:
        raise resource_refusal(400, "invalid amount")
    try:
        return tariff.fixed_send(debit.value)
    except TooSmall as small:
        minimum = Amount(small.minimum, wallet.asset).to_json()
        raise resource_refusal(
            400, "non-positive receive amount", details={"minSendAmount": minimum}
        ) from None


def _store(
    bank: Bank,
    call: Call,
    wallet: Wallet,
    client: str,
    receiver: str,
    target: sqlite3.Row,
    target_wallet: Wallet,
    price: Price,
) -> sqlite3.Row:
    quote_id = bank.new_id()
    life = round(bank.options.quote_life_s * SECOND)
    bank.db.execute(
        "INSERT INTO quotes (id, wallet, client, receiver, debit_value, receive_value,"
        " receive_asset, fee_value, slack_value, created_at, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            quote_id,
            wallet.name,
            client,
            receiver,
            price.debit,
            price.receive,
            str(target_wallet.asset),
            price.fee,
            price.slack,
            call.now,
            min(call.now + life, target["expires_at"]),
        ),
    )
    row = find(bank, quote_id)
    assert row is not None
    return row


def _render(bank: Bank, row: sqlite3.Row, wallet: Wallet) -> Json:
    return {
        "id": bank.resource_url(wallet, COLLECTION, row["id"]),
        "walletAddress": wallet.url,
        "receiver": row["receiver"],
        "debitAmount": Amount(row["debit_value"], wallet.asset).to_json(),
        "receiveAmount": Amount(row["receive_value"], Asset.parse(row["receive_asset"])).to_json(),
        "method": "ilp",
        "createdAt": iso(row["created_at"]),
        "expiresAt": iso(row["expires_at"]),
    }
