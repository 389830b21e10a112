"""Erasing a person: who they are is forgotten, what they paid and were paid stays in the books."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from backend.accounts import personal
from backend.accounts.errors import StillNeeded
from backend.accounts.models import User
from backend.accounts.personal import Hindrance
from backend.errors import NotFound


def hindrances_to_erasing(person: User) -> Sequence[Hindrance]:
    """What has to end before `person` can be erased; nothing: they can be now."""
    return [each for data in personal.registered() for each in data.hindrances(person)]


def erase_person(*, person_id: UUID, now: datetime) -> User:
    """Detach a person from what is kept of them, and forget the rest: all of it or nothing.

    What each domain forgets and keeps is in docs/privacy.md. Bytes of files are deleted after the
    commit. Safe to repeat: what a request under way has written since is forgotten as well.

    Raises:
        NotFound: there is no such person.
        StillNeeded: money of theirs moves or is owed, or somebody counts on them.
    """
    with transaction.atomic():
        # Of two operators the second waits, and finds nothing more to do. A request that was let
        # in before may still write, since keys to people are checked at the commit only. Nothing
        # it begins moves money without their approval, and erasing again takes what it wrote.
        person = User.objects.select_for_update().filter(id=person_id).first()
        if person is None:
            raise NotFound(_("There is no such person."))
        if hindrances := hindrances_to_erasing(person):
            raise StillNeeded(hindrances)
        # From the top down: what is below is let go once nothing above refers to it.
        for data in reversed(personal.registered()):
            data.erase(person, now=now)
    return person
