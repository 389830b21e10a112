"""`manage.py op_doctor`: can this installation pay people? See docs/op-doctor.md."""

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from backend.clock import SYSTEM_CLOCK
from backend.doctor.checks import all_checks
from backend.doctor.examining import examine
from backend.doctor.findings import Finding, Level

CONNECT_SECONDS = 3


class Command(BaseCommand):
    help = "Look whether everything that payments need is there; exit 1 if something is not."
    # What it would complain about is among the findings.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs, with stable codes")

    def handle(self, *, json: bool, **_: Any) -> None:
        connect_directly()
        with all_checks(SYSTEM_CLOCK) as checks:
            found = examine(checks)
        self.stdout.write(as_json(found) if json else "\n".join(in_words(found)))
        if any(each.level is Level.PROBLEM for each in found):
            sys.exit(1)


def connect_directly() -> None:
    """Have this process connect without a pool: a pool waits half a minute before it says why."""
    for database in connections.settings.values():
        if database["OPTIONS"].pop("pool", None):
            database["OPTIONS"]["connect_timeout"] = CONNECT_SECONDS


def as_json(found: Sequence[Finding]) -> str:
    """The worst level of all, and every finding in the order of the checks."""
    levels = {each.level for each in found}
    worst = next(level for level in (Level.PROBLEM, Level.WARNING, Level.OK) if level in levels)
    return json.dumps({"status": worst, "findings": [each.to_json() for each in found]}, indent=2)


def in_words(found: Sequence[Finding]) -> Iterator[str]:
    """One line for each finding; the cure stands where its code is named first."""
    named = set()
    for each in found:
        line = f"{each.level:<8} {each.check:<16} {each.message}"
        if each.level is not Level.OK:
            line += f" [{each.code}]"
            if each.code not in named:
                line += f" {each.cure}"
            named.add(each.code)
        yield line
