"""Payments, the consents they are made with, their journal, and what does not add up."""

from backend.payments.models.discrepancies import Discrepancy
from backend.payments.models.grants import (
    Grant,
    GrantSecrets,
    HeldGrant,
    HeldGrantLine,
    HeldGrantTransition,
)
from backend.payments.models.journal import WalletCall, append_only
from backend.payments.models.payment import Attempt, Payment, PaymentTransition
from backend.payments.models.resolutions import PaymentResolution

__all__ = [
    "Attempt",
    "Discrepancy",
    "Grant",
    "GrantSecrets",
    "HeldGrant",
    "HeldGrantLine",
    "HeldGrantTransition",
    "Payment",
    "PaymentResolution",
    "PaymentTransition",
    "WalletCall",
    "append_only",
]
