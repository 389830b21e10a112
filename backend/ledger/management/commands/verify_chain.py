"""`manage.py verify_chain`: run it daily, and keep the head that it prints somewhere else."""

import re
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from backend.ledger.verification import verify


class Command(BaseCommand):
    help = "Read all the books again; fail, naming the first row that is not as it was written."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--kept-head",
            type=_head,
            metavar="SEQ:HASH",
            help="a head printed earlier, which the chain has to lead through",
        )

    def handle(self, *, kept_head: str | None, **options: Any) -> None:
        verified = verify(kept_head=kept_head)
        if verified.broken:
            raise CommandError(f"The books are broken: {verified.broken}")
        self.stdout.write(
            f"{verified.transfers} transfers with {verified.entries} entries are as written."
        )
        self.stdout.write(f"head {verified.head}")


def _head(text: str) -> str:
    if not re.fullmatch(r"0:|[1-9]\d*:[0-9a-f]{64}", text):
        raise ArgumentTypeError(f"{text!r} is no head: one looks like 123:0f3c… with 64 digits")
    return text
