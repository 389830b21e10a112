"""The nouns of Open Payments: frozen values, read strictly and written exactly.

`from_json` refuses wrong money and missing fields and ignores unknown fields. Secrets (tokens,
management and continuation URLs, STREAM secrets) stay out of `repr`.
"""

from backend.open_payments.types.amounts import (
    Amount,
)
from backend.open_payments.types.grants import (
    Access,
    AccessToken,
    Continuation,
    Interact,
    IssuedGrant,
    Limits,
    PendingContinuation,
    PendingGrant,
)
from backend.open_payments.types.payments import (
    IlpMethod,
    IncomingPayment,
    OutgoingPayment,
    Page,
    PublicIncomingPayment,
    Quote,
    SpentAmounts,
)
from backend.open_payments.types.wallets import (
    JsonWebKey,
    JsonWebKeySet,
    WalletAddress,
)

__all__ = [
    "Access",
    "AccessToken",
    "Amount",
    "Continuation",
    "IlpMethod",
    "IncomingPayment",
    "Interact",
    "IssuedGrant",
    "JsonWebKey",
    "JsonWebKeySet",
    "Limits",
    "OutgoingPayment",
    "Page",
    "PendingContinuation",
    "PendingGrant",
    "PublicIncomingPayment",
    "Quote",
    "SpentAmounts",
    "WalletAddress",
]
