"""The crash matrix: every crash point × every wallet call × every kind of fault × temperament."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.simulation.simulator import Simulation, Verdict

CALLS = (
    "request-grant:incoming-payment",
    "create-incoming-payment",
    "request-grant:quote",
    "create-quote",
    "request-grant:outgoing-payment",
    "continue-grant",
    "create-outgoing-payment",
    "get-public-incoming-payment",
)
FAULTS: dict[str, dict[str, Any]] = {
    "before_5xx": {"when": "before", "act": "status_500_text"},
    "before_reset": {"when": "before", "act": "reset"},
    "before_timeout": {"when": "before", "act": "silence", "seconds": 30},
    "after_5xx": {"when": "after", "act": "status_502_html"},
    "after_reset": {"when": "after", "act": "reset"},
    "after_timeout": {"when": "after", "act": "silence", "seconds": 30},
    "after_garbage": {"when": "after", "act": "garbage"},
    "late": {"when": "late", "act": "silence", "seconds": 10, "late_s": 45},
}
TEMPERAMENTS = ("strict", "loose")


@dataclass(frozen=True, slots=True)
class Case:
    """One cell of the matrix. `point` None means that nobody crashes."""

    temperament: str
    call: str
    fault: str
    point: int | None

    def play(self) -> Verdict:
        """Play this case in a fresh world; the same case always plays the same history."""
        simulation = Simulation(temperament=self.temperament, seed=hash_of(self))
        simulation.fault(call=self.call, **FAULTS[self.fault])
        return simulation.run(crash=lambda index: index == self.point)

    def __str__(self) -> str:
        return f"{self.temperament}/{self.call}/{self.fault}/{self.point}"

    @classmethod
    def parse(cls, text: str) -> "Case":
        """The case that `str` wrote."""
        temperament, call, fault, point = text.split("/")
        return cls(temperament, call, fault, None if point == "None" else int(point))


def hash_of(case: Case) -> int:
    """A seed of the case that does not depend on the process."""
    return random.Random(str(case)).getrandbits(32)


def happy_points(temperament: str) -> int:
    """How many crash points a payment passes when nothing goes wrong."""
    simulation = Simulation(temperament=temperament)
    return simulation.run().points


def every_case(points: dict[str, int]) -> Iterator[Case]:
    """All cells, those without a crash included."""
    for temperament, call, fault in itertools.product(TEMPERAMENTS, CALLS, FAULTS):
        for point in [None, *range(points[temperament])]:
            yield Case(temperament, call, fault, point)


def sample(cases: list[Case], *, size: int, seed: int) -> list[Case]:
    """A part of the matrix that the seed decides; each cell has the same chance."""
    return random.Random(seed).sample(cases, min(size, len(cases)))
