"""Instants as microseconds since 1970 in UTC: they sort, add and store without surprises."""

from datetime import UTC, datetime, timedelta

SECOND = 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_micros(moment: datetime) -> int:
    """Return `moment`, which must be aware, in microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def to_datetime(micros: int) -> datetime:
    """Return the aware UTC datetime of `micros`."""
    return EPOCH + timedelta(microseconds=micros)


def iso(micros: int) -> str:
    """Return `micros` in the form wallets print: UTC with milliseconds and a Z."""
    return to_datetime(micros).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_iso(text: object) -> int | None:
    """Return the instant written in `text`, or None when it is not an RFC 3339 date-time."""
    if not isinstance(text, str) or "T" not in text.upper():
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else to_micros(moment)
