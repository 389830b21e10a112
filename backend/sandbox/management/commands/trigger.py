"""Make an event happen in a developer's world."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from backend.accounts.models import User
from backend.errors import FaenaError
from backend.sandbox.people import FUNDER
from backend.sandbox.triggering import DECISIONS, NothingMoves, Scene, ended_as, trigger


class Command(BaseCommand):
    """`manage.py trigger payment.completed`."""

    help = "Make an event happen in the world of `make up`, by a real payment between its wallets."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("event", choices=sorted(DECISIONS))
        parser.add_argument("--payer", default=FUNDER.email, help="whose e-mail address it is")
        parser.add_argument("--control", help="of the sandbox wallet; left out, as up.json says")

    def handle(self, *, event: str, payer: str, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("This is for a developer's world: it needs DEBUG=1.")
        user = User.objects.filter(email=payer).first()
        if user is None:
            raise CommandError(f"There is no {payer} here: is this the world's database?")
        control = options["control"] or _control_of_the_world()
        wallets = "/".join(control.split("/")[:3])
        # The world says where its wallets are, also where no environment does.
        settings.OP_DEV_ORIGINS |= {wallets}
        # Nobody pays the wallet that our key belongs to.
        scene = Scene(payer=user, control=control, silent_wallet=f"{wallets}/platform")
        try:
            payment = trigger(event, scene=scene)
        except (FaenaError, NothingMoves) as error:
            raise CommandError(str(error)) from error
        if not ended_as(event, payment):
            raise CommandError(f"The payment {payment.id} ended as {payment.status}.")
        self.stdout.write(f"{event}: payment {payment.id} is {payment.status}")


def _control_of_the_world() -> str:
    report = Path(settings.VAR_DIR) / "up.json"
    try:
        return str(json.loads(report.read_text())["sandbox"]["control"])
    except (OSError, ValueError, LookupError) as error:
        raise CommandError(f"{report} does not say it: is `make up` running?") from error
