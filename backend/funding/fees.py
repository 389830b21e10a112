"""The platform's fee: a part of what arrives at workers, paid by the payer on top, last of all.

Values are in the smallest unit of the job's asset. Everything is computed from sums, never part by
part, so that parts come to exactly the whole.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Q, Sum
from django.utils.translation import gettext_lazy as _

from backend.accounts.models import Asset, WalletAddress
from backend.funding.models import Funding, Payable, Seller
from backend.funding.queries import NEXT_TO_NOTHING, can_be_earned
from backend.funding.sellers import register
from backend.funding.status import UNPAID, FundingMode
from backend.jobs.errors import AmountOutOfRange
from backend.jobs.models import LARGEST_VALUE, Job
from backend.open_payments.types import Amount
from backend.payments.errors import TOO_SMALL
from backend.payments.models import Payment
from backend.payments.status import PaymentPurpose

log = logging.getLogger(__name__)

WHOLE = 10_000  # basis points
SLUG = "platform-fee"


@dataclass(frozen=True, slots=True)
class Terms:
    """At which rate, in basis points, a fee is taken, and to which wallet; None: there is none."""

    bps: int = 0
    wallet: WalletAddress | None = None


NO_FEE = Terms()


# --- arithmetic -----------------------------------------------------------------------------------


def fee_on(value: int, bps: int) -> int:
    """The fee for `value` that arrives at workers, rounded down."""
    return value * bps // WHOLE


def most_within(value: int, bps: int) -> int:
    """The most that workers can get so that it makes, with the fee on it, at most `value`."""
    return ((value + 1) * WHOLE - 1) // (WHOLE + bps)


# --- what is taken now ----------------------------------------------------------------------------


def terms_of_assets(assets: list[Asset]) -> dict[Asset, Terms]:
    """The terms of today for jobs in each of `assets`, in one statement."""
    found = dict.fromkeys(assets, NO_FEE)
    bps = int(settings.PLATFORM_FEE_BPS)
    if bps == 0 or not settings.PLATFORM_FEE_WALLET_ADDRESS_URLS:
        return found
    sellers = Seller.objects.filter(is_fee_wallet=True, active=True).select_related("wallet")
    for seller in sellers.order_by("-slug"):  # the first of an asset stays
        if seller.wallet.asset in found:
            found[seller.wallet.asset] = Terms(bps, seller.wallet)
    return found


def terms_of(job: Job, mode: FundingMode) -> Terms:
    """The terms of today for a funding of `job`: where a seller is paid at once there is no fee."""
    if mode is FundingMode.DIRECT:
        return NO_FEE
    asset = asset_of(job)
    return terms_of_assets([asset])[asset]


def asset_of(job: Job) -> Asset:
    return Asset(job.asset_code, job.asset_scale)


def with_fee(job: Job, value: int, terms: Terms) -> Amount:
    """What a payer pays so that workers can get `value`.

    Raises:
        AmountOutOfRange: more than anybody can count.
    """
    total = value + fee_on(value, terms.bps)
    if total > LARGEST_VALUE:
        raise AmountOutOfRange(_("The sum and the platform's fee are too large."), path=("jobId",))
    return job.amount(total)


# --- what a funding owes --------------------------------------------------------------------------


def earned(funding: Funding) -> int:
    """The fee that is owed now, paid or not, for what has arrived; without what was waived."""
    unpaid = funding.payables.filter(
        purpose=PaymentPurpose.PLATFORM_FEE, status__in=sorted(UNPAID)
    ).aggregate(sum=Sum("value"))
    return funding.fee_paid_value + (unpaid["sum"] or 0)


def to_earn(funding: Funding, work: int) -> int:
    """The fee that is not owed yet and will be, once `work` in all has arrived at workers."""
    return fee_on(work, funding.fee_bps) - earned(funding)


def is_for_the_platform(payable: Payable) -> bool:
    return payable.purpose == PaymentPurpose.PLATFORM_FEE


def has_to_wait(payable: Payable) -> bool:
    """Whether a fee comes too early: something is still promised to a worker out of its funding.

    A wallet's own charge for sending the fee would come out of what the payer consented to, and a
    worker could find too little left of it.
    """
    return is_for_the_platform(payable) and can_be_earned(payable.funding)


def cannot_be_sent(payable: Payable, payment: Payment) -> bool:
    """Whether `payment` has failed because a fee is less than its own cost.

    Only a fee that is next to nothing is let go when the payer's wallet says so, to its owner's
    gain; about others a person decides. The treasury's wallet is the platform's own.
    """
    if not is_for_the_platform(payable) or payment.failure_code != TOO_SMALL.code:
        return False
    return payable.funding.mode == FundingMode.ESCROW or payable.value <= NEXT_TO_NOTHING


def is_there_already(funding: Funding) -> bool:
    """Whether what is held for the funding is held in the very wallet that the fee goes to."""
    return (
        funding.mode == FundingMode.ESCROW
        and funding.seller is not None
        and funding.fee_wallet is not None
        and funding.seller.wallet.url.lower() == funding.fee_wallet.url.lower()
    )


# --- wallets --------------------------------------------------------------------------------------


def register_fee_wallets(*, now: datetime) -> int:
    """Make PLATFORM_FEE_WALLET_ADDRESS_URLS the platform's fee wallets; return how many there are.

    Safe to repeat, as `register` is. One that is not named any more takes no part in new fundings;
    those that were asked for with it still pay it.

    Raises:
        WalletUnusable: a wallet cannot be read now; those before it are registered.
    """
    slugs, assets = [], set()
    for number, address in enumerate(settings.PLATFORM_FEE_WALLET_ADDRESS_URLS, start=1):
        seller = register(f"{SLUG}-{number:02}", address, is_fee_wallet=True, now=now)
        slugs.append(seller.slug)
        if seller.wallet.asset in assets:
            log.warning("%s is not used: another fee wallet has its asset", seller.wallet)
        assets.add(seller.wallet.asset)
    ours = Seller.objects.filter(is_fee_wallet=True)
    named = Q(slug__in=slugs)
    ours.filter(named, active=False).update(active=True)
    ours.filter(~named, active=True).update(active=False)
    return len(slugs)
