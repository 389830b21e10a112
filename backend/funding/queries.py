"""What may be read of fundings, and by whom."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum

from backend.accounts.models import User
from backend.errors import ErrorCode
from backend.funding.models import Allocation, Funding, Payable
from backend.funding.status import (
    ALLOCATED,
    COUNTING,
    LIVE,
    UNHEARD_OF,
    FundingAssurance,
    FundingMode,
    FundingStatus,
    PayableStatus,
    assured_by,
    relied_on,
)
from backend.known import as_known
from backend.payments.models import HeldGrant, Payment
from backend.payments.status import HeldGrantStatus, PaymentPurpose

# What a wallet may call less than it costs to send: smallest units, or one in so many of a reward.
NEXT_TO_NOTHING = 100
LITTLE_OF_A_REWARD = 20
# Nothing, or next to nothing, would have arrived of it.
TOO_LITTLE_ARRIVES = frozenset({ErrorCode.AMOUNT_TOO_SMALL, ErrorCode.RATE_TOO_LOW})
# Here a wallet said something that nobody could check. Trying again by ourselves would let whoever
# runs it be paid twice; a person who has asked the other side may (`retryPayment`).
FOR_A_PERSON = frozenset({ErrorCode.NOT_DELIVERED, ErrorCode.PARTIALLY_DELIVERED})


def fundings_visible_to(user: User | None) -> QuerySet[Funding]:
    """The fundings that `user` pays or whose job is theirs; operators and auditors see all."""
    fundings = Funding.objects.select_related("job", "seller", "payer_wallet")
    if user is None or not user.is_authenticated:
        return fundings.none()
    if user.sees_everything:
        return fundings
    return fundings.filter(Q(payer=user) | Q(job__owner=user))


def allocations_visible_to(user: User | None) -> QuerySet[Allocation]:
    """The promises out of fundings that `user` sees, and those made to `user`."""
    allocations = Allocation.objects.select_related("funding", "application")
    if user is None or not user.is_authenticated:
        return allocations.none()
    if user.sees_everything:
        return allocations
    return allocations.filter(
        Q(funding__payer=user) | Q(funding__job__owner=user) | Q(application__applicant=user)
    )


def waiting_for_a_person() -> QuerySet[Payable]:
    """What is owed, has failed, and is not paid before somebody acts.

    They try it again, or see to a consent that suffices. Of a funding that has none at all its
    payer is told in its own words; a fee waits for others to be paid.
    """
    waits_for_consent = (
        Q(status=PayableStatus.OWED, due_at=None, failures__gt=0)
        & ~Q(purpose=PaymentPurpose.PLATFORM_FEE)
        & ~Q(funding__status=FundingStatus.LAPSED)
    )
    return Payable.objects.filter(Q(status=PayableStatus.STUCK) | waits_for_consent)


def in_doubt(payables: QuerySet[Payable]) -> QuerySet[Payable]:
    """Those of which something was sent that a wallet does not show, or not all of it."""
    failed = Payment.objects.filter(reference=OuterRef("pk"), failure_code__in=sorted(FOR_A_PERSON))
    return payables.filter(Exists(failed))


def last_failure() -> Subquery:
    """How the last payment for a payable has failed; for annotations of payables."""
    payments = Payment.objects.filter(reference=OuterRef("pk")).order_by("-created_at", "-id")
    return Subquery(payments.values("failure_code")[:1])


def dust_of(payables: QuerySet[Payable]) -> QuerySet[Payable]:
    """Those of them of which charges would leave nothing or next to it, as a wallet has said.

    A wallet is believed that only of what is little: a payer may run it. And not of what has grown
    since, or has another receiver now: nothing has failed of that yet.
    """
    waiting = payables.filter(
        Q(value__lte=NEXT_TO_NOTHING)
        | Q(value__lte=F("funding__job__reward_value") / LITTLE_OF_A_REWARD),
        status__in=[PayableStatus.OWED, PayableStatus.STUCK],
        failures__gt=0,
    )
    return waiting.annotate(last=last_failure()).filter(
        Q(last=ErrorCode.AMOUNT_TOO_SMALL)
        | Q(last=ErrorCode.RATE_TOO_LOW, purpose=PaymentPurpose.PAYOUT)
    )


def without_dust(payables: QuerySet[Payable]) -> QuerySet[Payable]:
    """Those of them of which enough would arrive, as far as no wallet has said otherwise."""
    return payables.exclude(id__in=dust_of(payables).values("id"))


def can_be_earned(funding: Funding) -> bool:
    """Whether more is promised to workers out of a funding than what no wallet would send."""
    promised = funding.allocations.filter(status__in=sorted(ALLOCATED)).aggregate(
        sum=Sum(F("amount_value") - F("returned_value") - F("released_value"))
    )
    dust = dust_of(funding.payables.filter(purpose=PaymentPurpose.PAYOUT))
    return (promised["sum"] or 0) > sum(dust.values_list("value", flat=True))


def fundings_of_references(references: Iterable[UUID]) -> dict[UUID, UUID]:
    """The funding behind each payment, by the payment's reference."""
    wanted = list(references)
    found = {id_: id_ for id_ in Funding.objects.filter(id__in=wanted).values_list("id", flat=True)}
    return found | dict(Payable.objects.filter(id__in=wanted).values_list("id", "funding_id"))


# What a job's workers may rely on when it has such a funding; of several the first of these, as
# `relied_on` says.
GIVEN_BY: dict[FundingAssurance, Q] = {
    FundingAssurance.NONE: Q(status=FundingStatus.LAPSED),
    FundingAssurance.AUTHORIZED: Q(mode=FundingMode.PREAPPROVED, status__in=sorted(LIVE)),
    FundingAssurance.HELD: Q(mode=FundingMode.ESCROW, status__in=sorted(LIVE)),
    FundingAssurance.PAID: Q(status=FundingStatus.SETTLED),
}


@dataclass(frozen=True, slots=True)
class MoneyBehind:
    """What stands behind a job: what workers may rely on, and the funding that counts, if any.

    Of several, `standing` is the one whose payer is being asked.
    """

    assurance: FundingAssurance = FundingAssurance.NONE
    standing: FundingStatus | None = None


def money_behind(job_ids: Iterable[UUID]) -> dict[UUID, MoneyBehind]:
    """What stands behind each job, in one query."""
    wanted = list(job_ids)
    found = dict.fromkeys(wanted, MoneyBehind())
    given: defaultdict[UUID, set[FundingAssurance | None]] = defaultdict(set)
    fundings = Funding.objects.filter(job_id__in=wanted)
    for job_id, mode, status in fundings.values_list("job_id", "mode", "status"):
        given[job_id].add(assured_by(mode, status))
        standing = _standing(found[job_id].standing, as_known(status, otherwise=UNHEARD_OF))
        found[job_id] = MoneyBehind(assurance=relied_on(given[job_id]), standing=standing)
    return found


def _standing(known: FundingStatus | None, status: FundingStatus) -> FundingStatus | None:
    # While a payer is being asked nobody asks again, whatever else stands there.
    if status not in COUNTING or known is FundingStatus.AWAITING_APPROVAL:
        return known
    return status


def assurance_of(job_ids: Iterable[UUID]) -> dict[UUID, FundingAssurance]:
    """What workers may rely on, per job, in one query."""
    return {job_id: money.assurance for job_id, money in money_behind(job_ids).items()}


def ends_of_consents(funding_ids: Collection[UUID]) -> dict[UUID, datetime]:
    """When the consent behind each funding ends by itself, for those that are held and do end."""
    held = HeldGrant.objects.filter(reference__in=funding_ids, status=HeldGrantStatus.HELD)
    # The newest is the one that payments are made with.
    ends = dict(held.order_by("id").values_list("reference", "ends_at"))
    return {funding_id: at for funding_id, at in ends.items() if at is not None}


def authorized_until(job_ids: Collection[UUID]) -> dict[UUID, datetime]:
    """When the first of the consents behind each job ends, for those where one does."""
    fundings = Funding.objects.filter(GIVEN_BY[FundingAssurance.AUTHORIZED], job_id__in=job_ids)
    jobs = dict(fundings.values_list("id", "job_id"))
    found: dict[UUID, datetime] = {}
    for funding_id, at in ends_of_consents(list(jobs)).items():
        job_id = jobs[funding_id]
        found[job_id] = min(at, found.get(job_id, at))
    return found


def jobs_with_assurance(wanted: Collection[FundingAssurance]) -> Q:
    """A condition on jobs: those for which `assurance_of` says one of `wanted`."""
    condition, nothing_before = Q(pk__in=[]), Q()
    for assurance, given_by in GIVEN_BY.items():
        given = Q(Exists(Funding.objects.filter(given_by, job_id=OuterRef("pk"))))
        if assurance in wanted:
            condition |= nothing_before & given
        nothing_before &= ~given
    if FundingAssurance.NONE in wanted:
        condition |= nothing_before
    return condition
