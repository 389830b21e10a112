"""The life of an application on one screen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from backend.errors import Text, ValidationFailed
from backend.jobs.errors import WrongStatus
from backend.jobs.lifecycle.rules import Move, Obstacle, Rule, Who, following, transitions
from backend.jobs.status import ApplicationStatus, JobStatus

_S = ApplicationStatus
MOVES: tuple[Move[ApplicationStatus], ...] = (
    Move(_S.PENDING, _S.SELECTED, "decideApplications select"),
    Move(_S.PENDING, _S.REJECTED, "decideApplications reject, or work begins without them"),
    Move(_S.PENDING, _S.WITHDRAWN, "withdrawApplication"),
    Move(_S.SELECTED, _S.PENDING, "decideApplications reset"),
    Move(_S.SELECTED, _S.REJECTED, "decideApplications reject"),
    Move(_S.SELECTED, _S.WITHDRAWN, "withdrawApplication"),
    Move(_S.REJECTED, _S.PENDING, "decideApplications reset"),
    Move(_S.REJECTED, _S.SELECTED, "decideApplications select"),
    Move(_S.WITHDRAWN, _S.PENDING, "applyToJob again"),
)
TRANSITIONS = transitions(ApplicationStatus, MOVES)


class ApplicationAction(StrEnum):
    """What somebody may do with an application."""

    SELECT = "SELECT"
    REJECT = "REJECT"
    RESET = "RESET"
    WITHDRAW = "WITHDRAW"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationFacts:
    """What the rules of an application look at. `places_left`: how many more can be selected."""

    roles: frozenset[Who]
    status: str
    job_status: str
    places_left: int


def _wrong_status(action: ApplicationAction, facts: ApplicationFacts, message: Text) -> WrongStatus:
    return WrongStatus(
        message,
        action=action,
        status=facts.status,
        allowed=following(TRANSITIONS, facts.status),
        job=facts.job_status,
    )


def _rule(
    action: ApplicationAction,
    *statuses: ApplicationStatus,
    who: Who = Who.OWNER,
    obstacles: tuple[Obstacle[ApplicationFacts], ...] = (),
) -> Rule[ApplicationFacts]:
    return Rule(
        who=frozenset({who}),
        otherwise=_("Only the owner of the job can do this.")
        if who is Who.OWNER
        else _("Only the applicant can do this."),
        statuses=statuses,
        wrong_status=lambda facts: _wrong_status(
            action, facts, _("The application is {status}; {action} is not possible.")
        ),
        obstacles=(
            Obstacle(
                lambda facts: facts.job_status not in {JobStatus.RECRUITING, JobStatus.SELECTING},
                lambda facts: _wrong_status(
                    action, facts, _("The job is {job}: its applications are decided.")
                ),
            ),
            *obstacles,
        ),
    )


_A = ApplicationAction
RULES: dict[ApplicationAction, Rule[ApplicationFacts]] = {
    _A.SELECT: _rule(
        _A.SELECT,
        _S.PENDING,
        _S.REJECTED,
        obstacles=(
            Obstacle(
                lambda facts: facts.places_left < 1,
                lambda _facts: ValidationFailed(
                    _("More would be selected than the job needs workers."), path=("select",)
                ),
            ),
        ),
    ),
    _A.REJECT: _rule(_A.REJECT, _S.PENDING, _S.SELECTED),
    _A.RESET: _rule(_A.RESET, _S.SELECTED, _S.REJECTED),
    _A.WITHDRAW: _rule(_A.WITHDRAW, _S.PENDING, _S.SELECTED, who=Who.WORKER),
}
