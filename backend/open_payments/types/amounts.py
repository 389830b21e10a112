"""Money.

Spec: Open Payments 1.3.0, schema `amount`.
"""

import re
from dataclasses import dataclass
from typing import Self

from backend.open_payments import documents
from backend.open_payments.errors import InvalidValue

UINT64_MAX = 2**64 - 1
DIGITS = re.compile(r"(0|[1-9][0-9]{0,19})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A sum of money, counted in the asset's smallest unit.

    Amount(value=1250, asset_code="USD", asset_scale=2) is 12.50 USD. USD with scale 2 and USD
    with scale 9 are different assets.

    Spec: schema `amount` (on the wire `value` is a uint64 in a string).
    """

    value: int
    asset_code: str
    asset_scale: int

    def __post_init__(self) -> None:
        if type(self.value) is not int or not 0 <= self.value <= UINT64_MAX:
            raise InvalidValue(f"an amount counts 0 to 2^64-1 units, not {self.value!r:.40}")
        check_asset(self.asset_code, self.asset_scale)

    @classmethod
    def from_json(cls, obj: object) -> Self:
        document = documents.as_object(obj, what="an amount")
        value = documents.required(document, "value")
        if not isinstance(value, str) or not DIGITS.fullmatch(value):
            raise InvalidValue("an amount's value is not a whole number in a text")
        code, scale = read_asset(document)
        return cls(value=int(value), asset_code=code, asset_scale=scale)

    def to_json(self) -> dict[str, object]:
        return {
            "value": str(self.value),
            "assetCode": self.asset_code,
            "assetScale": self.asset_scale,
        }

    def same_asset(self, other: "Amount") -> bool:
        """Tell whether the two may be compared at all."""
        return (self.asset_code, self.asset_scale) == (other.asset_code, other.asset_scale)

    def __str__(self) -> str:
        digits = str(self.value).rjust(self.asset_scale + 1, "0")
        whole, fraction = digits[: len(digits) - self.asset_scale], digits[-self.asset_scale :]
        number = f"{whole}.{fraction}" if self.asset_scale else digits
        return f"{number} {self.asset_code}"


def check_asset(code: object, scale: object) -> None:
    """Refuse an asset that the specification does not know."""
    if not isinstance(code, str) or not code or len(code) > 64 or not code.isprintable():
        raise InvalidValue("an asset code is a short text")
    if type(scale) is not int or not 0 <= scale <= 255:
        raise InvalidValue("an asset scale is a whole number from 0 to 255")


def read_asset(document: documents.JsonObject) -> tuple[str, int]:
    """Read `assetCode` and `assetScale`."""
    code, scale = documents.text(document, "assetCode"), documents.integer(document, "assetScale")
    check_asset(code, scale)
    return code, scale
