"""The life of a job on one screen: where it may go, and who may do what on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from backend.errors import Text, ValidationFailed
from backend.jobs.errors import NoSelectedWorkers, WrongStatus
from backend.jobs.lifecycle.rules import Move, Obstacle, Rule, Who, following, transitions
from backend.jobs.status import ApplicationStatus, JobStatus

_S = JobStatus
MOVES: tuple[Move[JobStatus], ...] = (
    Move(_S.DRAFT, _S.RECRUITING, "publishJob"),
    Move(_S.DRAFT, _S.CANCELED, "cancelJob"),
    Move(_S.RECRUITING, _S.SELECTING, "limit, recruitUntil, closeRecruiting or funding"),
    Move(_S.RECRUITING, _S.EXPIRED, "recruitUntil without applications, expiresAt"),
    Move(_S.RECRUITING, _S.CANCELED, "cancelJob"),
    Move(_S.SELECTING, _S.RECRUITING, "reopenRecruiting"),
    Move(_S.SELECTING, _S.SUBMITTING, "pay of the selected is secured"),
    Move(_S.SELECTING, _S.EXPIRED, "expiresAt"),
    Move(_S.SELECTING, _S.CANCELED, "cancelJob"),
    Move(_S.SUBMITTING, _S.REVIEWING, "all have submitted, or submitUntil with work"),
    Move(_S.SUBMITTING, _S.EXPIRED, "expiresAt without work"),
    Move(_S.SUBMITTING, _S.CANCELED, "cancelJob"),
    Move(_S.REVIEWING, _S.COMPLETE, "all accepted in full, completeJob, or reviewDays of silence"),
    Move(_S.REVIEWING, _S.CANCELED, "cancelJob"),
)
TRANSITIONS = transitions(JobStatus, MOVES)
FINAL = frozenset(status for status, following in TRANSITIONS.items() if not following)


class JobAction(StrEnum):
    """What somebody may do with a job."""

    EDIT = "EDIT"
    PUBLISH = "PUBLISH"
    DUPLICATE = "DUPLICATE"
    APPLY = "APPLY"
    CLOSE_RECRUITING = "CLOSE_RECRUITING"
    REOPEN = "REOPEN"
    EXTEND = "EXTEND"
    SELECT = "SELECT"
    FUND = "FUND"
    PRE_FUND = "PRE_FUND"
    SUBMIT = "SUBMIT"
    REVIEW = "REVIEW"
    COMPLETE = "COMPLETE"
    CANCEL = "CANCEL"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFacts:
    """What the rules of a job look at, as one person sees it at one moment.

    `applications` were not withdrawn; `application` is the viewer's own. `submit_until` is the
    last moment for the viewer's own work; None when it is not theirs to hand in. `undecided` and
    `contested` count the submissions that wait for the owner, or that the worker disputes or
    still can; `silent` those that the owner's silence has accepted, though the clock has not come
    by yet. `money_moving`: a payment for the job is on its way.

    An operator who owns the job or works on it has not that role.
    """

    roles: frozenset[Who]
    status: str
    now: datetime
    recruit_until: datetime | None = None
    expires_at: datetime | None = None
    application: ApplicationStatus | None = None
    applications: int = 0
    selected: int = 0
    submit_until: datetime | None = None
    undecided: int = 0
    reviewable: int = 0
    contested: int = 0
    silent: int = 0
    money_moving: bool = False


def wrong_status(
    facts: JobFacts, action: JobAction, message: Text, **values: object
) -> WrongStatus:
    """The refusal that says where the job is and where it can go."""
    return WrongStatus(
        message,
        action=action,
        status=facts.status,
        allowed=following(TRANSITIONS, facts.status),
        **values,
    )


ONLY_OWNER = _("Only the owner of the job can do this.")


def _rule(
    action: JobAction,
    *,
    statuses: tuple[JobStatus, ...],
    who: frozenset[Who] = frozenset({Who.OWNER}),
    otherwise: Text = ONLY_OWNER,
    obstacles: tuple[Obstacle[JobFacts], ...] = (),
) -> Rule[JobFacts]:
    needed = ", ".join(statuses)
    return Rule(
        who=who,
        otherwise=otherwise,
        statuses=statuses,
        wrong_status=lambda facts: wrong_status(
            facts, action, _("The job is {status}. {action} is for: {needed}."), needed=needed
        ),
        obstacles=obstacles,
    )


def _obstacle(
    action: JobAction, stands: Callable[[JobFacts], bool], message: Text
) -> Obstacle[JobFacts]:
    return Obstacle(stands, lambda facts: wrong_status(facts, action, message))


def recruiting_is_over(facts: JobFacts) -> bool:
    """Whether the deadline has passed. It holds at its very second, moved or not."""
    return facts.recruit_until is not None and facts.recruit_until <= facts.now


_A = JobAction
_OPEN = (_S.DRAFT, _S.RECRUITING, _S.SELECTING, _S.SUBMITTING, _S.REVIEWING)


def _no_money_moving(action: JobAction) -> Obstacle[JobFacts]:
    return _obstacle(
        action,
        lambda facts: facts.money_moving,
        _("The job is {status}, and a payment for it is on its way. Wait for its end."),
    )


def _not_expired(action: JobAction) -> Obstacle[JobFacts]:
    return _obstacle(
        action,
        lambda facts: facts.expires_at is not None and facts.expires_at <= facts.now,
        _("The job is {status}, and it has expired."),
    )


def _nothing_contested(action: JobAction) -> Obstacle[JobFacts]:
    return _obstacle(
        action,
        lambda facts: facts.contested > 0,
        _("The job is {status}, and a worker disputes a decision, or still can."),
    )


RULES: dict[JobAction, Rule[JobFacts]] = {
    _A.EDIT: _rule(_A.EDIT, statuses=(_S.DRAFT, _S.RECRUITING)),
    _A.PUBLISH: _rule(_A.PUBLISH, statuses=(_S.DRAFT,)),
    _A.DUPLICATE: _rule(_A.DUPLICATE, statuses=tuple(JobStatus)),
    _A.APPLY: _rule(
        _A.APPLY,
        who=frozenset({Who.OTHER}),
        otherwise=_("Nobody can apply to a job of their own."),
        statuses=(_S.RECRUITING,),
        obstacles=(
            _obstacle(
                _A.APPLY,
                recruiting_is_over,
                _("The job is {status}, but its time for applications is over."),
            ),
            Obstacle(
                lambda facts: facts.application not in {None, ApplicationStatus.WITHDRAWN},
                lambda _facts: ValidationFailed(
                    _("You have applied to this job already."), path=("jobId",)
                ),
            ),
        ),
    ),
    _A.CLOSE_RECRUITING: _rule(
        _A.CLOSE_RECRUITING,
        statuses=(_S.RECRUITING,),
        obstacles=(
            _obstacle(
                _A.CLOSE_RECRUITING,
                lambda facts: facts.applications == 0,
                _("The job is {status}, and nobody has applied: there is nobody to select."),
            ),
        ),
    ),
    _A.REOPEN: _rule(_A.REOPEN, statuses=(_S.SELECTING,), obstacles=(_no_money_moving(_A.REOPEN),)),
    _A.EXTEND: _rule(_A.EXTEND, statuses=(_S.RECRUITING, _S.SELECTING, _S.SUBMITTING)),
    _A.SELECT: _rule(_A.SELECT, statuses=(_S.RECRUITING, _S.SELECTING)),
    _A.FUND: _rule(
        _A.FUND, statuses=(_S.RECRUITING, _S.SELECTING), obstacles=(_not_expired(_A.FUND),)
    ),
    _A.PRE_FUND: _rule(
        _A.PRE_FUND,
        statuses=(_S.RECRUITING, _S.SELECTING),
        obstacles=(
            _not_expired(_A.PRE_FUND),
            Obstacle(lambda facts: facts.selected == 0, lambda _facts: NoSelectedWorkers()),
        ),
    ),
    _A.SUBMIT: _rule(
        _A.SUBMIT,
        who=frozenset({Who.WORKER}),
        otherwise=_("Only somebody who is selected for the job can hand in work."),
        statuses=(_S.SUBMITTING, _S.REVIEWING),
        obstacles=(
            _obstacle(
                _A.SUBMIT,
                lambda facts: facts.submit_until is None,
                _("The job is {status}, and your work on it is not yours to change now."),
            ),
            _obstacle(
                _A.SUBMIT,
                lambda facts: facts.submit_until is not None and facts.submit_until <= facts.now,
                _("The job is {status}, but the time for your work on it is over."),
            ),
        ),
    ),
    _A.REVIEW: _rule(
        _A.REVIEW,
        statuses=(_S.SUBMITTING, _S.REVIEWING),
        obstacles=(
            _obstacle(
                _A.REVIEW,
                lambda facts: facts.reviewable == 0,
                _("The job is {status}, and no work waits for a decision."),
            ),
        ),
    ),
    _A.COMPLETE: _rule(
        _A.COMPLETE,
        statuses=(_S.REVIEWING,),
        obstacles=(
            _no_money_moving(_A.COMPLETE),
            _obstacle(
                _A.COMPLETE,
                lambda facts: facts.undecided > 0,
                _("The job is {status}, and work waits for a decision or a revision."),
            ),
            _nothing_contested(_A.COMPLETE),
        ),
    ),
    _A.CANCEL: _rule(
        _A.CANCEL,
        who=frozenset({Who.OWNER, Who.OPERATOR}),
        otherwise=_("Only the owner of the job or an operator can cancel it."),
        statuses=_OPEN,
        obstacles=(
            _no_money_moving(_A.CANCEL),
            _obstacle(
                _A.CANCEL,
                # An operator ends jobs whose owner has gone: the work counts as rejected.
                lambda facts: facts.undecided > 0 and Who.OPERATOR not in facts.roles,
                _("The job is {status}, and work waits for a decision or a revision."),
            ),
            _obstacle(
                _A.CANCEL,
                lambda facts: facts.silent > 0,
                _("The job is {status}, and silence has accepted work: it is paid first."),
            ),
            _nothing_contested(_A.CANCEL),
        ),
    ),
}
