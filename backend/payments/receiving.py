"""What the receiver's wallet shows: the only word that says whether money has arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.open_payments import operations
from backend.open_payments.errors import MismatchedResponse, NotFound
from backend.payments.patience import IN_FLIGHT_FOR
from backend.payments.status import GrantKind
from backend.payments.tokens import live_grant

if TYPE_CHECKING:
    from backend.open_payments.types import Amount
    from backend.payments.paying import PaymentRun


def read_receiver(run: PaymentRun) -> int:
    """What the receiver's wallet shows now, in the smallest unit of the receiver's asset.

    May be repeated. Spec: resource server, `get-incoming-payment`, whose `receivedAmount` everybody
    may read; where a wallet leaves it out, it is asked with the token that made the receiver.

    Raises:
        OpenPaymentsError: it does not show that; what is not shown is not nothing.
        HostBusy, LostRace: as `Run.ask`.
    """
    try:
        seen = run.ask(operations.get_public_incoming_payment(url=run.attempt.incoming_payment_url))
    except NotFound:
        if not receiver_is_over(run):
            raise
        return 0
    amount = seen.received_amount or _shown_to_us(run)
    if not amount.same_asset(run.receive_amount):
        raise MismatchedResponse("receivedAmount", expected=run.receive_amount, received=amount)
    return amount.value


def _shown_to_us(run: PaymentRun) -> Amount:
    # A wallet need not show to everybody what arrived, but to whoever made the receiver.
    grant = live_grant(run, GrantKind.INCOMING_PAYMENT)
    if grant is None:
        raise MismatchedResponse("grant", expected="a token", received="an interaction")
    return run.ask(
        operations.get_incoming_payment(
            url=run.attempt.incoming_payment_url, token=grant.open_secrets().access_token
        ),
        grant=grant,
    ).received_amount


def receiver_is_over(run: PaymentRun) -> bool:
    """Whether the receiver has taken no money for so long that none is under way any more."""
    expires_at = run.attempt.incoming_payment_expires_at
    return expires_at is not None and run.now > expires_at + IN_FLIGHT_FOR
