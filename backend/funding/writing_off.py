"""Writing off what a worker is owed and will not be paid: they are gone, or the payer is.

A job waits for what is owed, and would wait for ever; so would whoever wants to be forgotten.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

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
from backend.payments import standstill

log = logging.getLogger(__name__)


class CannotBeWrittenOff(Exception):
    """It stays owed; the message says why, to an operator."""


def write_off(*, application_id: UUID, is_held: bool = False, now: datetime) -> Amount:
    """End, as an operator, all that a worker is owed for a job; return that, in the job's asset.

    What it was promised out of goes back to its payer once the job is over: a consent is not used
    for it, and the treasury sends it back. Nothing makes it owed again. A repeat finds nothing more
    and is refused. `is_held`: the operator has seen in the treasury's statement that it holds all
    of it, because nothing was sent or what was sent came back.

    Raises:
        CannotBeWrittenOff: nothing was changed.
    """
    with transaction.atomic():
        application = Application.objects.filter(id=application_id).first()
        if application is None:
            raise CannotBeWrittenOff(f"There is no application {application_id}.")
        job = Job.objects.select_for_update().get(id=application.job_id)
        owed = _owed_to(application, is_held=is_held)
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


def _owed_to(application: Application, *, is_held: bool) -> Sequence[Payable]:
    unpaid = Payable.objects.filter(allocation__application=application, status__in=sorted(UNPAID))
    if unpaid.filter(status=PayableStatus.PAYING).exists():
        raise CannotBeWrittenOff("It is being paid just now: look again once that has ended.")
    if not is_held and _may_have_been_sent(unpaid.filter(funding__mode=FundingMode.ESCROW)):
        raise CannotBeWrittenOff(
            "It would be sent back to the payer, and the treasury may have sent it to the worker: "
            "a wallet did not show it, or a backup was restored since. Look at the treasury's "
            "statement first, and if all of it is there, say so."
        )
    owed = list(
        unpaid.select_related(
            "allocation__application", *(f"funding__{each}" for each in NEEDED)
        ).order_by("id")
    )
    if not owed:
        raise CannotBeWrittenOff("Nothing is owed to them for this job.")
    return owed


def _may_have_been_sent(unpaid: QuerySet[Payable]) -> bool:
    if in_doubt(unpaid).exists():
        return True
    # Any payment would have the wallets asked first; of this nobody asks.
    oldest = unpaid.order_by("created_at").values_list("created_at", flat=True).first()
    return standstill.look_up_since(oldest) is not None


def _go_on_without_it(funding: Funding, *, at: datetime) -> None:
    lapsed = funding.status == FundingStatus.LAPSED and not is_needed(funding)
    if lapsed or funding.job.status in OVER:
        close_funding(funding, at=at)
    else:
        start_the_fee(funding, at=at)
