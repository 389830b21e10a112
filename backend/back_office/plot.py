"""A plot of days as shapes in a box of its own units; how large they are shown is the page's."""

from __future__ import annotations

from dataclasses import dataclass

from backend.back_office.flows import Day, Flow

WIDTH, HALF, STRIP = 300.0, 50.0, 40.0
GAP = 0.25
# What moved at all is seen.
LEAST = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One day: in goes up from the middle, out down."""

    day: Day
    x: str
    width: str
    in_y: str
    in_height: str
    out_height: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """All that a template needs to draw a flow."""

    flow: Flow
    bars: list[Bar]
    # Of the strip below: a line that is level for a day, and the area under it.
    line: str
    area: str
    most: str
    most_held: str
    is_held: bool
    came_in: str
    went_out: str
    held: str
    rows: list[tuple[Day, str, str, str]]


def plot(flow: Flow) -> Plot:
    """Lay a flow out: bars share one scale, what is held has its own."""
    days, write = flow.days, flow.written
    most = max((max(day.came_in, day.went_out) for day in days), default=0)
    most_held = max((day.held for day in days), default=0)
    step = WIDTH / max(1, len(days))

    def height(value: int) -> float:
        return max(LEAST, HALF * value / most) if value > 0 else 0.0

    bars = [
        Bar(
            day=day,
            x=_n(number * step + step * GAP / 2),
            width=_n(step * (1 - GAP)),
            in_y=_n(HALF - height(day.came_in)),
            in_height=_n(height(day.came_in)),
            out_height=_n(height(day.went_out)),
            says=f"{day.day.isoformat()}: +{write(day.came_in)}, -{write(day.went_out)}, "
            f"= {write(day.held)}",
        )
        for number, day in enumerate(days)
    ]
    levels = [STRIP - (STRIP - 1) * max(0, day.held) / (most_held or 1) for day in days]
    points = " ".join(
        f"{_n(number * step)},{_n(level)} {_n((number + 1) * step)},{_n(level)}"
        for number, level in enumerate(levels)
    )
    moving = [day for day in days if day.came_in or day.went_out]
    return Plot(
        flow=flow,
        bars=bars,
        line=points,
        area=f"0,{_n(STRIP)} {points} {_n(WIDTH)},{_n(STRIP)}",
        most=write(most),
        most_held=write(most_held),
        is_held=most_held > 0,
        came_in=write(sum(day.came_in for day in days)),
        went_out=write(sum(day.went_out for day in days)),
        held=write(days[-1].held if days else 0),
        rows=[(d, write(d.came_in), write(d.went_out), write(d.held)) for d in reversed(moving)],
    )


def _n(value: float) -> str:
    # Not as the language writes numbers: SVG has its own.
    return f"{value:.2f}".rstrip("0").rstrip(".")
