"""Telling people what became of money that concerns them."""

import logging
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from django.db.models import Model

from backend.events import emit
from backend.funding.models import Funding, Payable
from backend.funding.status import ALLOCATED, UNPAID, FundingStatus
from backend.payments.models import HeldGrant, Payment
from backend.payments.status import PaymentPurpose

log = logging.getLogger(__name__)


class Tell(Protocol):
    """Puts an event into one feed, in its place among others: `jobs.changes.Change.tell`."""

    def __call__(
        self, topic: str, type: str, row: Model, payload: Mapping[str, object], /
    ) -> None: ...


def tell_people(
    funding: Funding, *, at: datetime, tell: Tell | None = None, also: Collection[UUID] = ()
) -> None:
    """Put where a funding stands into the feeds of its payer and of those who rely on it.

    `also`: of those who relied on it until now.

    Feeds stay locked until the commit, and everybody writes into them in one order. So this is the
    last statement of its transaction; or `tell` is of somebody else's, who has more to say.
    """
    workers = funding.allocations.filter(status__in=sorted(ALLOCATED)).values_list(
        "application__applicant_id", flat=True
    )
    pay = funding.payables.filter(purpose=PaymentPurpose.PAYOUT)
    failed = pay.filter(failures__gt=0, status__in=sorted(UNPAID))
    payload = {
        "status": str(FundingStatus(funding.status)),
        "job": str(funding.job_id),
        "failing": failed.exists(),
    }
    for user_id in sorted({funding.payer_id, *workers, *also}):
        topic, type = f"user:{user_id}", "funding.status"
        if tell is not None:
            tell(topic, type, funding, payload)
        else:
            emit(topic=topic, type=type, payload=payload, at=at, subject_id=funding.id)


def tell_whose_money_it_is(payment: Payment, *, at: datetime) -> None:
    """Put the end of a payment into the feeds of its payer and of the person it was for."""
    funding_id = Payable.objects.filter(id=payment.reference).values_list("funding_id", flat=True)
    job_id = Funding.objects.filter(id__in=[payment.reference, *funding_id]).values_list(
        "job_id", flat=True
    )
    payload = {
        "status": str(payment.status),
        "purpose": str(payment.purpose),
        "job": str(job_id[0]),
        "delivered": payment.delivered_amount.to_json(),
    }
    for user_id in sorted({payment.payer_id, payment.receiver.owner_id or payment.payer_id}):
        emit(
            topic=f"user:{user_id}",
            type="payment.status",
            payload=payload,
            at=at,
            subject_id=payment.id,
        )


def tell_who_keeps_the_treasury(held_grant: HeldGrant, *, at: datetime) -> None:
    """Warn the operator who asked for this consent that it will soon not suffice."""
    limit, until = held_grant.limit, held_grant.period_until
    assert limit is not None
    spent = held_grant.taken(at=at)
    log.warning("treasury: %s of %s spent in the period until %s", spent, limit, until)
    emit(
        topic=f"user:{held_grant.payer_id}",
        type="treasury.nearly_spent",
        payload={
            "spent": spent.to_json(),
            "limit": limit.to_json(),
            "until": until and until.isoformat(),
        },
        at=at,
        subject_id=held_grant.id,
    )
