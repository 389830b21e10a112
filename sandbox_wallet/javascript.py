"""`JSON.stringify(JSON.parse(body))`: the bytes over which Rafiki checks a digest.

Rafiki does not keep the body it received; it prints the parsed one again. A client whose JSON
is valid but printed differently (spaces, escapes, floats, integer-looking keys) is refused.
"""

import json
import re
from math import isinf
from typing import Any

_INDEX = re.compile(r"(0|[1-9][0-9]{0,9})\Z")
_LARGEST_INDEX = 2**32 - 2


def restringify(body: bytes) -> bytes:
    """Return `body` as JavaScript would print it after parsing; unchanged when it is not JSON."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return body
    text = json.dumps(_as_javascript(value), separators=(",", ":"), ensure_ascii=False)
    return re.sub("[\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", text).encode()


class _Number(float):
    """A number that prints as JavaScript prints it."""

    def __repr__(self) -> str:
        if self.is_integer() and abs(self) < 1e21:
            return str(int(self))
        mantissa, _, exponent = float.__repr__(self).partition("e")
        if not exponent:
            return mantissa
        if -7 <= int(exponent) < 0:
            digits = len(mantissa.lstrip("-").replace(".", "").removesuffix("0")) or 1
            return f"{float(self):.{digits - 1 - int(exponent)}f}"
        return f"{mantissa.removesuffix('.0')}e{int(exponent):+d}"


def _as_javascript(value: Any) -> Any:
    if isinstance(value, dict):
        # Properties that look like array indexes come first, in numeric order.
        indexes = sorted((key for key in value if _is_index(key)), key=int)
        others = [key for key in value if not _is_index(key)]
        return {key: _as_javascript(value[key]) for key in [*indexes, *others]}
    if isinstance(value, list):
        return [_as_javascript(item) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = _Number(value)
        except OverflowError:
            return None
        return None if isinf(number) else number
    return value


def _is_index(key: str) -> bool:
    return bool(_INDEX.match(key)) and int(key) <= _LARGEST_INDEX
