"""Reading JSON that strangers wrote: strict where money and identity depend on it."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import NoReturn, TypeVar

from backend.open_payments import urls
from backend.open_payments.errors import InvalidValue

T = TypeVar("T")
JsonObject = Mapping[str, object]

TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")
TIMESTAMP = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)?", re.ASCII
)
# JSON.stringify(JSON.parse(body)) moves keys that look like array indexes to the front and
# prints larger integers differently; Rafiki checks the digest over that text.
INDEX_LIKE = re.compile(r"0|[1-9][0-9]*")
SAFE_INTEGER = 2**53 - 1


def read_json(body: bytes) -> object:
    """Parse a JSON text that is the same text to every parser.

    Raises:
        InvalidValue: not UTF-8, not JSON, NaN or an infinite number, a number of thousands of
            digits, a key twice, nested too deeply, or text that cannot be stored.
    """
    try:
        written = body.decode("utf-8")
        document = json.loads(
            written,
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse_constant,
            parse_float=_finite_float,
        )
        if "\\u" in written:
            _refuse_unstorable_text(document)
    except (ValueError, RecursionError) as error:
        raise InvalidValue(f"not an acceptable JSON document ({error})"[:300]) from error
    return document


def write_json(document: JsonObject) -> bytes:
    """Write compact UTF-8 JSON with exactly the bytes JSON.stringify would produce.

    Raises:
        InvalidValue: the document has floats, large integers, index-like keys or lone
            surrogates, which other implementations would write differently.
    """
    _check_writable(document)
    try:
        written = json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return written.encode("utf-8")
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidValue(f"cannot be written as JSON ({error})") from error


def as_object(value: object, *, what: str) -> JsonObject:
    if not isinstance(value, dict):
        raise InvalidValue(f"{what} is not an object")
    return value


def as_list(value: object, *, what: str, max_items: int = 1000) -> list[object]:
    if not isinstance(value, list):
        raise InvalidValue(f"{what} is not a list")
    if len(value) > max_items:
        raise InvalidValue(f"{what} has more than {max_items} items")
    return value


def required(document: JsonObject, name: str) -> object:
    if document.get(name) is None:
        raise InvalidValue(f"{name} is missing")
    return document[name]


def optional(document: JsonObject, name: str, read: Callable[[object], T]) -> T | None:
    """Read a field that may be absent; null, which some servers send, counts as absent."""
    value = document.get(name)
    return None if value is None else read(value)


def text(document: JsonObject, name: str) -> str:
    value = required(document, name)
    if not isinstance(value, str) or not value:
        raise InvalidValue(f"{name} is not a text")
    return value


def optional_text(document: JsonObject, name: str) -> str | None:
    value = document.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidValue(f"{name} is not a text")
    return value


def url(document: JsonObject, name: str) -> str:
    value = text(document, name)
    urls.check_url(value, what=name)
    return value


def token(document: JsonObject, name: str) -> str:
    value = text(document, name)
    check_token(value, what=name)
    return value


def check_token(value: str, *, what: str) -> None:
    if not TOKEN.fullmatch(value):
        raise InvalidValue(f"{what} does not fit into a header")


def boolean(document: JsonObject, name: str, *, default: bool | None = None) -> bool:
    value = document.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, bool):
        raise InvalidValue(f"{name} is not true or false")
    return value


def integer(document: JsonObject, name: str) -> int:
    value = required(document, name)
    if type(value) is not int:
        raise InvalidValue(f"{name} is not a whole number")
    return value


def optional_seconds(document: JsonObject, name: str) -> int | None:
    value = document.get(name)
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= SAFE_INTEGER:
        raise InvalidValue(f"{name} is not a number of seconds")
    return value


def instant(document: JsonObject, name: str) -> datetime:
    return read_instant(required(document, name))


def read_instant(value: object) -> datetime:
    """Read an RFC 3339 time. Some wallets leave the offset out; they all mean UTC."""
    if not isinstance(value, str) or not TIMESTAMP.fullmatch(value):
        raise InvalidValue("not a date and time")
    try:
        read = datetime.fromisoformat(value.upper())
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidValue("not a date and time") from error


def write_instant(value: datetime) -> str:
    if value.tzinfo is None:
        raise InvalidValue("the time has no time zone")
    precision = "milliseconds" if value.microsecond else "seconds"
    return value.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def metadata(value: object) -> JsonObject:
    return as_object(value, what="metadata")


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key appears twice")
    return document


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite_float(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise ValueError("a number is too large")
    return number


def _refuse_unstorable_text(document: object) -> None:
    # Escapes can spell lone surrogates and NUL, which no UTF-8 text or database column holds.
    plain = json.dumps(document, ensure_ascii=False).encode("utf-8")
    if b"\\u0000" in plain.replace(b"\\\\", b""):
        raise ValueError("a text contains NUL")


def _check_writable(value: object) -> None:
    match value:
        case None | str() | bool():
            return
        case int() if abs(value) <= SAFE_INTEGER:
            return
        case dict():
            for key, item in value.items():
                if not isinstance(key, str) or INDEX_LIKE.fullmatch(key):
                    raise InvalidValue(f"the key {key!r} is not written alike everywhere")
                _check_writable(item)
        case list() | tuple():
            for item in value:
                _check_writable(item)
        case _:
            raise InvalidValue(
                f"{value!r:.80} is not written alike everywhere: send texts, whole numbers up to "
                "2^53-1, true, false, lists or objects"
            )
