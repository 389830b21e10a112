"""Answers as a wallet gives them, in the shapes of the specification's own examples."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from backend.open_payments import Amount, Answer, Ed25519Signer

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)

ALICE = "https://wallet.example/alice"
BOB = "https://bank.example/bob"
ACME = "https://platform.example/acme"
AUTH_SERVER = "https://auth.wallet.example/cf5f"
RESOURCE_SERVER = "https://wallet.example/t1"
BANK_SERVER = "https://bank.example/t1"
RECEIVER = f"{BANK_SERVER}/incoming-payments/1111"
QUOTE_URL = f"{RESOURCE_SERVER}/quotes/2222"
OUTGOING_URL = f"{RESOURCE_SERVER}/outgoing-payments/2222"
CONTINUE_URI = "https://auth.wallet.example/continue/4CF4"
MANAGE_URL = "https://auth.wallet.example/token/dd17"
REDIRECT = "https://auth.wallet.example/interact/1/2?clientName=Acme"
FINISH_URI = "https://platform.example/op/finish/9f2c"

USD_25 = Amount(value=2500, asset_code="USD", asset_scale=2)
USD_26 = Amount(value=2600, asset_code="USD", asset_scale=2)
EUR_25 = Amount(value=2500, asset_code="EUR", asset_scale=2)

SIGNER = Ed25519Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))), "test-key-1")

JSON = dict[str, Any]


def amount(value: int, code: str = "USD", scale: int = 2) -> JSON:
    return {"value": str(value), "assetCode": code, "assetScale": scale}


def wallet_address(**changes: Any) -> JSON:
    return {
        "id": ALICE,
        "publicName": "Alice",
        "assetCode": "USD",
        "assetScale": 2,
        "authServer": AUTH_SERVER,
        "resourceServer": RESOURCE_SERVER,
    } | changes


def outgoing_access(**changes: Any) -> JSON:
    return {
        "type": "outgoing-payment",
        "actions": ["create", "read", "list"],
        "identifier": ALICE,
        "limits": {"receiver": RECEIVER, "debitAmount": amount(2600)},
    } | changes


def access_token(access: list[JSON] | None = None, **changes: Any) -> JSON:
    return {
        "value": "OS9M2PMHKUR64TB8N6BW",
        "manage": MANAGE_URL,
        "expires_in": 600,
        "access": [outgoing_access()] if access is None else access,
    } | changes


def continuation(**changes: Any) -> JSON:
    return {"access_token": {"value": "33OMUKMKSKU80UPRY5NM"}, "uri": CONTINUE_URI} | changes


def pending_grant(**interact: Any) -> JSON:
    return {
        "interact": {"redirect": REDIRECT, "finish": "9A5C1B7D0E3F2468"} | interact,
        "continue": continuation(wait=5),
    }


def issued_grant(access: list[JSON] | None = None) -> JSON:
    return {"access_token": access_token(access), "continue": continuation()}


def subject_grant(wallet: str = ALICE) -> JSON:
    return {"subject": {"sub_ids": [{"id": wallet, "format": "uri"}]}, "continue": continuation()}


def incoming_payment(**changes: Any) -> JSON:
    return {
        "id": RECEIVER,
        "walletAddress": BOB,
        "completed": False,
        "incomingAmount": amount(2500),
        "receivedAmount": amount(0),
        "expiresAt": "2026-06-30T00:00:00.000Z",
        "createdAt": "2026-06-01T12:00:00.123Z",
        "metadata": {"externalRef": "order-42"},
    } | changes


def incoming_payment_with_methods(**changes: Any) -> JSON:
    method = {"type": "ilp", "ilpAddress": "test.bank.1", "sharedSecret": "c2VjcmV0LXNlY3JldA"}
    return incoming_payment(methods=[method]) | changes


def quote(**changes: Any) -> JSON:
    return {
        "id": QUOTE_URL,
        "walletAddress": ALICE,
        "receiver": RECEIVER,
        "debitAmount": amount(2600),
        "receiveAmount": amount(2500, "EUR"),
        "method": "ilp",
        "createdAt": "2026-06-01T12:00:00Z",
        "expiresAt": "2026-06-01T12:05:00Z",
    } | changes


def outgoing_payment(**changes: Any) -> JSON:
    return {
        "id": OUTGOING_URL,
        "walletAddress": ALICE,
        "quoteId": QUOTE_URL,
        "failed": False,
        "receiver": RECEIVER,
        "debitAmount": amount(2600),
        "receiveAmount": amount(2500, "EUR"),
        "sentAmount": amount(0),
        "createdAt": "2026-06-01T12:01:00Z",
        "metadata": {"orderRef": "42"},
    } | changes


def page(items: list[JSON], **info: Any) -> JSON:
    ends = {"hasNextPage": False, "hasPreviousPage": False}
    return {"pagination": ends | info, "result": items}


def answer(
    document: object = None,
    *,
    status: int = 200,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    written = json.dumps(document).encode() if body is None else body
    return Answer(status=status, headers=headers or {}, body=written)
