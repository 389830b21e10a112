"""What a sum that is sent has to make at its receiver, so that it counts as paid.

Where a job fixes what is sent, the payer's own wallet says what arrives. Its quote under the
consent is what the worker began to work for; one that is far from that is a mistake, or a payer who
runs that wallet and keeps the pay.
"""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction
from math import ceil
from uuid import UUID

from django.db.models import ExpressionWrapper, F, FloatField

from backend.funding.models import Allocation, Payable
from backend.funding.queries import NEXT_TO_NOTHING
from backend.funding.status import FundingMode
from backend.open_payments.types import Amount
from backend.payments.models import HeldGrant, HeldGrantLine, Payment
from backend.payments.quoting import CROSS_ASSET_BUFFER, LARGEST_VALUE

# Lines of consents that fix what is sent, of which a wallet has said what arrives.
_QUOTED = HeldGrantLine.objects.filter(send_value__gt=0, quoted_receive_value__gt=0)


def least_that_arrives(payable: Payable, under: HeldGrant) -> int | None:
    """The least that may arrive of what is owed and sent, in the receiver's smallest unit.

    Half of what it would have made by the first consent's best quote between the same two assets;
    in one asset, of the sum itself. Fixed charges may take more of a reward that is next to
    nothing. None: no bound, because the treasury's own wallet is believed, or nothing was quoted.
    """
    if payable.funding.mode == FundingMode.ESCROW:
        return None
    # Of each part its part, or a payer who accepts in small parts would keep all of it.
    whole = payable.allocation.kept_value if payable.allocation else payable.value
    most_lost = ceil(Fraction(payable.value * max(whole // 2, NEXT_TO_NOTHING), whole))
    kept = max(0, payable.value - most_lost)
    if under.sender.asset == payable.receiver.asset:
        return kept or None
    line = _best_quote(payable, under)
    return None if line is None else _makes(line, kept) or None


def no_less_than(refused: Payment) -> int | None:
    """The least that may arrive where an operator accepts the rate at which `refused` failed.

    In the receiver's smallest unit: what would have arrived, and 5 % less.
    """
    value = refused.refused_receive_value
    return None if value is None else ceil(value * (1 - CROSS_ASSET_BUFFER))


def _best_quote(payable: Payable, under: HeldGrant) -> HeldGrantLine | None:
    (asset_code, asset_scale), (to_code, to_scale) = under.sender.asset, payable.receiver.asset
    # The first consent's, because a renewal is quoted by the same wallet, after the work began.
    quoted = _QUOTED.filter(
        held_grant__reference=payable.funding_id,
        held_grant__sender__asset_code=asset_code,
        held_grant__sender__asset_scale=asset_scale,
        receiver__asset_code=to_code,
        receiver__asset_scale=to_scale,
    )
    # The best, because another line may be of somebody who is in league with the payer.
    rate = ExpressionWrapper(
        F("quoted_receive_value") * 1.0 / F("send_value"), output_field=FloatField()
    )
    return quoted.order_by("held_grant_id", rate.desc(), "id").first()


def estimates_of_allocations(ids: Collection[UUID]) -> dict[UUID, Amount]:
    """What arrives of each promise by the newest quote for it, where a job fixes what is sent."""
    allocations = Allocation.objects.filter(id__in=ids).select_related("application__payout_wallet")
    promised = {each.id: each for each in allocations}
    fundings = {each.funding_id for each in promised.values()}
    # Later ones take the place of earlier ones.
    quotes = {
        (line.held_grant.reference, line.receiver_id): line
        for line in _QUOTED.filter(held_grant__reference__in=fundings)
        .select_related("held_grant", "receiver")
        .order_by("held_grant_id", "id")
    }
    found = {}
    for id_, allocation in promised.items():
        line = quotes.get((allocation.funding_id, allocation.application.payout_wallet_id))
        if line is not None:
            code, scale = line.receiver.asset
            value = _makes(line, allocation.amount_value)
            found[id_] = Amount(value=value, asset_code=code, asset_scale=scale)
    return found


def _makes(line: HeldGrantLine, value: int) -> int:
    """What `value` sent makes at the rate of a line that was quoted."""
    assert line.send_value is not None
    assert line.quoted_receive_value is not None
    return min(line.quoted_receive_value * value // line.send_value, LARGEST_VALUE)
