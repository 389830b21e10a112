"""The life of a job on one screen: where it may go, and who may do what on the way.

The guards of the services and the buttons a client shows (`allowed_actions`) read the same two
tables, so that neither can promise what the other refuses.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from backend.errors import Forbidden
from backend.jobs.errors import WrongStatus

if TYPE_CHECKING:
    from backend.accounts.models import User
    from backend.jobs.models import Job


class JobStatus(StrEnum):
    """Where a job is in its life; the last three are final."""

    DRAFT = "DRAFT"
    RECRUITING = "RECRUITING"
    SELECTING = "SELECTING"
    SUBMITTING = "SUBMITTING"
    REVIEWING = "REVIEWING"
    COMPLETE = "COMPLETE"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"


_S = JobStatus
TRANSITIONS: dict[JobStatus, frozenset[JobStatus]] = {
    _S.DRAFT: frozenset({_S.RECRUITING, _S.CANCELED}),
    _S.RECRUITING: frozenset({_S.SELECTING, _S.EXPIRED, _S.CANCELED}),
    _S.SELECTING: frozenset({_S.RECRUITING, _S.SUBMITTING, _S.EXPIRED, _S.CANCELED}),
    _S.SUBMITTING: frozenset({_S.REVIEWING, _S.EXPIRED, _S.CANCELED}),
    _S.REVIEWING: frozenset({_S.COMPLETE, _S.CANCELED}),
    _S.COMPLETE: frozenset(),
    _S.CANCELED: frozenset(),
    _S.EXPIRED: frozenset(),
}


class JobAction(StrEnum):
    """What somebody may do with a job."""

    PUBLISH = "PUBLISH"
    APPLY = "APPLY"
    SELECT = "SELECT"
    FUND = "FUND"


NEEDED_STATUS: dict[JobAction, tuple[JobStatus, ...]] = {
    JobAction.PUBLISH: (_S.DRAFT,),
    JobAction.APPLY: (_S.RECRUITING,),
    JobAction.SELECT: (_S.RECRUITING, _S.SELECTING),
    JobAction.FUND: (_S.RECRUITING, _S.SELECTING),
}
# Everything else is the owner's.
FOR_OTHERS = frozenset({JobAction.APPLY})


class ApplicationStatus(StrEnum):
    """What became of an application."""

    PENDING = "PENDING"
    SELECTED = "SELECTED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"


class DeliverableType(StrEnum):
    """What a worker hands in."""

    TEXT = "TEXT"
    IMAGE = "IMAGE"
    AUDIO = "AUDIO"
    VIDEO = "VIDEO"
    FILE = "FILE"
    LINK = "LINK"


def require(action: JobAction, *, job: Job, user: User, now: datetime) -> None:
    """Pass silently when `user` may do `action` with `job` at `now`.

    Raises:
        Forbidden: it is not this person's to do.
        WrongStatus: the job's status, or its recruiting deadline, does not allow it.
    """
    if (job.owner_id == user.id) is (action in FOR_OTHERS):
        raise Forbidden(
            "Nobody can apply to a job of their own."
            if action in FOR_OTHERS
            else "Only the owner of the job can do this."
        )
    if _status_refuses(action, job=job, now=now):
        status = JobStatus(job.status)
        raise WrongStatus(
            action=action,
            status=_described(job, now=now),
            needed=NEEDED_STATUS[action],
            allowed=tuple(sorted(TRANSITIONS[status])),
        )


def allowed_actions(*, job: Job, user: User | None, now: datetime) -> list[JobAction]:
    """List what `user` may do with `job` at `now`; `None`, a visitor, may do nothing.

    Judges the person, the status and the deadlines. What only other tables know (a person has
    applied already, the job is funded already) is for the caller to take away.
    """
    if user is None:
        return []
    return [
        action
        for action in JobAction
        if (job.owner_id == user.id) is not (action in FOR_OTHERS)
        and not _status_refuses(action, job=job, now=now)
    ]


def _status_refuses(action: JobAction, *, job: Job, now: datetime) -> bool:
    if job.status not in NEEDED_STATUS[action]:
        return True
    # The deadline holds at its very second, before anything has moved the status.
    return action is JobAction.APPLY and _recruiting_is_over(job, now=now)


def _recruiting_is_over(job: Job, *, now: datetime) -> bool:
    return job.recruit_until is not None and job.recruit_until <= now


def _described(job: Job, *, now: datetime) -> str:
    late = job.status == JobStatus.RECRUITING and _recruiting_is_over(job, now=now)
    return f"{job.status}, past its deadline" if late else str(job.status)
