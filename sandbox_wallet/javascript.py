"""`JSON.stringify(JSON.parse(body))`: the bytes over which Rafiki checks a digest.

Rafiki does not keep the body it received; it prints the parsed one again. A client whose JSON
is valid but printed differently (spaces, escapes, floats, integer-looking keys) is refused.
"""

import json
import re
from decimal import Decimal
from math import isfinite
from typing import Any

_INDEX = re.compile(r"(0|[1-9][0-9]{0,9})\Z")
_LARGEST_INDEX = 2**32 - 2


def restringify(body: bytes) -> bytes:
    """Return `body` as JavaScript would print it after parsing; unchanged when it is not JSON."""
    try:
        text = _print(json.loads(body))
    except (ValueError, RecursionError):
        return body
    return re.sub("[\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", text).encode()


def _print(value: Any) -> str:
    if isinstance(value, dict):
        # Properties that look like array indexes come first, in numeric order.
        indexes = sorted((key for key in value if _is_index(key)), key=int)
        keys = [*indexes, *(key for key in value if not _is_index(key))]
        return f"{{{','.join(f'{_print(key)}:{_print(value[key])}' for key in keys)}}}"
    if isinstance(value, list):
        return f"[{','.join(_print(item) for item in value)}]"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _print_number(value)
    return json.dumps(value, ensure_ascii=False)


def _print_number(value: float) -> str:
    """Print a number by the rules of ECMAScript, Number::toString."""
    try:
        number = float(value)
    except OverflowError:
        return "null"
    if not isfinite(number):
        return "null"
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    assert isinstance(exponent, int)
    text, point = "".join(map(str, digits)), len(digits) + exponent
    if not number:
        return "0"
    if 0 < point <= 21:
        whole, part = text[:point].ljust(point, "0"), text[point:]
        printed = f"{whole}.{part}" if part else whole
    elif -6 < point <= 0:
        printed = f"0.{'0' * -point}{text}"
    else:
        printed = f"{text[0]}{'.' if text[1:] else ''}{text[1:]}e{point - 1:+d}"
    return f"-{printed}" if sign else printed


def _is_index(key: str) -> bool:
    return bool(_INDEX.match(key)) and int(key) <= _LARGEST_INDEX
