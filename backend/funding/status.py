"""The state machines of a funding and of what is owed, and what a worker may rely on."""

from collections.abc import Iterable

from django.db.models import TextChoices


class FundingMode(TextChoices):
    """Who holds the money between consent and payout."""

    DIRECT = "DIRECT"  # nobody: a registered seller is paid at once
    ESCROW = "ESCROW"  # the platform, in its treasury wallet
    PREAPPROVED = "PREAPPROVED"  # the payer; we hold their consent to pay


class FundingStatus(TextChoices):
    """Where a funding stands."""

    AWAITING_APPROVAL = "AWAITING_APPROVAL"
    SECURED = "SECURED"
    PARTIALLY_RELEASED = "PARTIALLY_RELEASED"
    LAPSED = "LAPSED"  # the consent behind it was lost, taken back or is over
    SETTLED = "SETTLED"  # paid out; what nobody was owed of it may have gone back
    REFUNDING = "REFUNDING"
    REFUNDED = "REFUNDED"  # nothing was paid out: all of it has gone back
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


# As what one is read whose status is of a newer release: it promises nobody anything, it is not
# over, and nobody is asked to pay once more.
UNHEARD_OF = FundingStatus.AWAITING_APPROVAL


class AllocationStatus(TextChoices):
    """Where the part of a funding stands that is promised to one worker."""

    RESERVED = "RESERVED"
    PARTIALLY_RELEASED = "PARTIALLY_RELEASED"
    RELEASED = "RELEASED"
    RETURNED = "RETURNED"  # nothing more will be paid of it


class PayableStatus(TextChoices):
    """Where something stands that is owed out of a funding."""

    OWED = "OWED"  # no payment is under way: it waits for its time, or for a consent
    PAYING = "PAYING"  # one payment for it is under way
    PAID = "PAID"
    STUCK = "STUCK"  # its payments failed, and somebody has to act before another try
    WAIVED = "WAIVED"  # a fee that no wallet would send, or written off: it is not owed any more


class FundingAssurance(TextChoices):
    """What a worker may rely on. Only PAID means that the money has arrived."""

    NONE = "NONE"
    AUTHORIZED = "AUTHORIZED"
    HELD = "HELD"
    PAID = "PAID"


_F = FundingStatus

TRANSITIONS: dict[FundingStatus, frozenset[FundingStatus]] = {
    _F.AWAITING_APPROVAL: frozenset(
        {_F.SECURED, _F.SETTLED, _F.REJECTED, _F.EXPIRED, _F.FAILED, _F.CANCELED}
    ),
    _F.SECURED: frozenset(
        {_F.PARTIALLY_RELEASED, _F.SETTLED, _F.LAPSED, _F.REFUNDING, _F.CANCELED}
    ),
    _F.PARTIALLY_RELEASED: frozenset({_F.SETTLED, _F.LAPSED, _F.REFUNDING}),
    # Back where it was, once the payer has consented again.
    _F.LAPSED: frozenset({_F.SECURED, _F.PARTIALLY_RELEASED, _F.SETTLED, _F.CANCELED}),
    _F.SETTLED: frozenset(),
    _F.REFUNDING: frozenset({_F.SETTLED, _F.REFUNDED}),
    _F.REFUNDED: frozenset(),
    _F.REJECTED: frozenset(),
    _F.EXPIRED: frozenset(),
    _F.FAILED: frozenset(),
    _F.CANCELED: frozenset(),
}
# Money can be paid out of these.
LIVE = frozenset({_F.SECURED, _F.PARTIALLY_RELEASED})
# Not over: something can still become of these.
OPEN = frozenset(status for status, nexts in TRANSITIONS.items() if nexts)
# One of these stands behind a job, so that it is not funded as a whole a second time.
COUNTING = OPEN - {_F.REFUNDING} | {_F.SETTLED}
# Promised and not yet decided about to the end.
ALLOCATED = frozenset({AllocationStatus.RESERVED, AllocationStatus.PARTIALLY_RELEASED})
UNPAID = frozenset({PayableStatus.OWED, PayableStatus.PAYING, PayableStatus.STUCK})


def assured_by(mode: str, status: str) -> FundingAssurance | None:
    """What one funding says of the job's pay, or None; `queries.GIVEN_BY` asks the same of rows."""
    if status == _F.SETTLED:
        return FundingAssurance.PAID
    if status == _F.LAPSED:
        return FundingAssurance.NONE
    if status not in LIVE or mode == FundingMode.DIRECT:
        return None
    return FundingAssurance.HELD if mode == FundingMode.ESCROW else FundingAssurance.AUTHORIZED


# Of several the first of these counts, since it has to be true of every worker's pay.
_COUNTS = (
    *(FundingAssurance.NONE, FundingAssurance.AUTHORIZED),
    *(FundingAssurance.HELD, FundingAssurance.PAID),
)


def relied_on(given: Iterable[FundingAssurance | None]) -> FundingAssurance:
    """What a job's workers may rely on, of what its fundings say."""
    return min(filter(None, given), key=_COUNTS.index, default=FundingAssurance.NONE)
