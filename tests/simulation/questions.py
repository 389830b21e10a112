"""Queries that a simulation asks thousands of times, compiled once.

Compiling is most of what a small query costs in Django, and more than half of what a history
costs would be questions of the simulator itself, not of the product.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from backend.accounts.models import User
from backend.funding.models import Funding, Payable
from backend.funding.status import OPEN, UNPAID
from backend.jobs.models import Job
from backend.jobs.status import JobStatus
from backend.payments.models import Grant, HeldGrant, Payment
from backend.payments.status import HELD_GRANT_OVER, TERMINAL, GrantKind, GrantStatus

# A sum as small as this can be less than sending it costs: no wallet quotes it, and it stays owed
# for an operator to see.
DUST = 30
UNPAYABLE = Q(purpose__in=["REFUND", "PAYOUT"], value__lt=DUST, status__in=sorted(UNPAID))
NOTHING_BUT_DUST = Exists(
    Payable.objects.filter(
        UNPAYABLE,
        funding=OuterRef("pk"),
        # Beside what it is itself only the fee on it, which comes after it.
        value__gte=OuterRef("total_value")
        - OuterRef("released_value")
        - OuterRef("refunded_value")
        - DUST,
    )
)
# What waits in a queue, in the order in which a worker of ours looks.
QUEUES: tuple[type[Model], ...] = (Payable, HeldGrant, Payment)


class Question:
    """A query whose parameters do not change; answers what its `values_list` gives, as tuples."""

    def __init__(self, rows: QuerySet[Any, Any]) -> None:
        self._compiler = rows.query.get_compiler(rows.db)
        self._sql, self._parameters = self._compiler.as_sql()

    def ask(self) -> list[tuple[Any, ...]]:
        """The rows as they are now."""
        with connection.cursor() as cursor:
            cursor.execute(self._sql, self._parameters)
            return [tuple(row) for row in self._compiler.results_iter([cursor.fetchall()])]

    def finds_some(self) -> bool:
        """Whether there is a row now."""
        return bool(self.ask())


def unpaid(job: Job) -> QuerySet[Payable]:
    """What is still owed for this job, and can be paid."""
    owed = Payable.objects.filter(funding__job=job, status__in=sorted(UNPAID))
    return owed.exclude(UNPAYABLE)


class MarketQuestions:
    """What people and workers look at before they do anything."""

    def __init__(self, job: Job, payer: User, operator: User) -> None:
        moves = {"payer__in": [payer.pk, operator.pk]}
        payables = Payable.objects.filter(funding__job=job).values_list("id", "due_at", "due_at")
        self._queues = {
            Payable: Question(payables.exclude(due_at=None)),
            HeldGrant: Question(_queue(HeldGrant.objects.filter(**moves))),
            Payment: Question(_queue(Payment.objects.filter(**moves).order_by("due_at"))),
        }
        self._job_status = Question(Job.objects.filter(id=job.id).values_list("status"))
        self._open = [Question(rows.values_list("id")[:1]) for rows in _open(job, payer)]
        self._asked = Question(_asked(payer, operator).values_list("id"))

    def due(self, queue: type[Model], now: datetime) -> Sequence[UUID]:
        """What a worker of ours may take out of one of QUEUES."""
        return [
            id
            for id, due_at, lease_until in self._queues[queue].ask()
            if due_at <= now and (lease_until is None or lease_until < now or queue is Payable)
        ]

    def next_due(self) -> datetime | None:
        """When there is something to take next, if nobody does anything."""
        times = [row[1:] for queue in QUEUES for row in self._queues[queue].ask()]
        return min((max(due_at, until or due_at) for due_at, until in times), default=None)

    def job_status(self) -> JobStatus:
        """Where the job is."""
        ((status,),) = self._job_status.ask()
        return JobStatus(status)

    def something_is_open(self) -> bool:
        """Whether money is still to come, to be paid or to go back."""
        return any(rows.finds_some() for rows in self._open)

    def asked_in_wallets(self) -> Sequence[UUID]:
        """The grants about which a wallet asks its owner now."""
        return [id for (id,) in self._asked.ask()]


def _queue(rows: QuerySet[Any]) -> QuerySet[Any, Any]:
    return rows.exclude(due_at=None).values_list("id", "due_at", "lease_until")


def _open(job: Job, payer: User) -> Sequence[QuerySet[Any]]:
    return (
        Funding.objects.filter(job=job, status__in=sorted(OPEN)).exclude(NOTHING_BUT_DUST),
        unpaid(job),
        Payment.objects.filter(payer=payer).exclude(status__in=sorted(TERMINAL)),
        HeldGrant.objects.filter(payer=payer).exclude(status__in=sorted(HELD_GRANT_OVER)),
    )


def _asked(payer: User, operator: User) -> QuerySet[Grant]:
    waits = "AWAITING_APPROVAL"
    return Grant.objects.filter(
        Q(payment__payer=payer, payment__status=waits)
        | Q(held_grant__payer__in=[payer, operator], held_grant__status=waits),
        kind=GrantKind.OUTGOING_PAYMENT,
        status=GrantStatus.AWAITING_APPROVAL,
    )
