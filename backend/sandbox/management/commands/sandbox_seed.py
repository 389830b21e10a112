"""Fill a developer's world with people and jobs in every status."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from backend.clock import SYSTEM_CLOCK
from backend.errors import FaenaError
from backend.sandbox import people
from backend.sandbox.seed import Cast, seed


class Command(BaseCommand):
    """`manage.py sandbox_seed --owner-wallet ADDRESS --worker-wallet ADDRESS`."""

    help = "Fill a developer's world with people and jobs in every status. Safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--owner-wallet", required=True, help="where the owner pays from")
        parser.add_argument("--worker-wallet", required=True, help="where workers are paid")
        parser.add_argument("--password", help="of who is new; without, nobody can log in as them")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("This is for a developer's world: it needs DEBUG=1.")
        now = SYSTEM_CLOCK.now()

        def settle(somebody: people.Somebody, wallet: str) -> Any:
            return people.settle(somebody, wallet=wallet, password=options["password"], now=now)

        try:
            cast = Cast(
                owner=settle(people.FUNDER, options["owner_wallet"]),
                operator=settle(people.OPERATOR, options["owner_wallet"]),
                workers=[settle(each, options["worker_wallet"]) for each in people.WORKERS],
            )
        except FaenaError as error:
            raise CommandError(error.message) from error
        seeded = seed(cast=cast, now=now)
        self.stdout.write("Filled." if seeded else "Nothing to do: it was filled before.")
