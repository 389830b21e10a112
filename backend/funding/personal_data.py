"""What funding keeps of people: what they put behind jobs, and what was promised to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from backend.accounts.models import User
from backend.accounts.personal import KEPT, Hindrance, PersonalData, by_page, hindrance
from backend.funding.models import Funding, Payable
from backend.funding.status import TRANSITIONS, PayableStatus

_OVER = sorted(status for status, following in TRANSITIONS.items() if not following)
_SETTLED = (PayableStatus.PAID, PayableStatus.WAIVED)


class FundingData(PersonalData):
    """Fundings and what is owed out of them: books of their own, in which people are ids."""

    relations: ClassVar[Mapping[str, str]] = {
        "funding.Funding.payer": f"{KEPT}whose money it was, by id"
    }

    def hindrances(self, person: User) -> Iterable[Hindrance]:
        theirs = Q(receiver__owner=person) | Q(funding__payer=person)
        return [
            *hindrance(
                "FUNDING_OPEN",
                _(
                    "Fundings of theirs have not ended: {count}. They cancel them or have the rest "
                    "paid back."
                ),
                Funding.objects.filter(payer=person).exclude(status__in=_OVER),
            ),
            *hindrance(
                "OWED",
                _(
                    "Sums are owed to them or out of their fundings: {count}. Pay them, or see why "
                    "they cannot be paid."
                ),
                Payable.objects.filter(theirs).exclude(status__in=_SETTLED),
            ),
        ]

    def wallets_money_went_through(self) -> Q:
        this = OuterRef("pk")
        return Q(Exists(Funding.objects.filter(payer_wallet=this))) | Q(
            Exists(Payable.objects.filter(receiver=this))
        )

    def export(self, person: User) -> Mapping[str, object]:
        fundings = Funding.objects.filter(payer=person)
        return {
            "fundings": (
                {
                    "id": each.pk,
                    "job": each.job_id,
                    "mode": each.mode,
                    "status": each.status,
                    "total": each.total.to_json(),
                    "released": each.released.to_json(),
                    "createdAt": each.created_at,
                }
                for each in by_page(fundings)
            )
        }
