"""What the jobs domain refuses, beside the refusals everybody shares.

FaenaError
├── InvalidTransition
│   └── WrongStatus        the status of the job, or of its part, does not allow this action
├── LostRace               somebody changed the row first; asking again can succeed
├── VersionChanged         the job has changed since the caller read it
├── NoSelectedWorkers      there is nobody whose pay could be secured
└── AmountOutOfRange       more money than a column or a payment can carry
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from backend.errors import ErrorCode, FaenaError, InvalidTransition, Text


class WrongStatus(InvalidTransition):
    """The status, or a deadline that has passed in it, does not allow this action.

    `allowed` lists the statuses that can follow. `message` may use {status} and {action}.
    """

    def __init__(
        self,
        message: Text,
        *,
        action: str,
        status: str,
        allowed: tuple[str, ...],
        **values: Any,
    ) -> None:
        FaenaError.__init__(self, message, status=status, action=action, **values)
        self.old, self.new, self.allowed = status, action, allowed


class LostRace(FaenaError):
    """Somebody else changed the row between our read and our write; nothing was saved."""

    code = ErrorCode.INVALID_TRANSITION
    retryable = True

    def __init__(self) -> None:
        super().__init__(_("Somebody has just changed this. Read it again, then retry."))


class VersionChanged(FaenaError):
    """The job is no longer the one that the caller's form was filled from; nothing was saved."""

    code = ErrorCode.VERSION_CHANGED

    def __init__(self, *, expected: int, actual: int) -> None:
        super().__init__(
            _("The job has changed: it is at version {actual}, not {expected}. Read it again."),
            path=("expectedVersion",),
            expected=expected,
            actual=actual,
        )


class NoSelectedWorkers(FaenaError):
    """Nobody is selected for the job."""

    code = ErrorCode.NO_SELECTED_WORKERS

    def __init__(self) -> None:
        super().__init__(_("Select at least one application first."), path=("jobId",))


class AmountOutOfRange(FaenaError):
    """The sum is above 2^63−1, the largest one that is kept exactly everywhere."""

    code = ErrorCode.AMOUNT_OUT_OF_RANGE
