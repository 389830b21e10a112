"""When people are reminded of a deadline that nobody has met yet."""

from collections.abc import Iterable
from datetime import datetime, timedelta

REMINDED_BEFORE = (timedelta(hours=72), timedelta(hours=24))


def reminders_of(deadline: datetime | None) -> list[datetime]:
    """The instants at which people are told that `deadline` is near; empty for none."""
    return [] if deadline is None else [deadline - before for before in REMINDED_BEFORE]


def next_step(
    deadlines: Iterable[datetime | None], *, reminded: bool, now: datetime
) -> datetime | None:
    """The next of these deadlines, or of their reminders if there are any; None without deadlines.

    When every deadline has passed, the last one still wants to be acted on.
    """
    known = sorted(at for at in deadlines if at is not None)
    reminders = [each for at in known for each in reminders_of(at)] if reminded else []
    ahead = (at for at in sorted([*known, *reminders]) if at > now)
    return next(ahead, known[-1] if known else None)
