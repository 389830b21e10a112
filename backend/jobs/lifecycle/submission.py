"""The life of one revision of a worker's work on one screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from backend.errors import Text
from backend.jobs.errors import WrongStatus
from backend.jobs.lifecycle.rules import Move, Obstacle, Rule, Who, following, transitions
from backend.jobs.status import JobStatus, SubmissionStatus

_S = SubmissionStatus
MOVES: tuple[Move[SubmissionStatus], ...] = (
    Move(_S.DRAFT, _S.SUBMITTED, "submitWork"),
    Move(_S.SUBMITTED, _S.ACCEPTED, "reviewSubmission ACCEPT, or reviewDays of silence"),
    Move(_S.SUBMITTED, _S.CHANGES_REQUESTED, "reviewSubmission REQUEST_CHANGES"),
    Move(_S.SUBMITTED, _S.REJECTED, "reviewSubmission REJECT, or an operator cancels the job"),
    Move(_S.CHANGES_REQUESTED, _S.ACCEPTED, "reviewSubmission ACCEPT"),
    Move(_S.CHANGES_REQUESTED, _S.REJECTED, "no revision in time, or an operator cancels the job"),
    Move(_S.REJECTED, _S.ACCEPTED, "reviewSubmission ACCEPT while it can be disputed"),
    Move(_S.REJECTED, _S.DISPUTED, "openDispute"),
    Move(_S.ACCEPTED, _S.DISPUTED, "openDispute about the rest"),
    Move(_S.DISPUTED, _S.ACCEPTED, "reviewSubmission ACCEPT, or the dispute ends with pay"),
    Move(_S.DISPUTED, _S.REJECTED, "the dispute ends without any pay"),
)
TRANSITIONS = transitions(SubmissionStatus, MOVES)


class SubmissionAction(StrEnum):
    """What somebody may do with a submission."""

    EDIT = "EDIT"
    SUBMIT = "SUBMIT"
    ACCEPT = "ACCEPT"
    REQUEST_CHANGES = "REQUEST_CHANGES"
    REJECT = "REJECT"
    ACKNOWLEDGE = "ACKNOWLEDGE"
    DISPUTE = "DISPUTE"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionFacts:
    """What the rules of a submission look at.

    `rest` is what is not accepted yet, in the asset's smallest unit. `submit_until`: the last
    moment for a draft; None when its time will not come. `review_by`: when silence accepts what
    was submitted. `dispute_until`: until when the worker
    can dispute the decision; None before it and once it is settled. `superseded`: a newer
    revision was submitted. `disputed_before`: there was a dispute about it; one is all.
    """

    roles: frozenset[Who]
    status: str
    job_status: str
    now: datetime
    rest: int
    submit_until: datetime | None = None
    review_by: datetime | None = None
    dispute_until: datetime | None = None
    superseded: bool = False
    disputed_before: bool = False

    @property
    def can_be_disputed(self) -> bool:
        """Whether the decision is not final yet."""
        return self.dispute_until is not None and self.dispute_until > self.now


def _wrong_status(action: SubmissionAction, facts: SubmissionFacts, message: Text) -> WrongStatus:
    return WrongStatus(
        message,
        action=action,
        status=facts.status,
        allowed=following(TRANSITIONS, facts.status),
        job=facts.job_status,
    )


def _obstacle(
    action: SubmissionAction,
    stands: Callable[[SubmissionFacts], bool],
    message: Text,
) -> Obstacle[SubmissionFacts]:
    return Obstacle(stands, lambda facts: _wrong_status(action, facts, message))


def _rule(
    action: SubmissionAction,
    *statuses: SubmissionStatus,
    who: Who,
    obstacles: tuple[Obstacle[SubmissionFacts], ...] = (),
) -> Rule[SubmissionFacts]:
    return Rule(
        who=frozenset({who}),
        otherwise=_("Only the owner of the job can do this.")
        if who is Who.OWNER
        else _("Only the worker whose work it is can do this."),
        statuses=statuses,
        wrong_status=lambda facts: _wrong_status(
            action, facts, _("The submission is {status}; {action} is not possible.")
        ),
        obstacles=(
            _obstacle(
                action,
                lambda facts: facts.job_status not in {JobStatus.SUBMITTING, JobStatus.REVIEWING},
                _("The job is {job}: nothing can happen to its submissions."),
            ),
            _obstacle(
                action,
                lambda facts: facts.superseded,
                _("A newer revision of this work was submitted; decide about that one."),
            ),
            *obstacles,
        ),
    )


def _in_time(action: SubmissionAction) -> Obstacle[SubmissionFacts]:
    return _obstacle(
        action,
        lambda facts: facts.submit_until is None or facts.submit_until <= facts.now,
        _("The time for handing in this work is over."),
    )


def _decision_is_open(action: SubmissionAction) -> Obstacle[SubmissionFacts]:
    return _obstacle(
        action,
        lambda facts: (
            facts.status in {_S.ACCEPTED, _S.REJECTED}
            and not (facts.rest > 0 and facts.can_be_disputed)
        ),
        _("The submission is {status}, and that is final."),
    )


def _before_silence_accepts(action: SubmissionAction) -> Obstacle[SubmissionFacts]:
    return _obstacle(
        action,
        lambda facts: facts.review_by is not None and facts.review_by <= facts.now,
        _("The time for the review is over: silence has accepted this work."),
    )


_A = SubmissionAction
RULES: dict[SubmissionAction, Rule[SubmissionFacts]] = {
    _A.EDIT: _rule(_A.EDIT, _S.DRAFT, who=Who.WORKER, obstacles=(_in_time(_A.EDIT),)),
    _A.SUBMIT: _rule(_A.SUBMIT, _S.DRAFT, who=Who.WORKER, obstacles=(_in_time(_A.SUBMIT),)),
    _A.ACCEPT: _rule(
        _A.ACCEPT,
        _S.SUBMITTED,
        _S.CHANGES_REQUESTED,
        _S.ACCEPTED,
        _S.REJECTED,
        _S.DISPUTED,
        who=Who.OWNER,
        obstacles=(_decision_is_open(_A.ACCEPT),),
    ),
    _A.REQUEST_CHANGES: _rule(
        _A.REQUEST_CHANGES,
        _S.SUBMITTED,
        who=Who.OWNER,
        obstacles=(_before_silence_accepts(_A.REQUEST_CHANGES),),
    ),
    _A.REJECT: _rule(
        _A.REJECT,
        _S.SUBMITTED,
        who=Who.OWNER,
        obstacles=(_before_silence_accepts(_A.REJECT),),
    ),
    _A.ACKNOWLEDGE: _rule(
        _A.ACKNOWLEDGE,
        _S.ACCEPTED,
        _S.REJECTED,
        who=Who.WORKER,
        obstacles=(_decision_is_open(_A.ACKNOWLEDGE),),
    ),
    _A.DISPUTE: _rule(
        _A.DISPUTE,
        _S.ACCEPTED,
        _S.REJECTED,
        who=Who.WORKER,
        obstacles=(
            _decision_is_open(_A.DISPUTE),
            _obstacle(
                _A.DISPUTE,
                lambda facts: facts.disputed_before,
                _("There was a dispute about this submission already."),
            ),
        ),
    ),
}
