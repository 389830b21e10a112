"""What a wallet's 4xx means: one table, first match wins.

Rafiki's resource server only repeats the HTTP status as its error code, so descriptions have to
tell the cases apart; quirks of other wallets are new rows, not new code.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from backend.open_payments import documents, errors
from backend.open_payments.errors import InvalidValue, WalletRejected
from backend.open_payments.types import Amount

CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
TOKENS = frozenset({"rotate-token", "revoke-token"})
CREATES_PAYMENT = frozenset({"create-outgoing-payment"})
WITH_ACCESS_TOKEN = frozenset(
    {
        "create-incoming-payment",
        "get-incoming-payment",
        "list-incoming-payments",
        "complete-incoming-payment",
        "create-quote",
        "get-quote",
        "create-outgoing-payment",
        "get-outgoing-payment",
        "list-outgoing-payments",
        "get-spent-amounts",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A row of the table; None and the empty set match everything."""

    error: type[WalletRejected]
    status: int | None = None
    code: str | None = None
    description: str | None = None  # its beginning, in lower case
    operations: frozenset[str] = frozenset()
    challenge: bool | None = None  # whether the answer has WWW-Authenticate


RULES = (
    # Authorization server: RFC 9635 section 3.6 and the error schemas of auth-server.yaml.
    Rule(error=errors.ContinuedTooSoon, code="too_fast"),
    Rule(error=errors.GrantDenied, code="request_denied"),
    Rule(error=errors.GrantDenied, code="user_denied"),
    Rule(error=errors.ContinuationInvalid, code="invalid_continuation"),
    Rule(error=errors.ContinuationInvalid, code="unknown_interaction"),
    Rule(error=errors.ContinuationInvalid, code="invalid_interaction"),
    Rule(error=errors.ContinuationInvalid, status=404, operations=frozenset({"continue-grant"})),
    # Cancelling what is already gone.
    Rule(
        error=errors.ContinuationInvalid,
        status=401,
        code="invalid_request",
        operations=frozenset({"cancel-grant"}),
    ),
    Rule(error=errors.ContinuationInvalid, status=404, operations=frozenset({"cancel-grant"})),
    # A token that is unknown, revoked or purged is an invalid *client* to Rafiki; a lost race
    # between two rotations is an invalid rotation.
    Rule(error=errors.TokenInactive, code="invalid_rotation"),
    Rule(
        error=errors.TokenInactive,
        status=401,
        code="invalid_client",
        description="invalid access token",
        operations=TOKENS,
    ),
    Rule(error=errors.TokenInactive, status=404, operations=TOKENS),
    Rule(error=errors.ClientRejected, code="invalid_client"),
    # Resource server.
    Rule(error=errors.ClientRejected, status=401, description="signature validation error"),
    Rule(error=errors.TokenInactive, status=401, description="invalid token"),
    Rule(error=errors.TokenInactive, status=403, description="inactive token"),
    # Rafiki looks resources up before it authenticates: unknown ids answer 401 without the
    # challenge that every real authentication failure carries.
    Rule(error=errors.NotFound, status=401, description="unauthorized", challenge=False),
    Rule(
        error=errors.LimitExceeded,
        status=403,
        description="unauthorized",
        operations=CREATES_PAYMENT,
    ),
    Rule(error=errors.QuoteUnusable, status=400, description="invalid quote"),
    Rule(error=errors.ReceiverUnusable, status=400, description="invalid receiver"),
    Rule(error=errors.AmountRejected, status=400, description="invalid amount"),
    Rule(error=errors.AmountRejected, status=400, description="non-positive receive amount"),
    Rule(error=errors.WrongState, status=409),
    Rule(error=errors.NotFound, status=404),
    # Other wallets may word it differently; the challenge asks for a new token (RFC 9635 9.1).
    Rule(error=errors.TokenInactive, status=401, challenge=True, operations=WITH_ACCESS_TOKEN),
)


def rejection(
    operation: str, *, status: int, headers: Mapping[str, str], body: bytes
) -> WalletRejected:
    """Build the error that a 4xx answer stands for.

    Spec: error schemas of auth-server.yaml and resource-server.yaml; RFC 9635 section 3.6.
    """
    code, description, details = _read_error(body)
    error = _classify(
        operation,
        status=status,
        code=code,
        description=description.lower(),
        challenge="www-authenticate" in headers,
    )
    refusal = error(operation, status=status, code=code, description=description, details=details)
    if isinstance(refusal, errors.AmountRejected):
        refusal.min_send_amount = _min_send_amount(details)
    return refusal


def _classify(
    operation: str, *, status: int, code: str | None, description: str, challenge: bool
) -> type[WalletRejected]:
    for rule in RULES:
        if (
            rule.status in (None, status)
            and rule.code in (None, code)
            and (rule.description is None or description.startswith(rule.description))
            and (not rule.operations or operation in rule.operations)
            and rule.challenge in (None, challenge)
        ):
            return rule.error
    return WalletRejected


def _read_error(body: bytes) -> tuple[str | None, str, Mapping[str, object]]:
    try:
        document = documents.read_json(body)
    except InvalidValue:
        return None, _readable(body.decode("utf-8", errors="replace")), {}
    error = document.get("error") if isinstance(document, dict) else None
    if isinstance(error, str):
        return _readable(error), "", {}
    if not isinstance(error, dict):
        return None, "", {}
    code, description, details = (error.get(name) for name in ("code", "description", "details"))
    return (
        _readable(code) if isinstance(code, str) else None,
        _readable(description) if isinstance(description, str) else "",
        details if isinstance(details, dict) else {},
    )


def _readable(text: str) -> str:
    # It is a stranger's text and ends up in logs.
    return CONTROL_CHARACTERS.sub(" ", text[:1000]).strip()[:300]


def _min_send_amount(details: Mapping[str, object]) -> Amount | None:
    try:
        return documents.optional(details, "minSendAmount", Amount.from_json)
    except InvalidValue:
        return None
