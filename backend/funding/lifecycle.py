"""What a payer may do with a funding, on one screen. The mutations ask the same table."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from backend.accounts.models import User
from backend.errors import AssetMismatch, FaenaError, InvalidTransition
from backend.funding.allocating import free_value, unpaid_fee
from backend.funding.errors import NotRefundable
from backend.funding.models import Funding
from backend.funding.status import (
    ALLOCATED,
    LIVE,
    TRANSITIONS,
    UNHEARD_OF,
    FundingMode,
    FundingStatus,
)
from backend.jobs.lifecycle.rules import Obstacle, Rule, Who
from backend.jobs.status import JobStatus
from backend.known import as_known
from backend.payments.errors import BeingLookedAt
from backend.payments.models import HeldGrant, Payment
from backend.payments.status import BEFORE_CONSENT, HeldGrantStatus

# A promise to workers who are at work, or whose work is being judged, cannot be taken back.
AT_WORK = frozenset({JobStatus.SUBMITTING, JobStatus.REVIEWING})
_ASKING = (HeldGrantStatus.CREATED, HeldGrantStatus.AWAITING_APPROVAL)


class FundingAction(StrEnum):
    """What somebody may do with a funding."""

    CANCEL = "CANCEL"
    REFUND = "REFUND"
    RENEW = "RENEW"


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingFacts:
    """What the rules of a funding look at.

    `decides`: its payer still decides about its first payment, or there is none. `looked_at`: its
    wallets are asked whether it was paid already. `is_asked`: its payer is being asked for a
    consent. `has_no_price`: nobody is promised any of it, and its payer's wallet has another asset
    than the job. `free`: what could go back of what the treasury holds.
    """

    roles: frozenset[Who]
    status: str
    mode: str
    job_status: str
    decides: bool
    looked_at: bool
    is_asked: bool
    has_no_price: bool
    free: int


def funding_facts(*, user: User, fundings: Collection[Funding]) -> dict[UUID, FundingFacts]:
    """The facts of fundings by their ids, in at most two queries; jobs and wallets are loaded.

    And one more pair for each that the treasury holds, or that is to be paid in another asset.
    """
    mine = [each.id for each in fundings if each.payer_id == user.pk]
    asked = set(
        HeldGrant.objects.filter(reference__in=mine, status__in=_ASKING).values_list(
            "reference", flat=True
        )
    )
    payments = list(
        Payment.objects.filter(reference__in=mine).values_list(
            "reference", "status", "look_up_since"
        )
    )
    begun = {each for each, status, _since in payments if status not in BEFORE_CONSENT}
    looked_at = {each for each, _status, since in payments if since is not None}
    return {
        each.id: FundingFacts(
            roles=frozenset({Who.PAYER if each.payer_id == user.pk else Who.OTHER}),
            status=each.status,
            mode=each.mode,
            job_status=each.job.status,
            decides=each.id not in begun,
            looked_at=each.id in looked_at,
            is_asked=each.id in asked,
            has_no_price=each.payer_id == user.pk and _has_no_price(each),
            free=free_value(each) if _is_held(each) and each.payer_id == user.pk else 0,
        )
        for each in fundings
    }


def _is_held(funding: Funding) -> bool:
    return funding.mode == FundingMode.ESCROW and funding.status in LIVE


def _has_no_price(funding: Funding) -> bool:
    wallet = funding.payer_wallet
    if funding.mode != FundingMode.PREAPPROVED or wallet is None:
        return False
    if wallet.asset == (funding.asset_code, funding.asset_scale):
        return False
    promised = funding.allocations.filter(status__in=sorted(ALLOCATED))
    return not promised.exists() and unpaid_fee(funding) <= 0


def _cannot_become(new: FundingStatus) -> Callable[[FundingFacts], FaenaError]:
    def refusal(facts: FundingFacts) -> FaenaError:
        return InvalidTransition(
            subject=_("This funding"),
            old=facts.status,
            new=new,
            allowed=tuple(sorted(TRANSITIONS[as_known(facts.status, otherwise=UNHEARD_OF)])),
        )

    return refusal


def _not_refundable(facts: FundingFacts) -> FaenaError:
    return NotRefundable(
        _("Nothing is held of this funding that is not promised to a worker."),
        path=("fundingId",),
    )


def _nobody_to_quote_for(facts: FundingFacts) -> FaenaError:
    return AssetMismatch(
        _(
            "Nobody is promised any of this funding, and your wallet has another asset than the "
            "job: nobody can say yet what to ask you for. Select the workers, then use preFundJob."
        ),
        path=("fundingId",),
    )


def _money_is_on_its_way(facts: FundingFacts) -> bool:
    waits = facts.status == FundingStatus.AWAITING_APPROVAL
    return waits and facts.mode != FundingMode.PREAPPROVED and not facts.decides


def _is_looked_at(facts: FundingFacts) -> bool:
    return facts.status == FundingStatus.AWAITING_APPROVAL and facts.looked_at


def _wallets_come_first(facts: FundingFacts) -> FaenaError:
    return BeingLookedAt(
        _(
            "The wallets are being asked whether this was paid already, because a backup "
            "was restored or nobody was at work for a while. Try again in a minute."
        ),
        path=("fundingId",),
    )


def _workers_rely_on_it(facts: FundingFacts) -> bool:
    return facts.status != FundingStatus.AWAITING_APPROVAL and facts.job_status in AT_WORK


_ONLY_PAYER = _("Only the payer of this funding can do this.")
_A, _S = FundingAction, FundingStatus
RULES: dict[FundingAction, Rule[FundingFacts]] = {
    _A.CANCEL: Rule(
        who=frozenset({Who.PAYER}),
        otherwise=_ONLY_PAYER,
        statuses=(_S.AWAITING_APPROVAL, *sorted(LIVE), _S.LAPSED),
        wrong_status=_cannot_become(_S.CANCELED),
        obstacles=(
            Obstacle(_money_is_on_its_way, _cannot_become(_S.CANCELED)),
            Obstacle(_is_looked_at, _wallets_come_first),
            Obstacle(_workers_rely_on_it, _cannot_become(_S.CANCELED)),
        ),
    ),
    _A.REFUND: Rule(
        who=frozenset({Who.PAYER}),
        otherwise=_ONLY_PAYER,
        statuses=tuple(sorted(LIVE)),
        wrong_status=_not_refundable,
        obstacles=(Obstacle(lambda facts: facts.free <= 0, _not_refundable),),
    ),
    _A.RENEW: Rule(
        who=frozenset({Who.PAYER}),
        otherwise=_ONLY_PAYER,
        statuses=(*sorted(LIVE), _S.LAPSED),
        wrong_status=_cannot_become(_S.SECURED),
        obstacles=(
            Obstacle(
                lambda facts: facts.mode != FundingMode.PREAPPROVED or facts.is_asked,
                _cannot_become(_S.SECURED),
            ),
            Obstacle(lambda facts: facts.has_no_price, _nobody_to_quote_for),
        ),
    ),
}
