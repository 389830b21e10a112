"""`manage.py reconcile`: compare our rows, the books and the wallets now."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from backend.clock import SYSTEM_CLOCK
from backend.payments.wallets import wallet_client
from backend.reconciliation.findings import Report
from backend.reconciliation.reconciling import reconcile


class Command(BaseCommand):
    help = "Compare rows, books and wallets; exit 1 if anything does not add up."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, help="only what has moved in so many days")
        parser.add_argument("--rows-only", action="store_true", help="ask no wallet")

    def handle(self, *, days: int | None, rows_only: bool, **_: Any) -> None:
        now = SYSTEM_CLOCK.now()
        report = reconcile(
            now=now,
            client=None if rows_only else wallet_client(),
            since=None if days is None else now - timedelta(days=days),
        )
        self.stdout.write("\n".join(in_words(report)))
        if report.found:
            raise CommandError(
                f"{report.found.total()} things do not add up; see Discrepancies in the admin, and "
                "docs/reconciliation.md."
            )


def in_words(report: Report) -> Iterator[str]:
    """The lines that tell an operator what a reconciliation came to."""
    looked_at = ", ".join(f"{number} {what}" for what, number in report.checked.items())
    yield f"looked at {looked_at or 'nothing'}"
    for word, counts in (
        ("found", report.found),
        ("resolved", report.resolved),
        ("not seen", report.skipped),
    ):
        for kind, number in sorted(counts.items()):
            yield f"{word:<9} {number:>6} {kind.value}: {kind.label}"
