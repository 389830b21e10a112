"""What a payment would cost: a real quote, which leaves nothing behind that could be spent.

A quote needs a receiver. It gets one of its own, which takes no money: it is completed as soon as
the quote is there, and expires in minutes where that fails.

Whoever prices also says here what a quote may say, how long what wallets said of themselves
holds, and what is added where a rate may move.
"""

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Protocol, TypeVar

from django.conf import settings

from backend.accounts.models import WalletAddress
from backend.open_payments import IssuedGrant, OpenPaymentsError, Operation, Quote, operations
from backend.open_payments.errors import MismatchedResponse
from backend.open_payments.grants import incoming_payment_access, quote_access
from backend.open_payments.types import Access, Amount
from backend.payments.models import Payment

log = logging.getLogger(__name__)

T = TypeVar("T")
RECEIVER_LIFE = timedelta(minutes=10)
# For how long a wallet's document is believed without reading it again.
WALLET_FRESH_FOR = timedelta(minutes=10)
# Between assets the rate may move until the money does. The payer sees it, and consents to it.
CROSS_ASSET_BUFFER = Fraction(5, 100)
# What nobody can be asked for a price of is asked for with so much room for fees, in one asset.
UNQUOTED_BUFFER = Fraction(5, 100)
# What our columns hold, in smallest units. Wallets may name twice as much; nobody owns it.
LARGEST_VALUE = 2**63 - 1


class Ask(Protocol):
    """Makes a call that may be repeated, and understands its answer."""

    def __call__(self, operation: Operation[T], /) -> T: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What leaves the sender's wallet, fees included, and what arrives, each in its own asset."""

    debit_value: int
    receive_value: int
    expires_at: datetime | None


def price(
    ask: Ask,
    *,
    sender: WalletAddress,
    receiver: WalletAddress,
    receive_value: int | None = None,
    send_value: int | None = None,
    now: datetime,
) -> Price:
    """Quote a payment of which one side is fixed: `receive_value` or `send_value`.

    Five calls to two wallets, every one of which may be repeated.

    Raises:
        OpenPaymentsError: a wallet could not be reached, refused, or quoted what nobody asked for.
    """
    token = _token(ask, receiver, incoming_payment_access(identifier=receiver.url))
    code, scale = receiver.asset
    incoming = ask(
        operations.create_incoming_payment(
            resource_server=receiver.resource_server,
            token=token,
            wallet_address=receiver.url,
            incoming_amount=None
            if receive_value is None
            else Amount(value=receive_value, asset_code=code, asset_scale=scale),
            expires_at=now + RECEIVER_LIFE,
        )
    )
    sender_code, sender_scale = sender.asset
    try:
        quote = ask(
            operations.create_quote(
                resource_server=sender.resource_server,
                token=_token(ask, sender, quote_access()),
                wallet_address=sender.url,
                receiver=incoming.id,
                debit_amount=None
                if send_value is None
                else Amount(value=send_value, asset_code=sender_code, asset_scale=sender_scale),
                receive_amount=None
                if receive_value is None
                else Amount(value=receive_value, asset_code=code, asset_scale=scale),
            )
        )
    finally:
        with suppress(OpenPaymentsError):
            ask(operations.complete_incoming_payment(url=incoming.id, token=token))
    require_assets(quote, sender=sender, receiver=receiver)
    return Price(
        debit_value=quote.debit_amount.value,
        receive_value=quote.receive_amount.value,
        expires_at=quote.expires_at,
    )


def require_assets(quote: Quote, *, sender: WalletAddress, receiver: WalletAddress) -> None:
    """Refuse a quote whose sums are not in the two wallets' own assets: 1 USD is not 1 JPY.

    Raises:
        MismatchedResponse: they are not, or are nothing, or more than anybody could own.
    """
    sides = (
        ("debitAmount", quote.debit_amount, sender),
        ("receiveAmount", quote.receive_amount, receiver),
    )
    for name, amount, wallet in sides:
        if (amount.asset_code, amount.asset_scale) != wallet.asset:
            raise MismatchedResponse(name, expected=wallet.asset, received=amount)
        if not 0 < amount.value <= LARGEST_VALUE:
            raise MismatchedResponse(name, expected=f"1 to {LARGEST_VALUE}", received=amount)


def refreshed(ask: Ask, wallet: WalletAddress, *, now: datetime) -> bool:
    """Read a wallet's document again; False when its asset or its servers have changed.

    The caller saves `checked_at`.

    Raises:
        OpenPaymentsError: the wallet could not be read.
    """
    found = ask(operations.get_wallet_address(url=wallet.url))
    wallet.checked_at = now
    return (found.asset_code, found.asset_scale, found.auth_server, found.resource_server) == (
        wallet.asset_code,
        wallet.asset_scale,
        wallet.auth_server,
        wallet.resource_server,
    )


def _token(ask: Ask, wallet: WalletAddress, access: Access) -> str:
    issued = ask(
        operations.request_grant(
            auth_server=wallet.auth_server,
            client=settings.OP_CLIENT_WALLET_ADDRESS,
            access=[access],
        )
    )
    if not isinstance(issued, IssuedGrant) or issued.access_token is None:
        # Operators may demand a person even here; nobody is there to be asked.
        raise MismatchedResponse("grant", expected="a token", received="an interaction")
    return issued.access_token.value


def known_debit(payment: Payment, receive_value: int) -> int | None:
    """What `receive_value` takes from the sender, as far as it is known without asking a wallet."""
    if known := payment.debit_value or payment.send_value:
        return known
    return receive_value if payment.sender.asset == payment.receiver.asset else None
