"""What came of a job's money: our rows and books beside what the wallets say."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from backend.funding.fees import fee_on
from backend.funding.models import Allocation, Funding, Payable
from backend.funding.status import OPEN, FundingMode, FundingStatus, PayableStatus
from backend.jobs.models import Job, Submission
from backend.jobs.status import JobStatus, Pricing
from backend.ledger.kinds import AccountKind
from backend.ledger.models import Account, Entry
from backend.payments.models import Discrepancy, HeldGrant, Payment
from backend.payments.status import HELD_GRANT_OVER, TERMINAL, PaymentStatus
from tests.simulation.questions import UNPAYABLE, unpaid
from tests.simulation.simulator import SIGNS

if TYPE_CHECKING:
    from tests.simulation.market import Market

ENDED = (JobStatus.COMPLETE, JobStatus.CANCELED, JobStatus.EXPIRED)
# No funding ends so: by its status, and by whether anything of it has been paid out.
MIXED_UP = frozenset({(FundingStatus.REFUNDED, True), (FundingStatus.SETTLED, False)})
NEVER_CAME = frozenset(
    {
        FundingStatus.REJECTED,
        FundingStatus.EXPIRED,
        FundingStatus.FAILED,
        FundingStatus.CANCELED,
    }
)


@dataclass
class MarketVerdict:
    """What went wrong with money; empty `problems` is the only good answer."""

    job: str
    fundings: list[str]
    payments: Counter[str]
    rounds: int
    deaths: int
    problems: list[str] = field(default_factory=list)
    history: list[str] = field(default_factory=list)


class Audit:
    """Goes over one market, whose time is over."""

    def __init__(self, market: Market) -> None:
        self._market = market

    def verdict(self, rounds: int) -> MarketVerdict:
        """Compare our rows with what the wallets say."""
        fundings = list(Funding.objects.filter(job=self._market.job).order_by("id"))
        payments = list(self._payments(fundings))
        job = Job.objects.get(id=self._market.job.id)
        verdict = MarketVerdict(
            job=str(job.status),
            fundings=[f"{each.mode} {each.status}" for each in fundings],
            payments=Counter(f"{each.purpose} {each.status}" for each in payments),
            rounds=rounds,
            deaths=self._market.deaths,
            history=self._market.history,
        )
        movements = self._market.movements()
        problems = verdict.problems
        if job.status not in ENDED:
            problems.append(f"the job is stranded in {job.status}")
        for payment in payments:
            problems += self._problems_of_payment(payment, movements)
        for funding in fundings:
            problems += self._problems_of_funding(funding)
        problems += self._problems_of_grants()
        problems += self._problems_of_books(fundings, movements)
        return verdict

    def _payments(self, fundings: list[Funding]) -> list[Payment]:
        owed = Payable.objects.filter(funding__in=fundings).values_list("id", flat=True)
        references = [*(each.id for each in fundings), *owed]
        return list(Payment.objects.filter(reference__in=references).order_by("id"))

    def _problems_of_payment(self, payment: Payment, movements: list[dict[str, Any]]) -> list[str]:
        receivers = {attempt.incoming_payment_url for attempt in payment.attempts.all()} - {""}
        moved = [move for move in movements if move["receiver"] in receivers]
        delivered = sum(int(move["value"]) for move in moved if move["kind"] == "deliver")
        wanted = payment.receive_value or 0
        name = f"{payment.purpose} {payment.id}"
        found = []
        if payment.status not in TERMINAL:
            found.append(f"{name} stranded in {payment.status}")
        if delivered > wanted:
            found.append(f"{name} doubled: {delivered} of {wanted}")
        completed = payment.status == PaymentStatus.COMPLETED
        if completed != (delivered == wanted and wanted > 0):
            found.append(f"{name} is {payment.status} with {delivered} of {wanted}")
        debits: Counter[str] = Counter()
        for move in moved:
            debits[move["outgoing"]] += SIGNS.get(move["kind"], 0) * int(move["value"])
        debited = sum(1 for value in debits.values() if value > 0)
        explained = Discrepancy.objects.filter(payment=payment).count()
        if debited - (delivered > 0) - explained > 0:
            found.append(f"{name}: {debited} debits, {explained} explained")
        if payment.send_value is not None and sum(debits.values()) > payment.send_value:
            found.append(f"{name}: more left the payer than was fixed")
        return found

    def _problems_of_funding(self, funding: Funding) -> list[str]:
        name = f"funding {funding.id} ({funding.mode} {funding.status})"
        found = []
        arrived = funding.status not in NEVER_CAME
        dust = sum(funding.payables.filter(UNPAYABLE).values_list("value", flat=True))
        rest = funding.total_value - funding.released_value - funding.refunded_value
        if arrived:
            rest -= dust
        if funding.status in OPEN and not dust:
            found.append(f"{name} is not over")
        # The fee on it comes after it.
        if rest < 0 or (arrived and rest > fee_on(dust, funding.fee_bps) + bool(dust)):
            found.append(f"{name}: {rest} of it remains")
        paid = sum(
            Payable.objects.filter(
                funding=funding, purpose="PAYOUT", status=PayableStatus.PAID
            ).values_list("value", flat=True)
        )
        if funding.mode != FundingMode.DIRECT and paid > funding.released_value:
            found.append(f"{name}: {paid} paid, {funding.released_value} released")
        if (funding.status, bool(funding.released_value)) in MIXED_UP:
            found.append(f"{name}: {funding.released_value} of it is released")
        found += self._problems_of_fee(funding, name)
        if unpaid(self._market.job).filter(funding=funding).exists():
            found.append(f"{name}: something is still owed")
        promised = sum(
            each.amount_value - each.returned_value - each.released_value
            for each in Allocation.objects.filter(funding=funding)
        )
        if promised != self._too_little_to_send(funding=funding):
            found.append(f"{name}: {promised} is still promised")
        return found + self._problems_of_work(funding, name)

    def _problems_of_fee(self, funding: Funding, name: str) -> list[str]:
        """To workers + as the fee + back + remaining = total, each by its own rows."""
        found = []
        to_workers = sum(funding.allocations.values_list("released_value", flat=True))
        fees = funding.payables.filter(purpose="PLATFORM_FEE")
        fee = sum(self._came_of(payable) for payable in fees)
        total = to_workers + fee + funding.refunded_value + funding.remaining_value
        if funding.mode != FundingMode.DIRECT and total != funding.total_value:
            found.append(f"{name}: {to_workers} + {fee} and the rest are {total}")
        if fee != funding.fee_paid_value:
            found.append(f"{name}: {fee} paid as a fee, {funding.fee_paid_value} counted")
        waived = sum(fees.filter(status="WAIVED").values_list("value", flat=True))
        wanted = to_workers * funding.fee_bps // 10_000
        if not wanted - waived <= fee <= wanted:
            found.append(f"{name}: a fee of {fee} for {to_workers}, {waived} waived")
        return found

    def _came_of(self, fee: Payable) -> int:
        """What the platform got of a fee: in parts, and then what its row says."""
        payments = list(Payment.objects.filter(reference=fee.id).order_by("created_at", "id"))
        completed = any(each.status == PaymentStatus.COMPLETED for each in payments)
        paid = fee.status == PayableStatus.PAID
        if self._market.job.pricing != Pricing.FIXED_SEND:
            kept = fee.value if paid and not completed else 0  # it stayed in the treasury
            return kept + sum(each.delivered_value for each in payments)
        # What is sent counts. A part that arrived costs its part of the quote, rounded up.
        parts = payments[:-1] if paid else payments
        return (fee.value if paid else 0) + sum(
            -(-each.debit_value * each.delivered_value // each.receive_value)
            for each in parts
            if each.delivered_value and each.debit_value and each.receive_value
        )

    def _too_little_to_send(self, **of: object) -> int:
        """What of the workers' pay stays owed, because no wallet would send it."""
        owed = Payable.objects.filter(UNPAYABLE, purpose="PAYOUT", **of)
        return sum(owed.values_list("value", flat=True))

    def _problems_of_work(self, funding: Funding, name: str) -> list[str]:
        accepted = sum(
            Submission.objects.filter(job=self._market.job, superseded_at=None).values_list(
                "accepted_value", flat=True
            )
        )
        released = sum(
            each.paid_to_workers_value for each in Funding.objects.filter(job=self._market.job)
        )
        dust = self._too_little_to_send(funding__job=self._market.job)
        waived = Payable.objects.filter(
            funding__job=self._market.job, purpose="PAYOUT", status=PayableStatus.WAIVED
        )
        written_off = sum(waived.values_list("value", flat=True))
        if accepted != released + dust + written_off:
            return [
                f"{name}: {accepted} accepted, {released} released, {dust} too little to send, "
                f"{written_off} written off"
            ]
        return []

    def _problems_of_books(
        self, fundings: list[Funding], movements: list[dict[str, Any]]
    ) -> list[str]:
        found = []
        for payment in self._payments(fundings):
            receivers = {each.incoming_payment_url for each in payment.attempts.all()} - {""}
            delivered = sum(
                int(move["value"])
                for move in movements
                if move["kind"] == "deliver" and move["receiver"] in receivers
            )
            if self._market.booked(payment) != delivered:
                found.append(
                    f"{payment}: {delivered} delivered, {self._market.booked(payment)} booked"
                )
        for funding in fundings:
            account = Account.objects.filter(subject=funding.id, kind=AccountKind.ESCROW).first()
            held = 0 if funding.status in NEVER_CAME else funding.remaining_value
            held += sum(
                funding.payables.filter(UNPAYABLE, funding__status__in=NEVER_CAME).values_list(
                    "value", flat=True
                )
            )
            if account is not None and account.balance != held:
                found.append(f"{funding}: {account.balance} held in the books")
        found += self._problems_of_fee_wallet(fundings, movements)
        people = [self._market.payer.pk, *(worker.pk for worker in self._market.workers)]
        dust = self._too_little_to_send(funding__in=fundings)
        for account in Account.objects.filter(owner__in=people, kind__startswith="PROMISES"):
            if abs(account.balance) > dust:
                found.append(f"{account.kind}: {account.balance} is promised at the end")
        return found

    def _problems_of_fee_wallet(
        self, fundings: list[Funding], movements: list[dict[str, Any]]
    ) -> list[str]:
        """The books say of the platform's wallets what arrived there for these fundings."""
        fees = Payable.objects.filter(funding__in=fundings, purpose="PLATFORM_FEE")
        payments = Payment.objects.filter(reference__in=fees.values("id"))
        receivers = {
            each.incoming_payment_url for payment in payments for each in payment.attempts.all()
        }
        arrived = sum(
            int(move["value"])
            for move in movements
            if move["kind"] == "deliver" and move["receiver"] in receivers - {""}
        )
        booked = Entry.objects.filter(account__kind=AccountKind.PLATFORM_FEE)
        of_payments = sum(
            booked.filter(transfer__payment__in=payments).values_list("amount", flat=True)
        )
        kept = sum(
            booked.filter(transfer__subject__in=fees.values("id")).values_list("amount", flat=True)
        )
        found = []
        if of_payments != arrived:
            found.append(f"fees: {arrived} arrived, {of_payments} booked")
        if kept and self._market.mode is not FundingMode.ESCROW:
            found.append(f"fees: {kept} kept of what nobody held")
        return found

    def _problems_of_grants(self) -> list[str]:
        found = []
        for held in HeldGrant.objects.filter(payer=self._market.payer):
            if held.status not in HELD_GRANT_OVER:
                found.append(f"{held} is still there")
            if held.limit_value is not None and held.reserved_value > held.limit_value:
                found.append(f"{held} spent {held.reserved_value} of {held.limit_value}")
        return found
