"""The state machine of a funding, and what a worker may rely on."""

from django.db.models import TextChoices


class FundingMode(TextChoices):
    """Who holds the money between consent and payout."""

    DIRECT = "DIRECT"  # nobody: a registered seller is paid at once


class FundingStatus(TextChoices):
    """Where a funding stands."""

    AWAITING_APPROVAL = "AWAITING_APPROVAL"
    SETTLED = "SETTLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


class FundingAssurance(TextChoices):
    """What a worker may rely on. Only PAID means that the money has arrived."""

    NONE = "NONE"
    AUTHORIZED = "AUTHORIZED"
    HELD = "HELD"
    PAID = "PAID"


_F = FundingStatus

TRANSITIONS: dict[FundingStatus, frozenset[FundingStatus]] = {
    _F.AWAITING_APPROVAL: frozenset({_F.SETTLED, _F.REJECTED, _F.EXPIRED, _F.FAILED, _F.CANCELED}),
    _F.SETTLED: frozenset(),
    _F.REJECTED: frozenset(),
    _F.EXPIRED: frozenset(),
    _F.FAILED: frozenset(),
    _F.CANCELED: frozenset(),
}
# One of these stands behind a job at a time.
COUNTING = frozenset({_F.AWAITING_APPROVAL, _F.SETTLED})
