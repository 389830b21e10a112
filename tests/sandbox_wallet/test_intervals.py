from datetime import datetime

import pytest

from sandbox_wallet.clock import to_datetime, to_micros
from sandbox_wallet.intervals import parse_interval


def period(text: str, moment: str) -> tuple[str, str] | None:
    interval = parse_interval(text)
    assert interval is not None
    found = interval.period_at(to_micros(datetime.fromisoformat(moment)))
    if found is None:
        return None
    start, end = (to_datetime(one).strftime("%Y-%m-%dT%H:%M") for one in found)
    return start, end


@pytest.mark.parametrize(
    ("text", "moment", "expected"),
    [
        (
            "R/2026-01-01T00:00:00Z/P1D",
            "2025-12-31T23:59:59Z",
            None,
        ),
        (
            "R/2026-01-01T00:00:00Z/P1D",
            "2026-01-01T00:00:00Z",
            ("2026-01-01T00:00", "2026-01-02T00:00"),
        ),
        (
            "R-1/2026-01-01T00:00:00Z/P1D",
            "2036-01-01T12:00:00Z",
            ("2036-01-01T00:00", "2036-01-02T00:00"),
        ),
        (
            "R0/2026-01-01T00:00:00Z/P90D",
            "2026-03-31T23:59:59Z",
            ("2026-01-01T00:00", "2026-04-01T00:00"),
        ),
        (
            "R0/2026-01-01T00:00:00Z/P90D",
            "2026-04-01T00:00:00Z",
            None,
        ),
        (
            "R11/2026-01-01T00:00:00Z/P1M",
            "2026-12-31T00:00:00Z",
            ("2026-12-01T00:00", "2027-01-01T00:00"),
        ),
        (
            "R11/2026-01-01T00:00:00Z/P1M",
            "2027-01-01T00:00:00Z",
            None,
        ),
        (
            "R/2026-01-31T00:00:00Z/P1M",
            "2026-02-28T00:00:00Z",
            ("2026-02-28T00:00", "2026-03-28T00:00"),
        ),
        (
            "R/2024-02-29T00:00:00Z/P1Y",
            "2025-02-28T00:00:00Z",
            ("2025-02-28T00:00", "2026-02-28T00:00"),
        ),
        (
            "R/P1W/2026-01-08T00:00:00Z",
            "2026-01-09T00:00:00Z",
            ("2026-01-08T00:00", "2026-01-15T00:00"),
        ),
        (
            "R/P1M/2026-03-31T00:00:00Z",
            "2026-03-01T00:00:00Z",
            ("2026-02-28T00:00", "2026-03-28T00:00"),
        ),
        (
            "R1/2026-01-01T00:00:00Z/2026-01-01T06:00:00Z",
            "2026-01-01T07:00:00Z",
            ("2026-01-01T06:00", "2026-01-01T12:00"),
        ),
        (
            "R/2026-01-01T02:00:00+02:00/PT36H",
            "2026-01-02T13:00:00Z",
            ("2026-01-02T12:00", "2026-01-04T00:00"),
        ),
    ],
)
def test_periods_are_half_open_and_repeat_n_more_times(
    text: str, moment: str, expected: tuple[str, str] | None
) -> None:
    assert period(text, moment) == expected


@pytest.mark.parametrize(
    "text",
    [
        "monthly",
        "R/2026-01-01T00:00:00Z",
        "P1M/2026-01-01T00:00:00Z/P1M",
        "R/2026-01-01T00:00:00/P1M",
        "R/2026-01-01/P1M",
        "R/2026-01-01T00:00:00Z/P",
        "R/2026-01-01T00:00:00Z/PT",
        "R/2026-01-01T00:00:00Z/P0D",
        "R/2026-01-01T00:00:00Z/2026-01-01T00:00:00Z",
        "R-2/2026-01-01T00:00:00Z/P1D",
        "R/P1M/P1M",
        "R/P9999Y/2026-01-01T00:00:00Z",
        "R1/2026-01-01T00:00:00Z/P1D/",
        None,
        5,
    ],
)
def test_what_is_no_interval_is_not_understood(text: object) -> None:
    assert parse_interval(text) is None
