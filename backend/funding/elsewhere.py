"""Paying a worker into another of their own wallets: the one they named cannot be paid any more.

A wallet closes, or changes its asset, and what is owed to its owner would be owed for ever.
"""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from django.db import transaction

from backend.accounts.errors import WalletHostSuspended
from backend.accounts.models import WalletAddress
from backend.accounts.suspending import refuse_suspended
from backend.accounts.wallets import kept_wallets
from backend.funding.models import Payable
from backend.funding.paying import start
from backend.funding.queries import in_doubt
from backend.funding.settling import NEEDED
from backend.funding.status import PayableStatus
from backend.funding.telling import tell_people
from backend.jobs.models import Application, Job
from backend.jobs.status import Pricing
from backend.payments.models import Payment
from backend.payments.status import PaymentPurpose

log = logging.getLogger(__name__)


class NotThere(Exception):
    """The worker cannot be paid there; the message says why, to an operator."""


def pay_elsewhere(*, payment_id: UUID, address: str, now: datetime) -> list[Payment]:
    """Pay what a failed payment was for, as an operator, into the worker's wallet at `address`.

    It has to be one that the worker has added. What else they are owed and will be for the same job
    goes there too. Returns the payments that begin; what waits for a consent begins after it, and
    what a wallet does not show, though it was sent, once somebody has looked and tries it again.

    Raises:
        NotThere: that cannot be, and nothing was changed.
    """
    with transaction.atomic():
        named = _owed_by(payment_id)
        assert named.allocation is not None
        application = named.allocation.application
        job = Job.objects.select_for_update().get(id=application.job_id)
        wallet = _own_wallet(application, job, address)
        unpaid = Payable.objects.filter(
            allocation__application=application,
            status__in=[PayableStatus.OWED, PayableStatus.STUCK],
        ).select_related(*(f"funding__{each}" for each in NEEDED))
        waiting = list(unpaid.order_by("id"))
        if not waiting:
            raise NotThere("Nothing of it is owed without being paid just now.")
        Application.objects.filter(id=application.id).update(
            payout_wallet=wallet,
            payout_url=wallet.url,
            payout_asset_code=wallet.asset_code,
            payout_asset_scale=wallet.asset_scale,
            updated_at=now,
        )
        # What has perhaps arrived is sent again by who names it, and not along with something else.
        doubtful = set(in_doubt(unpaid).exclude(id=named.id).values_list("id", flat=True))
        begun = [_paid_there(each, wallet, each.id not in doubtful, now=now) for each in waiting]
        log.warning("application %s is paid to %s from now on", application.id, wallet.url)
        for funding in {payable.funding_id: payable.funding for payable in waiting}.values():
            tell_people(funding, at=now)
    return [payment for payment in begun if payment is not None]


def _owed_by(payment_id: UUID) -> Payable:
    paid_for = Payment.objects.filter(id=payment_id, purpose=PaymentPurpose.PAYOUT)
    payable = (
        Payable.objects.filter(id__in=paid_for.values("reference"))
        .exclude(allocation=None)
        .select_related("allocation__application__applicant")
        .first()
    )
    if payable is None:
        raise NotThere(f"{payment_id} is no payment to a worker.")
    return payable


def _own_wallet(application: Application, job: Job, address: str) -> WalletAddress:
    wallet = kept_wallets(application.applicant).filter(url__iexact=address).first()
    if wallet is None:
        raise NotThere(f"The worker has no wallet {address}: they have to add it first.")
    if job.pricing == Pricing.FIXED_RECEIVE and wallet.asset != (job.asset_code, job.asset_scale):
        raise NotThere(f"{address} holds {wallet.asset_code}, and the job pays {job.asset_code}.")
    try:
        refuse_suspended([wallet])
    except WalletHostSuspended as refusal:
        raise NotThere(str(refusal)) from None
    return wallet


def _paid_there(
    payable: Payable, wallet: WalletAddress, at_once: bool, *, now: datetime
) -> Payment | None:
    payable.receiver = wallet
    payable.failures = 0 if at_once else payable.failures
    payable.save(update_fields=["receiver", "failures"])
    return start(payable, at=now) if at_once else None
