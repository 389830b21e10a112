"""The life of a dispute on one screen. Its end is what the money follows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from backend.errors import Text
from backend.jobs.errors import WrongStatus
from backend.jobs.lifecycle.rules import Move, Obstacle, Rule, Who, following, transitions
from backend.jobs.status import DisputeStatus

_S = DisputeStatus
MOVES: tuple[Move[DisputeStatus], ...] = (
    Move(_S.OPEN, _S.RESPONDED, "respondToDispute"),
    Move(_S.OPEN, _S.RESOLVED, "the owner's silence, or reviewSubmission ACCEPT"),
    Move(_S.OPEN, _S.WITHDRAWN, "withdrawDispute"),
    Move(_S.RESPONDED, _S.ESCALATED, "escalateDispute"),
    Move(_S.RESPONDED, _S.RESOLVED, "resolveDispute, or reviewSubmission ACCEPT"),
    Move(_S.RESPONDED, _S.WITHDRAWN, "the worker's silence, or withdrawDispute"),
    Move(_S.ESCALATED, _S.RESOLVED, "resolveDispute, or reviewSubmission ACCEPT"),
    Move(_S.ESCALATED, _S.WITHDRAWN, "withdrawDispute"),
)
TRANSITIONS = transitions(DisputeStatus, MOVES)


class DisputeAction(StrEnum):
    """What somebody may do with a dispute."""

    RESPOND = "RESPOND"
    ESCALATE = "ESCALATE"
    WITHDRAW = "WITHDRAW"
    RESOLVE = "RESOLVE"


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeFacts:
    """What the rules of a dispute look at. `answer_by`: when silence decides it.

    An operator who is a party to it has not that role.
    """

    roles: frozenset[Who]
    status: str
    now: datetime
    answer_by: datetime | None = None


def _wrong_status(action: DisputeAction, facts: DisputeFacts, message: Text) -> WrongStatus:
    return WrongStatus(
        message,
        action=action,
        status=facts.status,
        allowed=following(TRANSITIONS, facts.status),
    )


def _rule(
    action: DisputeAction,
    *statuses: DisputeStatus,
    who: Who,
    otherwise: Text,
    obstacles: tuple[Obstacle[DisputeFacts], ...] = (),
) -> Rule[DisputeFacts]:
    return Rule(
        who=frozenset({who}),
        otherwise=otherwise,
        statuses=statuses,
        wrong_status=lambda facts: _wrong_status(
            action, facts, _("The dispute is {status}; {action} is not possible.")
        ),
        obstacles=obstacles,
    )


def _in_time(action: DisputeAction) -> Obstacle[DisputeFacts]:
    return Obstacle(
        lambda facts: facts.answer_by is not None and facts.answer_by <= facts.now,
        lambda facts: _wrong_status(
            action, facts, _("The dispute is {status}, and the time to answer is over.")
        ),
    )


_A = DisputeAction
RULES: dict[DisputeAction, Rule[DisputeFacts]] = {
    _A.RESPOND: _rule(
        _A.RESPOND,
        _S.OPEN,
        who=Who.OWNER,
        otherwise=_("Only the owner of the job can respond."),
        obstacles=(_in_time(_A.RESPOND),),
    ),
    _A.ESCALATE: _rule(
        _A.ESCALATE,
        _S.RESPONDED,
        who=Who.WORKER,
        otherwise=_("Only the worker who opened the dispute can do this."),
        obstacles=(_in_time(_A.ESCALATE),),
    ),
    _A.WITHDRAW: _rule(
        _A.WITHDRAW,
        _S.OPEN,
        _S.RESPONDED,
        _S.ESCALATED,
        who=Who.WORKER,
        otherwise=_("Only the worker who opened the dispute can do this."),
    ),
    _A.RESOLVE: _rule(
        _A.RESOLVE,
        _S.RESPONDED,
        _S.ESCALATED,
        who=Who.OPERATOR,
        otherwise=_("Only an operator who is no party to the dispute can do this."),
    ),
}
