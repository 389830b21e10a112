"""Refusals of accounts.

FaenaError
├── BadCredentials      BAD_CREDENTIALS: unknown address, wrong password or closed account
├── WrongPassword       BAD_CREDENTIALS: not the password of who is logged in
├── KeyRefused          UNAUTHENTICATED: this API key does not work here, or not yet
├── StillNeeded         FORBIDDEN: a person cannot be erased yet; each hindrance says what to do
├── WalletUnusable      WALLET_UNREACHABLE: nobody answered there as an Open Payments wallet
└── WalletHostSuspended WALLET_HOST_SUSPENDED: nothing new is begun with wallets there for now
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from backend.errors import ErrorCode, FaenaError

if TYPE_CHECKING:
    from backend.accounts.personal import Hindrance


class BadCredentials(FaenaError):
    """E-mail address and password do not fit together; never says which of them is wrong."""

    code = ErrorCode.BAD_CREDENTIALS

    def __init__(self) -> None:
        super().__init__(_("E-mail address or password is wrong."))


class WrongPassword(FaenaError):
    """Who is logged in gave another password than their own."""

    code = ErrorCode.BAD_CREDENTIALS

    def __init__(self) -> None:
        super().__init__(
            _("This is not your password. Give the one that you log in with now."),
            path=("currentPassword",),
        )


class KeyRefused(FaenaError):
    """This is no API key that works here now; the sentence says what to do about it."""

    code = ErrorCode.UNAUTHENTICATED


class StillNeeded(FaenaError):
    """Somebody cannot be erased while money of theirs moves or is owed, or others count on them."""

    code = ErrorCode.FORBIDDEN

    def __init__(self, hindrances: Sequence[Hindrance]) -> None:
        said = " ".join(str(each) for each in hindrances)
        super().__init__(_("They cannot be erased yet. {hindrances}"), hindrances=said)
        self.hindrances = tuple(hindrances)


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


class WalletHostSuspended(FaenaError):
    """An operator has suspended the provider of a wallet that a consent would be about."""

    code = ErrorCode.WALLET_HOST_SUSPENDED
    retryable = True

    def __init__(self, wallet: str, *, path: tuple[str, ...] = ()) -> None:
        super().__init__(
            _(
                "Nothing new can be paid with {wallet} for now, because its provider is suspended "
                "here. What was approved before goes on. Use another wallet, or try again later."
            ),
            path=path,
            wallet=wallet,
        )
