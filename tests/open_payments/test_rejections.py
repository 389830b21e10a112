"""The table of open-payments errors: every documented refusal, and what the caller can do."""

import json

import pytest

from backend.open_payments import (
    AmountRejected,
    ClientRejected,
    ContinuationInvalid,
    ContinuedTooSoon,
    GrantDenied,
    LimitExceeded,
    NotFound,
    QuoteUnusable,
    ReceiverUnusable,
    TokenInactive,
    UnexpectedResponse,
    WalletRejected,
    WrongState,
    operations,
)
from backend.open_payments.rejections import rejection
from tests.open_payments import samples
from tests.open_payments.samples import USD_25, answer

CHALLENGE = {"www-authenticate": "GNAP as_uri=https://auth.wallet.example/"}


def gnap(code: str, description: str = "") -> bytes:
    return json.dumps({"error": {"code": code, "description": description}}).encode()


def rafiki(status: int, description: str, **details: object) -> bytes:
    error = {"code": str(status), "description": description} | (
        {"details": details} if details else {}
    )
    return json.dumps({"error": error}).encode()


AUTH_SERVER = [
    ("request-grant", 400, gnap("invalid_request", "missing interact"), WalletRejected),
    ("request-grant", 400, gnap("invalid_client", "could not determine client"), ClientRejected),
    ("request-grant", 401, gnap("invalid_client", "invalid signature"), ClientRejected),
    (
        "request-grant",
        400,
        b'{"error":{"description":"Received error validating"}}',
        WalletRejected,
    ),
    ("request-grant", 400, b'{"error":"user_denied"}', GrantDenied),
    ("request-grant", 404, gnap("invalid_request", "Not Found"), NotFound),
    ("continue-grant", 400, gnap("too_fast"), ContinuedTooSoon),
    ("continue-grant", 401, gnap("invalid_client"), ClientRejected),
    ("continue-grant", 401, gnap("invalid_continuation", "invalid grant"), ContinuationInvalid),
    ("continue-grant", 401, gnap("request_denied", "grant cannot be polled"), GrantDenied),
    ("continue-grant", 401, gnap("user_denied"), GrantDenied),
    ("continue-grant", 401, gnap("invalid_request"), WalletRejected),
    ("continue-grant", 404, gnap("invalid_continuation"), ContinuationInvalid),
    ("continue-grant", 404, gnap("invalid_request"), ContinuationInvalid),
    ("cancel-grant", 401, gnap("invalid_request"), ContinuationInvalid),
    ("cancel-grant", 401, gnap("invalid_continuation"), ContinuationInvalid),
    ("cancel-grant", 404, gnap("invalid_request"), ContinuationInvalid),
    ("cancel-grant", 401, gnap("invalid_client"), ClientRejected),
    ("rotate-token", 401, gnap("invalid_client", "invalid access token"), TokenInactive),
    ("rotate-token", 401, gnap("invalid_client", "invalid signature"), ClientRejected),
    ("rotate-token", 400, gnap("invalid_rotation"), TokenInactive),
    ("rotate-token", 404, gnap("invalid_rotation"), TokenInactive),
    ("revoke-token", 401, gnap("invalid_client", "invalid access token"), TokenInactive),
    ("revoke-token", 404, b"", TokenInactive),
]
RESOURCE_SERVER = [
    ("create-quote", 400, rafiki(400, "invalid amount"), AmountRejected),
    ("create-quote", 400, rafiki(400, "Non-positive receive amount"), AmountRejected),
    ("create-quote", 400, rafiki(400, "invalid receiver"), ReceiverUnusable),
    ("create-quote", 400, rafiki(400, "Received error validating OpenAPI request"), WalletRejected),
    ("create-incoming-payment", 400, rafiki(400, "invalid expiresAt"), WalletRejected),
    ("create-incoming-payment", 403, rafiki(403, "action not performed"), WalletRejected),
    ("create-outgoing-payment", 400, rafiki(400, "invalid quote"), QuoteUnusable),
    ("create-outgoing-payment", 403, rafiki(403, "unauthorized"), LimitExceeded),
    ("create-quote", 403, rafiki(403, "unauthorized"), WalletRejected),
    ("create-outgoing-payment", 403, rafiki(403, "Insufficient Grant"), WalletRejected),
    ("create-outgoing-payment", 403, rafiki(403, "Inactive Token"), TokenInactive),
    ("get-quote", 401, rafiki(401, "Unauthorized"), NotFound),
    ("get-quote", 404, rafiki(404, "quote does not exist"), NotFound),
    ("get-wallet-address", 404, b"", NotFound),
    ("get-outgoing-payment", 401, rafiki(401, "Signature validation error: x"), ClientRejected),
    ("complete-incoming-payment", 409, rafiki(409, "wrong state"), WrongState),
]
CHALLENGED = [
    ("get-quote", 401, rafiki(401, "Invalid Token"), TokenInactive),
    ("get-quote", 401, rafiki(401, "Unauthorized"), TokenInactive),
    ("get-quote", 401, b"token expired", TokenInactive),
    ("get-public-incoming-payment", 401, b"no", WalletRejected),
    ("get-quote", 403, rafiki(403, "Inactive Token"), TokenInactive),
    ("get-quote", 401, rafiki(401, "Signature validation error: x"), ClientRejected),
]


@pytest.mark.parametrize(("name", "status", "body", "error"), AUTH_SERVER + RESOURCE_SERVER)
def test_a_documented_refusal_says_what_the_caller_can_do(
    name: str, status: int, body: bytes, error: type[WalletRejected]
) -> None:
    assert type(rejection(name, status=status, headers={}, body=body)) is error


@pytest.mark.parametrize(("name", "status", "body", "error"), CHALLENGED)
def test_a_refusal_with_a_challenge_is_about_the_token_that_was_sent(
    name: str, status: int, body: bytes, error: type[WalletRejected]
) -> None:
    assert type(rejection(name, status=status, headers=CHALLENGE, body=body)) is error


HOSTILE_BODIES = {
    "nothing": b"",
    "text": b"Internal Server Error",
    "HTML": b"<html>\x1b[31m" + b"x" * 100_000,
    "not UTF-8": b"\xff\xfe\x00",
    "a list": b"[1]",
    "a number": b"1" * 5000,
    "error null": b'{"error":null}',
    "error a list": b'{"error":[{"code":"too_fast"}]}',
    "code an object": b'{"error":{"code":{"a":1},"description":[]}}',
    "details a text": b'{"error":{"code":"x","description":"invalid amount","details":"no"}}',
    "deep": b"[" * 50_000,
    "NaN": b'{"error":{"code":NaN}}',
    "a key twice": b'{"error":{"code":"too_fast","code":"x"}}',
}


@pytest.mark.parametrize("body", HOSTILE_BODIES.values(), ids=HOSTILE_BODIES.keys())
def test_any_refusing_body_makes_a_short_printable_rejection(body: bytes) -> None:
    refusal = rejection("create-quote", status=400, headers={}, body=body)

    assert str(refusal).isprintable()
    assert len(str(refusal)) < 400


def test_a_body_that_no_wallet_wrote_has_no_code() -> None:
    refusal = rejection("create-quote", status=403, headers={}, body=b"<h1>Blocked</h1>")

    assert type(refusal) is WalletRejected
    assert refusal.code is None
    assert refusal.description == "<h1>Blocked</h1>"


def test_a_too_small_amount_names_the_least_amount() -> None:
    body = rafiki(400, "non-positive receive amount", minSendAmount=USD_25.to_json())

    refusal = rejection("create-quote", status=400, headers={}, body=body)

    assert isinstance(refusal, AmountRejected)
    assert refusal.min_send_amount == USD_25


def test_an_unreadable_least_amount_is_left_out() -> None:
    body = rafiki(400, "non-positive receive amount", minSendAmount="12")

    refusal = rejection("create-quote", status=400, headers={}, body=body)

    assert isinstance(refusal, AmountRejected)
    assert refusal.min_send_amount is None


GET_QUOTE = operations.get_quote(url=samples.QUOTE_URL, token="t")


@pytest.mark.parametrize(
    "status", [100, 201, 202, 204, 301, 302, 307, 408, 425, 429, 500, 503, 600]
)
def test_a_status_that_is_no_decision_is_unexpected(status: int) -> None:
    with pytest.raises(UnexpectedResponse) as error:
        GET_QUOTE.parse(answer(samples.quote(), status=status))

    assert error.value.status == status


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "17"}, 17),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "9" * 5000}, None),
        ({"retry-after": "Mon, 01 Jun 2026 12:00:30 GMT"}, None),
        (
            {
                "retry-after": "Mon, 01 Jun 2026 12:00:30 GMT",
                "date": "Mon, 01 Jun 2026 12:00:00 GMT",
            },
            30,
        ),
    ],
)
def test_the_wallets_wish_to_wait_is_passed_on(
    headers: dict[str, str], seconds: int | None
) -> None:
    with pytest.raises(UnexpectedResponse) as error:
        GET_QUOTE.parse(answer({}, status=503, headers=headers))

    assert error.value.retry_after_seconds == seconds
