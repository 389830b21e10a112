"""When a delivery that failed is tried again, and when an endpoint is given up."""

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_HOUR = 3600.0
# Before the first attempt, the second, and so on: 75 hours and a half in all.
PAUSES_SECONDS = (
    0.0,
    5.0,
    300.0,
    1800.0,
    2 * _HOUR,
    5 * _HOUR,
    10 * _HOUR,
    14 * _HOUR,
    20 * _HOUR,
    24 * _HOUR,
)
JITTER = 0.2
# Nothing was taken for so long: the endpoint is switched off and its owner told.
DISABLED_AFTER = timedelta(days=5)
LONGEST_RETRY_AFTER_SECONDS = 24 * _HOUR
# The endpoint's host rests or is busy with other calls of ours: that says nothing about it.
NOT_TRIED_SECONDS = 15.0
ASKS_FOR_TIME = frozenset({429, 503})


def next_pause(*, failures: int, asked_seconds: float, rng: random.Random) -> timedelta | None:
    """How long to wait after so many failures in a row; None: that was the last attempt.

    `asked_seconds` is what the endpoint asked for, 0 if nothing.
    """
    if failures >= len(PAUSES_SECONDS):
        return None
    pause = PAUSES_SECONDS[failures] * rng.uniform(1 - JITTER, 1 + JITTER)
    return timedelta(seconds=max(pause, min(asked_seconds, LONGEST_RETRY_AFTER_SECONDS)))


def retry_after_seconds(headers: Mapping[str, str], *, now: datetime) -> float:
    """What a Retry-After header asks for; 0 without a usable one."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit() and len(value) <= 9:
        return float(value)
    try:
        at = parsedate_to_datetime(value)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return max(0.0, (at - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return 0.0
