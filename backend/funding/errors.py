"""Refusals of this domain."""

from django.utils.translation import gettext_lazy as _

from backend.errors import ErrorCode, FaenaError
from backend.open_payments.types import Amount


class SellerNotFound(FaenaError):
    """No active seller has this slug."""

    code = ErrorCode.SELLER_NOT_FOUND


class AlreadyFunded(FaenaError):
    """There is already a funding behind this job, settled or waiting for its payer."""

    code = ErrorCode.ALREADY_FUNDED


class DeadlineTooFar(FaenaError):
    """The payer's consent cannot be asked for until then."""

    code = ErrorCode.DEADLINE_TOO_FAR


class NotRefundable(FaenaError):
    """There is nothing of this funding that could go back now."""

    code = ErrorCode.INVALID_TRANSITION


class NothingToRetry(FaenaError):
    """This payment did not fail, or what it was for has been paid or is being paid."""

    code = ErrorCode.INVALID_TRANSITION


class ModeUnavailable(FaenaError):
    """This installation does not offer this way of funding."""

    code = ErrorCode.MODE_UNAVAILABLE


class AmountChanged(FaenaError):
    """The caller expected another total than the server's."""

    code = ErrorCode.AMOUNT_CHANGED

    def __init__(self, *, expected: Amount, actual: Amount) -> None:
        super().__init__(
            _("The total is {actual}, not {expected}."),
            path=("expectedTotal",),
            actual=actual,
            expected=expected,
        )
        self.expected, self.actual = expected, actual
