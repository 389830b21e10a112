"""From an offer of a marketplace outside to a job and its payment here.

An offer's id is either a job of ours, which is funded as it is, or a name that the marketplace
outside gave. Then a job that only its owner sees stands for it. All about money is decided by
`funding`: this is a way in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from backend import open_payments
from backend.accounts.models import Asset, User, WalletAddress
from backend.accounts.wallets import add_wallet, kept_wallets
from backend.errors import FaenaError, ValidationFailed, WalletRequired
from backend.funding.errors import AlreadyFunded
from backend.funding.models import Funding, Payable, Seller
from backend.funding.services import fund_job, seller_named
from backend.funding.status import COUNTING, FundingMode, FundingStatus
from backend.guide.amounts import exact_amount
from backend.guide.models import Offer, OfferJob, OfferKind
from backend.ids import global_id, new_id, read_global_id
from backend.jobs.endings import cancel_job
from backend.jobs.models import Job
from backend.jobs.posting import create_job, publish_job
from backend.jobs.queries import jobs_visible_to
from backend.jobs.status import DeliverableType, JobStatus
from backend.jobs.validation import JobData
from backend.open_payments.types import Amount
from backend.payments.models import Payment
from backend.payments.queries import payments_visible_to

LONGEST_REFERENCE = 255
_PAYER = ("buyerWalletAddressUrl",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a marketplace wants paid, by whom and to whom. `amount` is as it was sent."""

    owner: User
    wallet: WalletAddress
    amount: object
    seller_id: str | None
    return_url: str
    now: datetime

    def exact(self) -> tuple[Seller, Amount]:
        """The payee, and the sum in its asset.

        Raises:
            SellerNotFound, ValidationFailed, AmountTooLarge: see there.
        """
        seller = seller_named(self.seller_id)
        return seller, exact_amount(self.amount, seller.wallet.asset)


def start_payment(wish: Wish, *, offer_id: str) -> Payment:
    """Ask for the payment of an offer; the payer's redirectUrl follows in a second or two.

    Safe to repeat while its payer decides: the same wish is the same payment.

    Raises:
        ValidationFailed, AmountTooLarge, SellerNotFound: the wish is unusable.
        AlreadyFunded: the offer is paid, or its payer is being asked for something else.
        Whatever `fund_job` refuses.
    """
    if (job := job_of_ours(wish.owner, offer_id)) is not None:
        amount = exact_amount(wish.amount, Asset(job.asset_code, job.asset_scale))
        with transaction.atomic():
            asked = _being_asked(job, lock=True)
            same = asked and _is_same(asked, wish, seller_named(wish.seller_id), amount)
            return asked if asked and same else fund(job, wish, amount)
    with transaction.atomic():
        seller, amount = wish.exact()
        offer = locked_offer(wish.owner, offer_id, kind=OfferKind.OFFER, now=wish.now)
        job = newest_job(offer)
        if job is not None and (asked := _being_asked(job)):
            if _is_same(asked, wish, seller, amount):
                return asked
            raise already_asked()
        return fund(job_to_fund(offer, job, wish, amount, title=f"Offer {offer_id}"), wish, amount)


def fund(job: Job, wish: Wish, amount: Amount) -> Payment:
    """Have the whole budget of `job` paid to the seller; joins the caller's transaction.

    Raises:
        Whatever `fund_job` refuses.
    """
    funded = fund_job(
        payer=wish.owner,
        job_id=job.id,
        mode=FundingMode.DIRECT,
        seller=wish.seller_id,
        payer_wallet_id=wish.wallet.id,
        expected_total=amount,
        return_url=wish.return_url,
        idempotency_key=new_id(),
        now=wish.now,
    )
    assert funded.payment is not None, "the key is new"
    return funded.payment


def job_of_ours(user: User, offer_id: str) -> Job | None:
    """The job that an offer's id names, as GraphQL or its database writes it; None: it is none."""
    found = read_global_id(offer_id)
    try:
        key = UUID(offer_id) if found is None else found[1]
    except ValueError:
        return None
    if found is not None and found[0] != "Job":
        return None
    # What stands for an offer outside is known by its name there.
    return jobs_visible_to(user).filter(id=key, listed=True).first()


def locked_offer(owner: User, reference: str, *, kind: OfferKind, now: datetime) -> Offer:
    """The offer of this name, one caller at a time until the transaction ends.

    Raises:
        ValidationFailed: the name is unusable.
    """
    if not _is_name(reference):
        raise ValidationFailed(
            _("The name of an offer has 1 to {most} printable characters."),
            path=("offerId",),
            most=LONGEST_REFERENCE,
        )
    names = {"owner": owner, "reference": reference, "kind": kind}
    Offer.objects.get_or_create(**names, defaults={"created_at": now})
    return Offer.objects.select_for_update().get(**names)


def _is_name(reference: str) -> bool:
    is_short = len(reference) <= LONGEST_REFERENCE
    return is_short and reference.isprintable() and reference.strip() != ""


def newest_job(offer: Offer) -> Job | None:
    """The job that stands for the offer now; None before there is one."""
    newest = OfferJob.objects.filter(offer=offer).select_related("job").order_by("-id").first()
    return newest.job if newest else None


def job_to_fund(offer: Offer, job: Job | None, wish: Wish, amount: Amount, *, title: str) -> Job:
    """`job` if it can still be funded with `amount`, else another one in its place.

    Raises:
        AlreadyFunded: there is money behind it.
    """
    if job is not None:
        if Funding.objects.filter(job=job, status__in=sorted(COUNTING)).exists():
            raise AlreadyFunded(_("This offer is paid already."), path=("offerId",))
        if job.status == JobStatus.RECRUITING:
            lasts = job.expires_at is not None and job.expires_at > wish.now
            if lasts and job.total_budget == amount:
                return job
            cancel_job(
                user=wish.owner, job_id=job.id, reason="The offer has changed.", now=wish.now
            )
    return another_job(offer, wish, amount, title=title)


def another_job(offer: Offer, wish: Wish, amount: Amount, *, title: str) -> Job:
    """A job that only its owner sees, for all that the offer is paid."""
    data = JobData(
        title=title[:200],
        description="It stands for work that another marketplace offers.",
        deliverables=[DeliverableType.TEXT],
        reward=amount,
    )
    job = create_job(owner=wish.owner, data=data, listed=False, now=wish.now)
    OfferJob.objects.create(offer=offer, job=job, created_at=wish.now)
    return publish_job(user=wish.owner, job_id=job.id, now=wish.now)


def newest_payment(job: Job) -> Payment | None:
    """The payment of the newest funding of a job that stands for an offer."""
    fundings = Funding.objects.filter(job=job).values("id")
    payments = Payment.objects.filter(reference__in=fundings).select_related("sender", "receiver")
    return payments.order_by("-id").first()


def _being_asked(job: Job, *, lock: bool = False) -> Payment | None:
    """The payment whose payer is being asked for this job, if any."""
    if lock:
        Job.objects.select_for_update().get(id=job.id)
    awaited = Funding.objects.filter(job=job, status=FundingStatus.AWAITING_APPROVAL)
    payments = Payment.objects.filter(reference__in=awaited.values("id"))
    return payments.select_related("sender", "receiver").order_by("-id").first()


def _is_same(payment: Payment, wish: Wish, seller: Seller, amount: Amount) -> bool:
    return (
        payment.payer_id == wish.owner.id
        and payment.sender_id == wish.wallet.id
        and payment.receiver_id == seller.wallet_id
        and payment.receive_amount == amount
    )


def already_asked() -> AlreadyFunded:
    """The refusal of a second payment beside one that is there."""
    return AlreadyFunded(
        _("There is a payment of this offer already, for another sum or between other wallets."),
        path=("offerId",),
    )


def payer_url(address: object) -> str:
    """The buyer's wallet address as it is kept.

    Raises:
        WalletRequired: there is none.
        ValidationFailed: it is not spelt like one.
    """
    if not isinstance(address, str) or not address.strip():
        raise WalletRequired(_("Send the wallet address of whoever pays."), path=_PAYER)
    try:
        return open_payments.normalise_wallet_address(address, settings.OP_DEV_ORIGINS)
    except open_payments.InvalidWalletAddress as error:
        raise ValidationFailed(_(str(error)), path=_PAYER) from None


def known_payer(*, owner: User, url: str) -> WalletAddress | None:
    """The buyer's wallet if it is kept among its owner's."""
    return kept_wallets(owner).filter(url=url).first()


def new_payer(*, owner: User, url: str, now: datetime) -> WalletAddress:
    """The buyer's wallet, read and kept among its owner's.

    Raises:
        ValidationFailed, WalletUnusable, RateLimited, AssetMismatch: see `add_wallet`.
    """
    try:
        return add_wallet(user=owner, address=url, make_default=False, now=now)
    except FaenaError as error:
        error.path = _PAYER
        raise


def payments_of_offer(user: User, offer_id: str) -> QuerySet[Payment]:
    """The payments behind an offer, those for it and those out of what is held for it."""
    job = job_of_ours(user, offer_id)
    if job is not None:
        jobs: list[UUID] = [job.id]
    elif not _is_name(offer_id):
        jobs = []  # nothing is called so, and PostgreSQL would not even look for a NUL
    else:
        named = OfferJob.objects.filter(
            offer__owner=user,
            offer__reference=offer_id,
            offer__kind__in=[OfferKind.OFFER, OfferKind.ESCROW],
        )
        jobs = list(named.values_list("job_id", flat=True))
    fundings = Funding.objects.filter(job__in=jobs).values("id")
    owed = Payable.objects.filter(funding__job__in=jobs).values("id")
    return payments_visible_to(user).filter(reference__in=fundings.union(owed, all=True))


def offer_ids(job_ids: Iterable[UUID]) -> dict[UUID, str]:
    """What each job is called outside: its offer's id there, else its own as GraphQL writes it."""
    wanted = list(job_ids)
    outside = OfferJob.objects.filter(job_id__in=wanted).values_list("job_id", "offer__reference")
    return {job_id: global_id("Job", job_id) for job_id in wanted} | dict(outside)
