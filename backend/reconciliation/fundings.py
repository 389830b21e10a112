"""What fundings promise, owe and have paid, and what the books hold for them.

Amounts are in the smallest unit of the job's asset. Read in one snapshot.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from backend.funding.fees import fee_on, is_for_the_platform
from backend.funding.listeners import NOT_PAID
from backend.funding.models import Allocation, Funding, Payable
from backend.funding.status import FundingMode, FundingStatus, PayableStatus
from backend.ledger.bookings import debited_value
from backend.ledger.kinds import AccountKind
from backend.ledger.models import Account
from backend.payments.models import Payment
from backend.payments.status import TERMINAL, PaymentPurpose, PaymentStatus
from backend.reconciliation.findings import Finding, Kind

KINDS = (Kind.ALLOCATION_SUM, Kind.ESCROW_DIFFERS)
# Of these no money stands behind the job, whatever they were to come to.
NEVER_CAME = frozenset(NOT_PAID.values())
OWED_FOR = (PaymentPurpose.PAYOUT, PaymentPurpose.REFUND, PaymentPurpose.PLATFORM_FEE)


@dataclass(slots=True)
class _Sums:
    """What the rows around one funding come to."""

    kept: int = 0
    released: int = 0
    unpaid: Counter[str] = field(default_factory=Counter)
    paid: Counter[str] = field(default_factory=Counter)
    waived: int = 0
    arrived: int = 0
    escrow: int = 0


def check(fundings: Sequence[Funding]) -> Iterator[Finding]:
    """All that is to be said of `fundings`."""
    sums = _sums_of(fundings)
    for funding in fundings:
        yield from allocation_sum(funding, sums[funding.id])
        yield from escrow_differs(funding, sums[funding.id])


def allocation_sum(funding: Funding, sums: _Sums) -> Iterator[Finding]:
    """released + refunded + remaining = total, and each of them is what its rows come to."""
    for expected, actual, what in _equations(funding, sums):
        if expected != actual:
            yield Finding(
                kind=Kind.ALLOCATION_SUM,
                subject=funding.id,
                expected=f"{expected} {funding.asset_code}/{funding.asset_scale} {what}",
                actual=str(actual),
                evidence={"funding": str(funding.id), "status": funding.status},
            )


def _equations(funding: Funding, sums: _Sums) -> Iterator[tuple[int, int, str]]:
    payout, refund, fee = OWED_FOR
    if funding.mode == FundingMode.DIRECT:
        settled = funding.status == FundingStatus.SETTLED
        yield funding.total_value if settled else 0, funding.released_value, "released"
        return
    to_workers = funding.paid_to_workers_value
    yield sums.paid[payout], to_workers, "released, by what was paid"
    yield sums.released, to_workers, "released, by allocations"
    yield sums.paid[fee], funding.fee_paid_value, "released as a fee, by what was paid"
    if funding.mode == FundingMode.ESCROW:
        yield sums.paid[refund], funding.refunded_value, "refunded, by what was paid back"
    if funding.status in NEVER_CAME:
        return
    # A fee that was waived is owed no more, until more arrives at workers.
    earned = fee_on(to_workers, funding.fee_bps)
    owed = sums.paid[fee] + sums.unpaid[fee]
    within = min(max(owed, earned - sums.waived), earned)
    yield within, owed, "owed or paid as a fee"
    # What is on its way back to the payer cannot be promised to a worker as well, and what is
    # promised needs its fee.
    gone = funding.refunded_value + sums.unpaid[refund] + owed
    to_earn = fee_on(sums.kept, funding.fee_bps) - earned
    free = funding.total_value - gone - sums.kept - to_earn
    yield max(free, 0), free, "left to promise"
    covered = min(sums.unpaid[payout], sums.kept - sums.released)
    yield covered, sums.unpaid[payout], "owed, within what is promised"


def escrow_differs(funding: Funding, sums: _Sums) -> Iterator[Finding]:
    """The books hold for a funding what came of it and neither was released nor went back."""
    held = sums.arrived - funding.released_value - funding.refunded_value
    if funding.mode != FundingMode.ESCROW:
        held = 0
    if sums.escrow != held:
        yield Finding(
            kind=Kind.ESCROW_DIFFERS,
            subject=funding.id,
            expected=f"{held} {funding.asset_code}/{funding.asset_scale} held",
            actual=f"{sums.escrow} in the books",
            evidence={"funding": str(funding.id), "status": funding.status},
        )


def _sums_of(fundings: Sequence[Funding]) -> dict[UUID, _Sums]:
    sums = {funding.id: _Sums() for funding in fundings}
    for allocation in Allocation.objects.filter(funding__in=fundings):
        of = sums[allocation.funding_id]
        of.kept += allocation.kept_value
        of.released += allocation.released_value
    for payable in Payable.objects.filter(funding__in=fundings):
        of = sums[payable.funding_id]
        if payable.status == PayableStatus.WAIVED:
            # What a worker was owed and was written off is promised no more.
            of.waived += payable.value if is_for_the_platform(payable) else 0
            continue
        paid = payable.status == PayableStatus.PAID
        (of.paid if paid else of.unpaid)[payable.purpose] += payable.value
    _add_parts(sums, fundings)
    came = Payment.objects.filter(
        reference__in=list(sums), purpose=PaymentPurpose.FUND, status__in=sorted(TERMINAL)
    )
    for funding_id, value in came.values_list("reference", "delivered_value"):
        sums[funding_id].arrived += value
    held = Account.objects.filter(kind=AccountKind.ESCROW, subject__in=list(sums))
    for account in held:
        if account.subject is not None:
            sums[account.subject].escrow += account.balance
    return sums


def _add_parts(sums: dict[UUID, _Sums], fundings: Sequence[Funding]) -> None:
    """Parts that arrived though their payment failed: they count as paid, see `settling`."""
    owed = Payable.objects.filter(funding__in=fundings)
    behind = {payable.id: payable for payable in owed}
    assets = {each.id: (each.asset_code, each.asset_scale) for each in fundings}
    parts = Payment.objects.filter(
        reference__in=owed.values("id"), status=PaymentStatus.FAILED, delivered_value__gt=0
    )
    for part in parts:
        payable = behind[part.reference]
        paid = sums[payable.funding_id].paid
        if part.send_value is not None:
            paid[part.purpose] += 0 if _was_all(part, payable) else debited_value(part)
        elif assets[payable.funding_id] == (part.receive_asset_code, part.receive_asset_scale):
            paid[part.purpose] += part.delivered_value


def _was_all(part: Payment, payable: Payable) -> bool:
    # What was sent for it, rounded up, can be all that was owed. Else the rest is owed now.
    return payable.status == PayableStatus.PAID and part.send_value == payable.value
