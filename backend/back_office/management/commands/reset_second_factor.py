"""`manage.py reset_second_factor EMAIL`: for an operator who lost phone and recovery codes."""

import logging
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backend.accounts.emails import normalise_email
from backend.accounts.models import User
from backend.back_office import second_factor

log = logging.getLogger(__name__)


class Command(BaseCommand):
    """Forgets the second factor; the next log-in sets up another one."""

    help = "Forget an operator's second factor. Make sure first that it is they who ask."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")

    def handle(self, *, email: str, **_: Any) -> None:
        user = User.objects.filter(email=normalise_email(email)).first()
        if user is None:
            raise CommandError(f"There is no {email}.")
        if not second_factor.reset(user):
            raise CommandError(f"{user.email} has no second factor.")
        log.warning("the second factor of %s was reset", user.pk)
        self.stdout.write(f"{user.email} sets up a new second factor with the next log-in.")
