"""The shape of the tables in this package, and how they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from backend.errors import FaenaError, Forbidden, Text


class Who(StrEnum):
    """What somebody is to a job or its part. One person can be several."""

    OWNER = "OWNER"  # of the job
    WORKER = "WORKER"  # whose application, submission or dispute it is; of a job: is selected
    PAYER = "PAYER"  # of a funding
    OTHER = "OTHER"  # logged in, and not the owner
    OPERATOR = "OPERATOR"


class Facts(Protocol):
    """What every rule looks at."""

    @property
    def roles(self) -> frozenset[Who]: ...
    @property
    def status(self) -> str: ...


S = TypeVar("S", bound=StrEnum)
A = TypeVar("A", bound=StrEnum)
F = TypeVar("F", bound=Facts)


@dataclass(frozen=True, slots=True)
class Move(Generic[S]):
    """One arrow of the diagram; `by` is the mutation, or what else makes it happen."""

    old: S
    new: S
    by: str


@dataclass(frozen=True, slots=True)
class Obstacle(Generic[F]):
    """Something besides person and status that stands in the way of an action."""

    stands: Callable[[F], bool]
    refusal: Callable[[F], FaenaError]


@dataclass(frozen=True, slots=True)
class Rule(Generic[F]):
    """Who may do an action, in which statuses, and what must not stand in its way.

    `otherwise` is the sentence for everybody else, `wrong_status` makes the refusal for another
    status.
    """

    who: frozenset[Who]
    otherwise: Text
    statuses: tuple[str, ...]
    wrong_status: Callable[[F], FaenaError]
    obstacles: tuple[Obstacle[F], ...] = ()

    def permits(self, facts: F) -> bool:
        """Whether this may be done now; `refusal` says why not."""
        return (
            facts.status in self.statuses
            and not self.who.isdisjoint(facts.roles)
            and not any(obstacle.stands(facts) for obstacle in self.obstacles)
        )

    def refusal(self, facts: F) -> FaenaError | None:
        """Why this may not be done now; None when it may."""
        if not self.who & facts.roles:
            return Forbidden(self.otherwise)
        if facts.status not in self.statuses:
            return self.wrong_status(facts)
        for obstacle in self.obstacles:
            if obstacle.stands(facts):
                return obstacle.refusal(facts)
        return None


def transitions(statuses: type[S], moves: Iterable[Move[S]]) -> dict[S, frozenset[S]]:
    """Where each status can go."""
    listed = list(moves)
    return {
        status: frozenset(move.new for move in listed if move.old is status) for status in statuses
    }


def following(moves: Mapping[S, frozenset[S]], status: str) -> tuple[str, ...]:
    """Where a status can go, in order; nowhere, where a newer release wrote it."""
    return tuple(sorted(new for old, news in moves.items() if old == status for new in news))


def require(rules: Mapping[A, Rule[F]], action: A, facts: F) -> None:
    """Pass silently when `action` may be done.

    Raises:
        Forbidden: it is not this person's to do.
        WrongStatus: the status, or a deadline in it, does not allow it.
        FaenaError: one of the action's other obstacles, with its own code.
    """
    if refusal := rules[action].refusal(facts):
        raise refusal


def allowed(rules: Mapping[A, Rule[F]], facts: F) -> list[A]:
    """The actions that may be done, in the order of the table."""
    return [action for action, rule in rules.items() if rule.permits(facts)]
