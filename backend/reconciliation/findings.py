"""What reconciliation finds, and how it is kept: one row per subject and kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, TextChoices

from backend.payments.models import Discrepancy

EVERYTHING = Q()
LONGEST_TEXT = 200


class Kind(TextChoices):
    """What does not add up; docs/reconciliation.md says what to do about each."""

    # Our rows among themselves.
    TWO_LIVE_ATTEMPTS = "TWO_LIVE_ATTEMPTS", "two attempts of one payment could both pay"
    STATUS_NOT_LOGGED = "STATUS_NOT_LOGGED", "the log of a payment does not lead to its status"
    TRANSITION_WITHOUT_EVENT = "TRANSITION_WITHOUT_EVENT", "a change that nobody was told of"
    PAST_DEADLINE = "PAST_DEADLINE", "not over by its deadline"
    ALLOCATION_SUM = "ALLOCATION_SUM", "promised, owed and paid do not add up"
    # Our rows and the books.
    NOT_BOOKED = "NOT_BOOKED", "what arrived is not what is booked"
    BOOKED_WITHOUT_PAYMENT = "BOOKED_WITHOUT_PAYMENT", "booked for something that did not happen"
    ESCROW_DIFFERS = "ESCROW_DIFFERS", "the books hold another sum than the funding"
    BOOKS_BROKEN = "BOOKS_BROKEN", "the books are not as they were written"
    # The receivers' wallets.
    DELIVERED_LESS = "DELIVERED_LESS", "the receiver's wallet shows less"
    DELIVERED_MORE = "DELIVERED_MORE", "the receiver's wallet shows more"
    DELIVERED_OTHER_ASSET = "DELIVERED_OTHER_ASSET", "the receiver's wallet shows another asset"
    LATE_CREDIT = "LATE_CREDIT", "the receiver was paid by a payment that has failed"
    PAID_BY_STRANGER = "PAID_BY_STRANGER", "the receiver was paid by somebody else"
    OTHER_WALLET = "OTHER_WALLET", "the place of the money is not at the receiver's wallet"
    # The senders' wallets.
    UNKNOWN_OUTGOING = "UNKNOWN_OUTGOING", "the wallet has payments by us that we do not know"
    TWO_OUTGOING_PAYMENTS = "TWO_OUTGOING_PAYMENTS", "the wallet has two payments of one attempt"
    ORDER_MISSING = "ORDER_MISSING", "the wallet took an order and does not have it"
    OTHER_RECEIVER = "OTHER_RECEIVER", "the wallet pays to another place than we ordered"
    DEBIT_ABOVE_QUOTE = "DEBIT_ABOVE_QUOTE", "the wallet takes more than it quoted"
    FAILED_AFTER_COMPLETED = "FAILED_AFTER_COMPLETED", "the wallet says failed, the money arrived"
    PAYER_DEBITED = "PAYER_DEBITED", "the wallet has sent money for an attempt that is dead"
    GRANT_SPENT_DIFFERS = "GRANT_SPENT_DIFFERS", "the wallet counts another sum for a consent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that does not add up now; amounts in `expected` and `actual` name their asset."""

    kind: Kind
    subject: UUID
    expected: str
    actual: str
    payment: UUID | None = None
    evidence: dict[str, Any] = field(default_factory=dict)


def of_payment(kind: Kind, payment: UUID, expected: str, actual: str, **evidence: Any) -> Finding:
    """A finding whose subject is a payment."""
    return Finding(
        kind=kind,
        subject=payment,
        payment=payment,
        expected=expected,
        actual=actual,
        evidence=evidence,
    )


@dataclass(slots=True)
class Report:
    """How much was looked at, and by kind what was found, what is gone, what could not be seen."""

    checked: Counter[str] = field(default_factory=Counter)
    found: Counter[Kind] = field(default_factory=Counter)
    resolved: Counter[Kind] = field(default_factory=Counter)
    skipped: Counter[Kind] = field(default_factory=Counter)


class Record:
    """Keeps findings as discrepancies while one reconciliation goes on, and counts them."""

    def __init__(self, *, now: datetime) -> None:
        self.now = now
        self.report = Report()

    def settle(
        self, kinds: Collection[Kind], findings: Iterable[Finding], *, within: Q = EVERYTHING
    ) -> None:
        """Save `findings`, and resolve what is open of `kinds` and was not found again.

        `within` says which discrepancies can be resolved: those whose subjects were looked at.
        """
        found: dict[tuple[str, UUID], Finding] = {}
        for finding in findings:
            # Of several ways in which one thing is wrong the first is told.
            found.setdefault((finding.kind, finding.subject), finding)
        judged = Discrepancy.objects.filter(within, kind__in=kinds, resolved_at=None)
        with transaction.atomic():
            Discrepancy.save_seen([self._row(each) for each in found.values()])
            open_now = judged.values_list("id", "kind", "subject")
            gone = {
                id: Kind(kind) for id, kind, subject in open_now if (kind, subject) not in found
            }
            Discrepancy.objects.filter(id__in=list(gone)).update(resolved_at=self.now)
        self.report.found.update(each.kind for each in found.values())
        self.report.resolved.update(gone.values())

    def skip(self, kinds: Iterable[Kind], number: int = 1) -> None:
        """Count that `number` subjects could not be judged in any of `kinds`."""
        self.report.skipped.update(dict.fromkeys(kinds, number))

    def _row(self, finding: Finding) -> Discrepancy:
        return Discrepancy(
            subject=finding.subject,
            payment_id=finding.payment,
            kind=finding.kind,
            expected=finding.expected[:LONGEST_TEXT],
            actual=finding.actual[:LONGEST_TEXT],
            evidence=finding.evidence,
            first_seen_at=self.now,
            last_seen_at=self.now,
        )
