"""What `manage.py pump` does besides payments and jobs, for apps above the one it lives in."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

log = logging.getLogger(__name__)

# `loop` says that there will be another round: what takes long may go on behind this one. Returns
# how many things were done; while that is not 0 there is another round at once.
Pump = Callable[[bool], int]
PUMPS: list[Pump] = []

# What beat asks for once a night. Each is safe to lose and to repeat.
NIGHTLY: list[Callable[[], object]] = []
# When the first of them is, in UTC.
NIGHT = timedelta(hours=3, minutes=10)
Task = TypeVar("Task", bound=Callable[[], object])


def pumped(pump: Pump) -> Pump:
    """Have `manage.py pump` call `pump(loop)` in every round."""
    PUMPS.append(pump)
    return pump


def nightly(task: Task) -> Task:
    """Have `manage.py pump --loop` call `task()` once a night, as beat does."""
    NIGHTLY.append(task)
    return task


class Nights:
    """When the work of the next night is due. One that nobody was up in is not made up for."""

    def __init__(self, *, now: datetime) -> None:
        self._due_at = _next_night(now)

    def one_has_come(self, *, now: datetime) -> bool:
        """Whether it is due, once a night."""
        if now < self._due_at:
            return False
        self._due_at = _next_night(now)
        return True


def _next_night(now: datetime) -> datetime:
    tonight = now.replace(hour=0, minute=0, second=0, microsecond=0) + NIGHT
    return tonight if now < tonight else tonight + timedelta(days=1)


def work_of_the_night() -> bool:
    """Do everything NIGHTLY, one after the other; False: there is no more of it."""
    for task in NIGHTLY:
        try:
            task()
        except Exception:
            log.exception("%s was broken off; the next night does it again", task)
    return False
