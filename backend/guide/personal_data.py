"""What the guide's contract keeps of people: how a marketplace of theirs calls its offers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from backend.accounts.models import User
from backend.accounts.personal import ERASED, PersonalData, by_page
from backend.guide.models import Offer


class OfferData(PersonalData):
    """Names of offers, which may be descriptions. That an offer was paid stays."""

    relations: ClassVar[Mapping[str, str]] = {"guide.Offer.owner": f"{ERASED}: its name"}

    def erase(self, person: User, *, now: datetime) -> None:
        for offer in Offer.objects.filter(owner=person):
            # Each of its own: an owner has a name once.
            Offer.objects.filter(pk=offer.pk).update(reference=f"erased:{offer.pk}")

    def export(self, person: User) -> Mapping[str, object]:
        offers = Offer.objects.filter(owner=person)
        return {
            "offers": (
                {"name": each.reference, "kind": each.kind, "createdAt": each.created_at}
                for each in by_page(offers)
            )
        }
