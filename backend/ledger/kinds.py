"""The kinds of accounts, and what each of them belongs to."""

from typing import NamedTuple

from django.db.models import TextChoices


class AccountKind(TextChoices):
    """Whose money an account counts.

    PAYER, PAYEE, SELLER and PLATFORM_FEE are memo accounts: that money is in wallets outside, and
    the books only remember how much has moved. What somebody paid is below zero, what somebody got
    above.
    """

    PAYER = "PAYER", "paid out of a person's own wallet (below zero)"
    PAYEE = "PAYEE", "arrived in a person's own wallet"
    SELLER = "SELLER", "arrived in a registered seller's wallet"
    ESCROW = "ESCROW", "held by the platform for one funding; never below zero"
    FEES = "FEES", "left to the platform by rounding, less what it bore"
    PLATFORM_FEE = "PLATFORM_FEE", "arrived as the platform's fee in one of its wallets"
    WALLET_COST = "WALLET_COST", "kept by wallets on the way"
    FX = "FX", "exchanged by wallets: taken in one asset, given in another"
    PROMISES_GIVEN = "PROMISES_GIVEN", "promised to workers and not paid yet (below zero)"
    PROMISES_RECEIVED = "PROMISES_RECEIVED", "promised to a worker and not paid yet"


class Shape(NamedTuple):
    """Which of the two keys an account of a kind has."""

    owner: bool  # a user's id
    subject: bool  # another id: a seller's wallet, a funding, a pair of assets


SHAPES: dict[AccountKind, Shape] = {
    AccountKind.PAYER: Shape(owner=True, subject=False),
    AccountKind.PAYEE: Shape(owner=True, subject=False),
    AccountKind.SELLER: Shape(owner=False, subject=True),
    AccountKind.ESCROW: Shape(owner=True, subject=True),
    AccountKind.FEES: Shape(owner=False, subject=False),
    AccountKind.PLATFORM_FEE: Shape(owner=False, subject=True),
    AccountKind.WALLET_COST: Shape(owner=False, subject=False),
    AccountKind.FX: Shape(owner=False, subject=True),
    AccountKind.PROMISES_GIVEN: Shape(owner=True, subject=False),
    AccountKind.PROMISES_RECEIVED: Shape(owner=True, subject=False),
}
