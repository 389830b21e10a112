"""What the histories have come by: the actions and the moves of each kind, as a table."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from backend.jobs.lifecycle import application, dispute, job, submission
from backend.jobs.lifecycle.rules import Move
from tests.schema.life.doing import SAID_BY_PARTS

_ACTIONS = {
    "Job": job.JobAction,
    "Application": application.ApplicationAction,
    "Submission": submission.SubmissionAction,
    "Dispute": dispute.DisputeAction,
}
_MOVES: dict[str, tuple[Move[Any], ...]] = {
    "job": job.MOVES,
    "application": application.MOVES,
    "submission": submission.MOVES,
    "dispute": dispute.MOVES,
}


class Played:
    """Counts over all histories."""

    def __init__(self) -> None:
        self.histories = self.steps = 0
        self.offered: Counter[tuple[str, str]] = Counter()
        self.taken: Counter[tuple[str, str]] = Counter()
        self.moves: Counter[tuple[str, str, str]] = Counter()
        # What was offered, and then refused for what was in the input.
        self.refused: Counter[str] = Counter()

    def missing(self) -> list[str]:
        """The actions never taken and the moves never made."""
        return [name for name, _offered, count in self._rows() if not count]

    def table(self) -> str:
        """One line for each action and each move there is."""
        lines = [
            f"{self.histories} histories, {self.steps} steps, {sum(self.taken.values())} actions",
            f"{'':44}{'offered':>9}{'taken':>9}",
        ]
        for name, offered, count in self._rows():
            lines.append(f"{name:44}{'' if offered is None else offered:>9}{count:>9}")
        lines += [f"{name:44}{'refused':>9}{n:>9}" for name, n in sorted(self.refused.items())]
        return "\n".join(lines)

    def _rows(self) -> Iterator[tuple[str, int | None, int]]:
        for kind, actions in _ACTIONS.items():
            for action in actions:
                if (kind, action) not in SAID_BY_PARTS:
                    key = (kind, action.value)
                    yield f"{kind} {action}", self.offered[key], self.taken[key]
        for name, moves in _MOVES.items():
            for move in moves:
                count = self.moves[name, move.old.value, move.new.value]
                yield f"{name}: {move.old} → {move.new}", None, count
