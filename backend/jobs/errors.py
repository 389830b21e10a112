"""What the jobs domain refuses, beside the refusals everybody shares.

FaenaError
├── InvalidTransition
│   └── WrongStatus        the job's status does not allow this action
├── LostRace               somebody changed the job first; asking again can succeed
└── AmountOutOfRange       more money than a column or a payment can carry
"""

from backend.errors import ErrorCode, FaenaError, InvalidTransition


class WrongStatus(InvalidTransition):
    """The job is in a status that does not allow this action; `needed` says which ones do."""

    def __init__(
        self, *, action: str, status: str, needed: tuple[str, ...], allowed: tuple[str, ...]
    ) -> None:
        FaenaError.__init__(
            self, f"The job is {status}; {action} is possible while it is {' or '.join(needed)}."
        )
        self.old, self.new, self.allowed = status, action, allowed
        self.needed = needed


class LostRace(FaenaError):
    """Somebody else changed the job between our read and our write; nothing was saved."""

    code = ErrorCode.INVALID_TRANSITION
    retryable = True


class AmountOutOfRange(FaenaError):
    """The sum is above 2^63−1, the largest one that is kept exactly everywhere."""

    code = ErrorCode.AMOUNT_OUT_OF_RANGE
