"""Every operation of Open Payments 1.3.0 as a pure function: arguments in, `Operation` out.

Build one, send it with a client, or journal its answer and `parse` it later.
"""

from backend.open_payments.operations.grants import (
    cancel_grant,
    continue_grant,
    request_grant,
    revoke_token,
    rotate_token,
)
from backend.open_payments.operations.incoming_payments import (
    complete_incoming_payment,
    create_incoming_payment,
    get_incoming_payment,
    get_public_incoming_payment,
    list_incoming_payments,
)
from backend.open_payments.operations.outgoing_payments import (
    create_outgoing_payment,
    create_outgoing_payment_to,
    get_outgoing_payment,
    get_spent_amounts,
    list_outgoing_payments,
)
from backend.open_payments.operations.quotes import create_quote, get_quote
from backend.open_payments.operations.wallet_addresses import get_keys, get_wallet_address

__all__ = [
    "cancel_grant",
    "complete_incoming_payment",
    "continue_grant",
    "create_incoming_payment",
    "create_outgoing_payment",
    "create_outgoing_payment_to",
    "create_quote",
    "get_incoming_payment",
    "get_keys",
    "get_outgoing_payment",
    "get_public_incoming_payment",
    "get_quote",
    "get_spent_amounts",
    "get_wallet_address",
    "list_incoming_payments",
    "list_outgoing_payments",
    "request_grant",
    "revoke_token",
    "rotate_token",
]
