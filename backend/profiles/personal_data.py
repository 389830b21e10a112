"""What profiles keep of people: what they say about themselves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from backend.accounts.models import User
from backend.accounts.personal import PersonalData


class ProfileData(PersonalData):
    """The columns of accounts.User that profiles write."""

    def erase(self, person: User, *, now: datetime) -> None:
        User.objects.filter(pk=person.pk).update(bio="", languages=[], avatar=None, muted=[])

    def export(self, person: User) -> Mapping[str, object]:
        return {
            "profile": {
                "bio": person.bio,
                "languages": person.languages,
                "avatarFileId": person.avatar_id,
                "notify": person.notify,
            }
        }
