"""What a benchmark reports, and how it is shown."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure beside its baseline.

    The aim is a bound of the ratio, or of `ours` itself where there is no baseline. Without any
    aim the row only informs.
    """

    name: str
    unit: str
    ours: float
    baseline: float | None = None
    at_most: float | None = None
    at_least: float | None = None

    @property
    def ratio(self) -> float | None:
        """Ours divided by the baseline; None without one."""
        return None if self.baseline is None else self.ours / self.baseline

    @property
    def met(self) -> bool | None:
        """Whether the aim is reached; None without one."""
        judged = self.ours if self.ratio is None else self.ratio
        if self.at_most is not None:
            return judged <= self.at_most
        if self.at_least is not None:
            return judged >= self.at_least
        return None

    @property
    def aim(self) -> str:
        """The aim as people write it."""
        unit = f" {self.unit}" if self.baseline is None else " ×"
        if self.at_most is not None:
            return f"≤ {self.at_most:g}{unit}"
        if self.at_least is not None:
            return f"≥ {self.at_least:g}{unit}"
        return ""

    def to_json(self) -> dict[str, Any]:
        """The row as JSON, with what is computed."""
        return {
            "name": self.name,
            "unit": self.unit,
            "ours": self.ours,
            "baseline": self.baseline,
            "ratio": self.ratio,
            "aim": self.aim,
            "met": self.met,
        }


def percentile(values: Iterable[float], part: float) -> float:
    """The smallest value that at least `part` (0 to 1) of `values` do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]


def table(rows: Sequence[Row]) -> str:
    """Lay the rows out for a terminal."""
    lines = [("", "ours", "baseline", "ratio", "aim", "")]
    lines += [
        (
            row.name,
            f"{_short(row.ours)} {row.unit}",
            "" if row.baseline is None else f"{_short(row.baseline)} {row.unit}",
            "" if row.ratio is None else f"{row.ratio:.2f} ×",
            row.aim,
            {True: "met", False: "missed", None: ""}[row.met],
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(6)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in (0, 5) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
