"""Writing off what a worker is owed and will not be paid: they are gone, or the payer is.

A job waits for what is owed, and would wait for ever; so would whoever wants to be forgotten.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from backend.funding.allocating import is_needed, return_part
from backend.funding.models import Funding, Payable
from backend.funding.queries import in_doubt
from backend.funding.settling import (
    NEEDED,
    OVER,
    close_funding,
    rest_if_nothing_moves,
    start_the_fee,
)
from backend.funding.status import UNPAID, FundingMode, FundingStatus, PayableStatus
from backend.funding.telling import tell_people
from backend.jobs.models import Application, Job
from backend.open_payments.types import Amount

log = logging.getLogger(__name__)


class CannotBeWrittenOff(Exception):
    """It stays owed; the message says why, to an operator."""


def write_off(*, application_id: UUID, now: datetime) -> Amount:
    """End, as an operator, all that a worker is owed for a job; return how much that was.

    What it was promised out of goes back to its payer once the job is over: a consent is not used
    for it, and the treasury sends it back. Nothing makes it owed again but another decision about
    the work. A repeat finds nothing more and is refused.

    Raises:
        CannotBeWrittenOff: nothing was changed.
    """
    with transaction.atomic():
        application = Application.objects.filter(id=application_id).first()
        if application is None:
            raise CannotBeWrittenOff(f"There is no application {application_id}.")
        job = Job.objects.select_for_update().get(id=application.job_id)
        owed = _owed_to(application)
        for payable in owed:
            payable.status, payable.due_at, payable.updated_at = PayableStatus.WAIVED, None, now
            payable.save(update_fields=["status", "due_at", "updated_at"])
            assert payable.allocation is not None
            # Of one funding all share the row, so that each counts on what the others took back.
            payable.allocation.refresh_from_db(fields=["returned_value", "released_value"])
            payable.allocation.funding = payable.funding
            return_part(payable.allocation, payable.value, at=now)
        written_off = job.amount(sum(payable.value for payable in owed))
        log.warning("application %s: %s is written off", application_id, written_off)
        fundings = {payable.funding_id: payable.funding for payable in owed}
        for funding in fundings.values():
            _go_on_without_it(funding, at=now)
        rest_if_nothing_moves(owed[0].funding, at=now)
        for funding in fundings.values():
            # The job may be over now, and with it the funding.
            funding.refresh_from_db(fields=["status"])
            tell_people(funding, at=now, also={application.applicant_id})
    return written_off


def _owed_to(application: Application) -> Sequence[Payable]:
    unpaid = Payable.objects.filter(allocation__application=application, status__in=sorted(UNPAID))
    if unpaid.filter(status=PayableStatus.PAYING).exists():
        raise CannotBeWrittenOff("It is being paid just now: look again once that has ended.")
    # It would be sent back, and may have reached the worker already.
    if in_doubt(unpaid.filter(funding__mode=FundingMode.ESCROW)).exists():
        raise CannotBeWrittenOff(
            "The treasury has sent some of it, and a wallet does not show it. Have it paid again "
            "with retryPayment once you have looked at both wallets."
        )
    owed = list(
        unpaid.select_related(
            "allocation__application", *(f"funding__{each}" for each in NEEDED)
        ).order_by("id")
    )
    if not owed:
        raise CannotBeWrittenOff("Nothing is owed to them for this job.")
    return owed


def _go_on_without_it(funding: Funding, *, at: datetime) -> None:
    lapsed = funding.status == FundingStatus.LAPSED and not is_needed(funding)
    if lapsed or funding.job.status in OVER:
        close_funding(funding, at=at)
    else:
        start_the_fee(funding, at=at)
