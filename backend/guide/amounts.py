"""Sums as the guide writes them: decimal numbers, such as "100.00", in the payee's asset."""

import re
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from backend.accounts.models import Asset
from backend.errors import ErrorCode, FaenaError, ValidationFailed
from backend.jobs.models.job import LARGEST_VALUE
from backend.open_payments.types import Amount

# At least one digit on both sides of the point; no sign, no exponent, no grouping.
_DECIMAL = re.compile(r"[0-9]{1,40}(\.[0-9]{1,40})?", re.ASCII)


class AmountTooLarge(FaenaError):
    """The sum is more than can be kept."""

    code = ErrorCode.AMOUNT_OUT_OF_RANGE


def exact_amount(text: object, asset: Asset) -> Amount:
    """The sum that `text`, a decimal number or a JSON integer, names in `asset`; never rounded.

    Raises:
        ValidationFailed: it is no such number, not above zero, or has a part that is less than the
            asset's smallest unit.
        AmountTooLarge: it is above 2^63−1 smallest units.
    """
    if type(text) is int and 0 <= text <= LARGEST_VALUE:
        text = str(text)
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
        raise ValidationFailed(
            _('amount is a decimal number in a text, such as "100.00".'), path=("amount",)
        )
    # Digits are moved, so that no arithmetic context can round.
    _sign, digits, exponent = Decimal(text).as_tuple()
    value = int("".join(map(str, digits)))
    shift = asset.scale + int(exponent)
    value, rest = (value * 10**shift, 0) if shift >= 0 else divmod(value, 10**-shift)
    if rest:
        raise ValidationFailed(
            _("{asset} has {scale} decimal places here, and amount has more."),
            path=("amount",),
            asset=asset.code,
            scale=asset.scale,
        )
    if value == 0:
        raise ValidationFailed(_("amount is above zero."), path=("amount",))
    if value > LARGEST_VALUE:
        raise AmountTooLarge(_("amount is more than can be paid at once."), path=("amount",))
    return Amount(value=value, asset_code=asset.code, asset_scale=asset.scale)


def in_decimals(amount: Amount) -> str:
    """The same sum as the guide writes it: "100.00"."""
    return str(amount).partition(" ")[0]
