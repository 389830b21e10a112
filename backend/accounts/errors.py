"""Refusals of accounts.

FaenaError
├── BadCredentials      BAD_CREDENTIALS: unknown address, wrong password or closed account
├── KeyRefused          UNAUTHENTICATED: this API key does not work here, or not yet
└── WalletUnusable      WALLET_UNREACHABLE: nobody answered there as an Open Payments wallet
"""

from django.utils.translation import gettext_lazy as _

from backend.errors import ErrorCode, FaenaError


class BadCredentials(FaenaError):
    """E-mail address and password do not fit together; never says which of them is wrong."""

    code = ErrorCode.BAD_CREDENTIALS

    def __init__(self) -> None:
        super().__init__(_("E-mail address or password is wrong."))


class KeyRefused(FaenaError):
    """This is no API key that works here now; the sentence says what to do about it."""

    code = ErrorCode.UNAUTHENTICATED


class WalletUnusable(FaenaError):
    """There is no wallet to be read at this address.

    Refused, unknown, silent and garbled look the same on purpose: the differences would tell a
    stranger what our network can reach.
    """

    code = ErrorCode.WALLET_UNREACHABLE
    retryable = True

    def __init__(self) -> None:
        super().__init__(
            _("No Open Payments wallet answered at this address. Check it, or try again later."),
            path=("address",),
        )
