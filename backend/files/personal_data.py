"""What files keep of people: what they uploaded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from backend.accounts.models import User
from backend.accounts.personal import ERASED, KEPT, PersonalData, by_page, not_referred_to
from backend.files.models import File
from backend.files.sweeping import forget


class FileData(PersonalData):
    """Files. What still refers to one when its owner is erased has decided to keep it."""

    relations: ClassVar[Mapping[str, str]] = {
        "files.File.owner": f"{ERASED}, or {KEPT}attached to what another person has a right to"
    }

    def erase(self, person: User, *, now: datetime) -> None:
        forget(File.objects.filter(not_referred_to(File), owner=person), now=now)

    def export(self, person: User) -> Mapping[str, object]:
        return {
            "files": (
                {
                    "id": each.pk,
                    "name": each.name,
                    "mediaType": each.media_type,
                    "size": each.size,
                    "sha256": each.sha256,
                    "createdAt": each.created_at,
                }
                for each in by_page(File.objects.filter(owner=person))
            )
        }
