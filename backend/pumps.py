"""What `manage.py pump` does besides payments and jobs, for apps above the one it lives in."""

from collections.abc import Callable

# `loop` says that there will be another round: what takes long may go on behind this one. Returns
# how many things were done; while that is not 0 there is another round at once.
Pump = Callable[[bool], int]
PUMPS: list[Pump] = []


def pumped(pump: Pump) -> Pump:
    """Have `manage.py pump` call `pump(loop)` in every round."""
    PUMPS.append(pump)
    return pump
