"""`manage.py verify_receipt receipt.txt`: check a receipt without asking anybody."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from backend.open_payments.types import Amount
from backend.receipts.keys import KeySet, published_keys, read_key_set
from backend.receipts.verifying import NotGenuine, verify


class Command(BaseCommand):
    help = "Check a receipt offline, and say what it says. Exits 1 when it is not genuine."
    # It needs no setting that a server needs.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", default="-", help="the JWS; - (the default): stdin")
        parser.add_argument(
            "--keys", help="a saved /.well-known/receipts/jwks.json; unset: this installation's"
        )
        parser.add_argument(
            "--issuer", help="who has to have issued it, as an https URL; unset: PUBLIC_URL"
        )

    def handle(self, *, file: str, keys: str | None, issuer: str | None, **_: Any) -> None:
        try:
            claims = verify(
                _text(file).strip(), keys=_keys(keys), issuer=issuer or settings.PUBLIC_URL
            )
        except NotGenuine as error:
            raise CommandError(error.message) from error
        self.stdout.write("\n".join(in_words(claims)))


def in_words(claims: dict[str, Any]) -> list[str]:
    """The lines that tell a person what a genuine receipt says."""
    payment = claims["payment"]
    debit = payment["debitAmount"]
    told = {
        "arrived": f"{Amount.from_json(payment['deliveredAmount'])} "
        f"at {claims['payee']['walletAddress']}",
        "taken": f"{Amount.from_json(debit) if debit else 'an unknown amount'} "
        f"from {claims['payer']['walletAddress']}",
        "completed": payment["completedAt"],
        "payment": f"{payment['id']} ({payment['purpose']})",
        "for": json.dumps(claims["for"], ensure_ascii=False),
        "incoming": payment["incomingPayment"],
        "quote": payment["quote"],
        "outgoing": payment["outgoingPayment"] or "unknown: the wallet's answer was lost",
    }
    return [
        f"Receipt {claims['number']} is genuine: {claims['iss']} signed it.",
        *(f"  {name:<10} {value}" for name, value in told.items()),
    ]


def _keys(path: str | None) -> KeySet:
    if path is None:
        return published_keys()
    try:
        return read_key_set(_text(path))
    except ValueError as error:
        raise CommandError(f"{path}: {error}") from error


def _text(path: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read as a text.") from error
