"""manage.py pay_elsewhere: pay somebody whose wallet cannot be paid into another one of theirs."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from backend.clock import SYSTEM_CLOCK
from backend.funding.elsewhere import NotThere, pay_elsewhere


class Command(BaseCommand):
    """Pay what a failed payment was for into another wallet that its receiver has added.

    A worker is paid so, and a payer is paid back.

    Ask them by a way that you know to be theirs: whoever has taken over an account can add a wallet
    to it.
    """

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("payment", type=UUID, help="the failed payment's UUID")
        parser.add_argument("wallet", help="the wallet's address, as its owner's wallets show it")

    def handle(self, *, payment: UUID, wallet: str, **options: Any) -> None:
        try:
            begun = pay_elsewhere(payment_id=payment, address=wallet, now=SYSTEM_CLOCK.now())
        except NotThere as refusal:
            raise CommandError(str(refusal)) from None
        for each in begun:
            self.stdout.write(f"begun: {each.id}")
        if not begun:
            self.stdout.write("it goes there once there is a consent to pay with")
