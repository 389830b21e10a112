"""What the books refuse. Nobody outside can cause these: the API answers them with INTERNAL.

LedgerError
├── Unbalanced       the lines do not add up to zero in every asset, or one of them is zero
├── AlreadyPosted    the same reason was posted for the same thing, with other lines
├── Overdrawn        money that the platform does not hold would leave an account
└── TooLarge         a balance that no column could carry

Nothing was written; the caller's transaction should be rolled back.
"""

from backend.ledger.refs import AccountRef


class LedgerError(Exception):
    """The books refuse to take this."""


class Unbalanced(LedgerError):
    """Money would appear or disappear."""


class AlreadyPosted(LedgerError):
    """This was posted before, and differently."""


class Overdrawn(LedgerError):
    """The account holds less than would be taken from it."""

    def __init__(self, account: AccountRef, *, balance: int, amount: int) -> None:
        super().__init__(f"{account} holds {balance}: {-amount} cannot be taken from it.")
        self.account, self.balance, self.amount = account, balance, amount


class TooLarge(LedgerError):
    """The balance would leave the range of 64 bits."""
