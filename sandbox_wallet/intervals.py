"""ISO 8601 repeating intervals as grants use them: `R11/2026-12-01T00:00:00Z/P1M`.

`Rn` allows n + 1 periods (the first and n repetitions), as Rafiki counts them; `R` and `R-1`
never end. Periods are half open and in UTC.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime, timedelta

from sandbox_wallet.clock import SECOND, parse_iso, to_datetime, to_micros

_DURATION = re.compile(
    r"P(?=\d|T\d)(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,5})W)?(?:(\d{1,6})D)?"
    r"(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,8})S)?)?\Z"
)
_REPEAT = re.compile(r"R(-1|\d{1,9})?\Z")


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time: months differ in length, so they are kept apart from seconds."""

    months: int
    seconds: int

    def after(self, start: int) -> int:
        """Return the instant this long after `start`, on the last day of shorter months."""
        return _add_months(start, self.months) + self.seconds * SECOND

    def before(self, end: int) -> int:
        """Return the instant this long before `end`."""
        return _add_months(end, -self.months) - self.seconds * SECOND


@dataclass(frozen=True, slots=True)
class Interval:
    """A repeating interval; `repeats` None is for ever."""

    start: int
    duration: Duration
    repeats: int | None

    def period_at(self, now: int) -> tuple[int, int] | None:
        """Return start and end of the period that contains `now`, or None outside of all."""
        if now < self.start:
            return None
        if self.duration.months == 0:
            length = self.duration.seconds * SECOND
            index = (now - self.start) // length
            start = self.start + index * length
            return (start, start + length) if self._allows(index) else None
        # Each period begins where the one before ended, so 31 January drifts to the 28th.
        index, start = 0, self.start
        while (end := self.duration.after(start)) <= now:
            index, start = index + 1, end
        return (start, end) if self._allows(index) else None

    def _allows(self, index: int) -> bool:
        return self.repeats is None or index <= self.repeats


def parse_interval(text: object) -> Interval | None:
    """Return the interval written in `text`, or None when it is not one."""
    parts = text.split("/") if isinstance(text, str) else []
    if len(parts) != 3 or not (repeat := _REPEAT.match(parts[0])):
        return None
    repeats = None if repeat[1] in (None, "-1") else int(repeat[1])
    try:
        return _from_parts(parts[1], parts[2], repeats)
    except (OverflowError, ValueError):
        return None


def _from_parts(first: str, second: str, repeats: int | None) -> Interval | None:
    start, end = parse_iso(first), parse_iso(second)
    if start is not None and (duration := parse_duration(second)) is not None:
        return Interval(start, duration, repeats)
    if end is not None and (duration := parse_duration(first)) is not None:
        return Interval(duration.before(end), duration, repeats)
    if start is not None and end is not None and end - start >= SECOND:
        return Interval(start, Duration(0, (end - start) // SECOND), repeats)
    return None


def parse_duration(text: str) -> Duration | None:
    """Return the ISO 8601 duration in `text`, or None when it is not one or is empty."""
    if not (found := _DURATION.match(text)):
        return None
    years, months, weeks, days, hours, minutes, seconds = (
        int(part or 0) for part in found.groups()
    )
    total = ((weeks * 7 + days) * 24 + hours) * 3600 + minutes * 60 + seconds
    duration = Duration(years * 12 + months, total)
    return duration if duration.months or duration.seconds else None


def _add_months(micros: int, months: int) -> int:
    if months == 0:
        return micros
    moment = to_datetime(micros)
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    year = min(year, MAXYEAR)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    rest = moment - datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return to_micros(datetime(year, month + 1, day, tzinfo=UTC)) + rest // timedelta(microseconds=1)
