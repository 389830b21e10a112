"""What the back office keeps of people: operators' second factor, and what operators did."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from backend.accounts.models import User
from backend.accounts.personal import ERASED, KEPT, PersonalData
from backend.back_office.models import SecondFactor


class OperatorData(PersonalData):
    """Rows about those who are, or were, operators."""

    relations: ClassVar[Mapping[str, str]] = {
        "back_office.SecondFactor.user": ERASED,
        "admin.LogEntry.user": f"{KEPT}which operator did what, by id; people in it are ids too",
    }

    def erase(self, person: User, *, now: datetime) -> None:
        SecondFactor.objects.filter(user=person).delete()
