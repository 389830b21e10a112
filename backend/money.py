"""Sums of money as people read them."""

from decimal import Decimal

from django.utils import formats

# People count money in cents; what is finer is told where there is some.
LEAST_DECIMALS = 2


def number_of(value: int, scale: int) -> str:
    """`value` units of 10**-scale, exact and as the active language writes numbers."""
    # Whatever the scale: no arithmetic rounds here.
    digits = tuple(int(digit) for digit in str(abs(value)))
    number = Decimal((int(value < 0), digits, -scale))
    fraction = f"{number:f}".partition(".")[2]
    decimals = max(len(fraction.rstrip("0")), min(LEAST_DECIMALS, scale))
    return formats.number_format(number, decimal_pos=decimals, force_grouping=True)
