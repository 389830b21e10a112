"""`manage.py erase_person EMAIL_OR_ID`: forget who somebody is; the books stay."""

import logging
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from backend.accounts.emails import normalise_email
from backend.accounts.erasing import erase_person, hindrances_to_erasing
from backend.accounts.errors import StillNeeded
from backend.accounts.models import User
from backend.clock import SYSTEM_CLOCK

log = logging.getLogger(__name__)


class Command(BaseCommand):
    """Says what stands in the way; with --yes, and if nothing does, it erases."""

    help = "Erase a person for good. Without --yes it only says whether that is possible."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("who", help="their e-mail address, or the id that the admin shows")
        parser.add_argument("--yes", action="store_true", help="do it; nothing brings them back")

    def handle(self, *, who: str, yes: bool, **_: Any) -> None:
        person = _find(who)
        if person is None:
            raise CommandError(f"There is no {who}.")
        if not yes:
            self._say_whether_it_is_possible(person)
            return
        try:
            erased = erase_person(person_id=person.pk, now=SYSTEM_CLOCK.now())
        except StillNeeded as refusal:
            raise CommandError(_lines(refusal)) from None
        log.warning("person %s was erased", erased.pk)
        self.stdout.write(f"Person {erased.pk} is erased since {erased.erased_at:%Y-%m-%d}.")

    def _say_whether_it_is_possible(self, person: User) -> None:
        if hindrances := hindrances_to_erasing(person):
            raise CommandError(_lines(StillNeeded(hindrances)))
        self.stdout.write(f"Person {person.pk} can be erased. With --yes they are, for good.")


def _find(who: str) -> User | None:
    try:
        return User.objects.filter(pk=UUID(who)).first()
    except ValueError:
        return User.objects.filter(email=normalise_email(who)).first()


def _lines(refusal: StillNeeded) -> str:
    return "\n".join(["They cannot be erased yet.", *map(str, refusal.hindrances)])
