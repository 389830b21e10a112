"""Open Payments for Python: pay people from any wallet to any wallet over Interledger.

A client sends operations and returns typed answers; both are useful without the other.

    signer = Ed25519Signer.from_pem(pem, key_id="…")
    with httpx.Client() as http:
        wallet = Client(http, signer).send(operations.get_wallet_address(url="https://…/alice"))

Spec: Open Payments 1.3.0; RFC 9635 (GNAP); RFC 9421 (HTTP message signatures).
"""

from backend.open_payments import operations
from backend.open_payments.aio import (
    AsyncClient,
)
from backend.open_payments.client import (
    Client,
)
from backend.open_payments.errors import (
    AmountRejected,
    ClientRejected,
    ContinuationInvalid,
    ContinuedTooSoon,
    GrantDenied,
    HashMismatch,
    InvalidValue,
    InvalidWalletAddress,
    LimitExceeded,
    MismatchedResponse,
    NotFound,
    OpenPaymentsError,
    QuoteUnusable,
    ReceiverUnusable,
    SignatureInvalid,
    TokenInactive,
    UnexpectedResponse,
    WalletRejected,
    WalletUnreachable,
    WrongState,
)
from backend.open_payments.exchange import (
    Answer,
    ListOperation,
    Operation,
)
from backend.open_payments.grants import (
    check_interval,
    incoming_payment_access,
    outgoing_payment_access,
    quote_access,
    single_window,
)
from backend.open_payments.interaction import (
    finish_hash,
    new_nonce,
    verify_finish_hash,
)
from backend.open_payments.keys import (
    Ed25519Signer,
    Signer,
)
from backend.open_payments.signatures import (
    VerifiedSignature,
    sign_request,
    verify_request,
)
from backend.open_payments.types import (
    Access,
    AccessToken,
    Amount,
    Continuation,
    IlpMethod,
    IncomingPayment,
    Interact,
    IssuedGrant,
    JsonWebKey,
    JsonWebKeySet,
    Limits,
    OutgoingPayment,
    Page,
    PendingContinuation,
    PendingGrant,
    PublicIncomingPayment,
    Quote,
    SpentAmounts,
    WalletAddress,
)
from backend.open_payments.wallet_addresses import (
    normalise_wallet_address,
    same_wallet_address,
)

__all__ = [
    "Access",
    "AccessToken",
    "Amount",
    "AmountRejected",
    "Answer",
    "AsyncClient",
    "Client",
    "ClientRejected",
    "Continuation",
    "ContinuationInvalid",
    "ContinuedTooSoon",
    "Ed25519Signer",
    "GrantDenied",
    "HashMismatch",
    "IlpMethod",
    "IncomingPayment",
    "Interact",
    "InvalidValue",
    "InvalidWalletAddress",
    "IssuedGrant",
    "JsonWebKey",
    "JsonWebKeySet",
    "LimitExceeded",
    "Limits",
    "ListOperation",
    "MismatchedResponse",
    "NotFound",
    "OpenPaymentsError",
    "Operation",
    "OutgoingPayment",
    "Page",
    "PendingContinuation",
    "PendingGrant",
    "PublicIncomingPayment",
    "Quote",
    "QuoteUnusable",
    "ReceiverUnusable",
    "SignatureInvalid",
    "Signer",
    "SpentAmounts",
    "TokenInactive",
    "UnexpectedResponse",
    "VerifiedSignature",
    "WalletAddress",
    "WalletRejected",
    "WalletUnreachable",
    "WrongState",
    "check_interval",
    "finish_hash",
    "incoming_payment_access",
    "new_nonce",
    "normalise_wallet_address",
    "operations",
    "outgoing_payment_access",
    "quote_access",
    "same_wallet_address",
    "sign_request",
    "single_window",
    "verify_finish_hash",
    "verify_request",
]
