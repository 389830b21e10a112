"""Amounts as they travel: a decimal string, an asset code and an asset scale."""

import re
from dataclasses import dataclass

from sandbox_wallet.wire import Json

# Accounts are signed 64-bit columns, so this is the largest sum the sandbox can hold.
LARGEST = 2**63 - 1
_DIGITS = re.compile(r"(0|[1-9][0-9]{0,18})\Z")
_SYMBOLS = {"USD": "$", "EUR": "€", "MXN": "MX$", "GBP": "£"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A currency and how many decimals its smallest unit has."""

    code: str
    scale: int

    def __str__(self) -> str:
        return f"{self.code}/{self.scale}"

    @classmethod
    def parse(cls, text: str) -> "Asset":
        """Return the asset written as `USD/2`."""
        code, _, scale = text.partition("/")
        return cls(code, int(scale))


@dataclass(frozen=True, slots=True)
class Amount:
    """A sum in the smallest unit of its asset."""

    value: int
    asset: Asset

    def to_json(self) -> Json:
        """Return the amount as Open Payments writes it."""
        return {
            "value": str(self.value),
            "assetCode": self.asset.code,
            "assetScale": self.asset.scale,
        }

    def for_people(self) -> str:
        """Return the amount as people write it: `$12.50`, `€3.00`, `1.000 XRP`."""
        return for_people(self.value, self.asset)


def for_people(value: int, asset: Asset) -> str:
    """Return `value` with its decimals, thousands separators and currency."""
    digits = str(abs(value)).rjust(asset.scale + 1, "0")
    whole, decimals = digits[: len(digits) - asset.scale], digits[len(digits) - asset.scale :]
    number = f"{int(whole):,}" + (f".{decimals}" if decimals else "")
    sign = "-" if value < 0 else ""
    symbol = _SYMBOLS.get(asset.code)
    return f"{sign}{symbol}{number}" if symbol else f"{sign}{number} {asset.code}"


def parse_amount(value: object) -> Amount | None:
    """Return the amount in a JSON object, or None when it is not exactly an amount."""
    if not isinstance(value, dict) or set(value) != {"value", "assetCode", "assetScale"}:
        return None
    digits, code, scale = value["value"], value["assetCode"], value["assetScale"]
    if not isinstance(digits, str) or not _DIGITS.match(digits) or int(digits) > LARGEST:
        return None
    if not isinstance(code, str) or not code:
        return None
    if not isinstance(scale, int) or isinstance(scale, bool) or not 0 <= scale <= 255:
        return None
    return Amount(int(digits), Asset(code, scale))
