"""Paying somebody into another of their own wallets: the one they named cannot be paid any more.

A wallet closes, or changes its asset, and what is owed to its owner would be owed for ever: to a
worker their pay, and to a payer what the treasury sends back.
"""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

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
    """They cannot be paid there; the message says why, to an operator."""


def pay_elsewhere(*, payment_id: UUID, address: str, now: datetime) -> list[Payment]:
    """Pay what a failed payment was for, as an operator, into its owner's wallet at `address`.

    It has to be one that the worker, or the payer of a refund, has added. What else they are owed
    for the same work, or back out of the same funding, and will be, goes there too. Returns the
    payments that begin; what waits for a consent begins after it, and what a wallet does not show,
    though it was sent, once somebody has looked and tries it again.

    Raises:
        NotThere: that cannot be, and nothing was changed.
    """
    with transaction.atomic():
        named = _owed_by(payment_id)
        job = Job.objects.select_for_update().get(id=named.funding.job_id)
        wallet = _own_wallet(named, job, address)
        unpaid = _all_of(named).filter(status__in=[PayableStatus.OWED, PayableStatus.STUCK])
        waiting = list(unpaid.select_related(*(f"funding__{each}" for each in NEEDED)))
        if not waiting:
            raise NotThere("Nothing of it is owed without being paid just now.")
        if named.allocation is not None:
            _name_as_payout_wallet(named.allocation.application, wallet, now=now)
        # What has perhaps arrived is sent again by who names it, and not along with something else.
        doubtful = set(in_doubt(unpaid).exclude(id=named.id).values_list("id", flat=True))
        begun = [_paid_there(each, wallet, each.id not in doubtful, now=now) for each in waiting]
        log.warning("payable %s is paid to %s from now on", named.id, wallet.url)
        for funding in {payable.funding_id: payable.funding for payable in waiting}.values():
            tell_people(funding, at=now)
    return [payment for payment in begun if payment is not None]


def _owed_by(payment_id: UUID) -> Payable:
    paid_for = Payment.objects.filter(
        id=payment_id, purpose__in=[PaymentPurpose.PAYOUT, PaymentPurpose.REFUND]
    )
    payable = (
        Payable.objects.filter(id__in=paid_for.values("reference"))
        .select_related("allocation__application__applicant", "funding__payer")
        .first()
    )
    if payable is None:
        raise NotThere(f"{payment_id} is no payment to a worker, and none back to a payer.")
    return payable


def _all_of(named: Payable) -> QuerySet[Payable]:
    """What its owner is owed for the same work, or back out of the same funding; oldest first."""
    if named.allocation is None:
        of_it = Payable.objects.filter(funding=named.funding_id, purpose=PaymentPurpose.REFUND)
    else:
        application = named.allocation.application_id
        of_it = Payable.objects.filter(allocation__application=application)
    return of_it.order_by("id")


def _own_wallet(named: Payable, job: Job, address: str) -> WalletAddress:
    allocation = named.allocation
    owner = named.funding.payer if allocation is None else allocation.application.applicant
    wallet = kept_wallets(owner).filter(url__iexact=address).first()
    if wallet is None:
        raise NotThere(f"They have no wallet {address}: they have to add it first.")
    # What goes back is converted where it has to be, as what was paid in was.
    is_fixed = allocation is not None and job.pricing == Pricing.FIXED_RECEIVE
    if is_fixed and wallet.asset != (job.asset_code, job.asset_scale):
        raise NotThere(f"{address} holds {wallet.asset_code}, and the job pays {job.asset_code}.")
    try:
        refuse_suspended([wallet])
    except WalletHostSuspended as refusal:
        raise NotThere(str(refusal)) from None
    return wallet


def _name_as_payout_wallet(
    application: Application, wallet: WalletAddress, *, now: datetime
) -> None:
    Application.objects.filter(id=application.id).update(
        payout_wallet=wallet,
        payout_url=wallet.url,
        payout_asset_code=wallet.asset_code,
        payout_asset_scale=wallet.asset_scale,
        updated_at=now,
    )


def _paid_there(
    payable: Payable, wallet: WalletAddress, at_once: bool, *, now: datetime
) -> Payment | None:
    payable.receiver = wallet
    payable.failures = 0 if at_once else payable.failures
    payable.save(update_fields=["receiver", "failures"])
    return start(payable, at=now) if at_once else None
