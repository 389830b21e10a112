"""What notifications keep of people: which mails they got."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from backend.accounts.models import User
from backend.accounts.personal import ERASED, PersonalData, by_page
from backend.notifications.models import Mail


class MailData(PersonalData):
    """Mails, sent and in line. What they say is nowhere."""

    relations: ClassVar[Mapping[str, str]] = {"notifications.Mail.recipient": ERASED}

    def erase(self, person: User, *, now: datetime) -> None:
        Mail.objects.filter(recipient=person).delete()

    def export(self, person: User) -> Mapping[str, object]:
        mails = Mail.objects.filter(recipient=person)
        return {
            "mails": (
                {"about": each.kind, "status": each.status, "createdAt": each.created_at}
                for each in by_page(mails)
            )
        }
