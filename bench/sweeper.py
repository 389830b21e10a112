"""`python -m bench.sweeper --payments N`: claim what is due of N open payments, one line of JSON.

A tenth of them is due. What is claimed is put an hour ahead, as a step that waits would.
"""

import argparse
import json
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import django

LIMIT = 50
IDLE_TICKS = 200


def main() -> None:
    """Migrate, fill, claim, and say how long each claim took, in milliseconds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--payments", type=int, required=True)
    payments = parser.parse_args().payments
    django.setup()
    _fill(payments)
    print(json.dumps(_measure(payments // 10)))


def _fill(payments: int) -> None:
    from django.core.management import call_command
    from django.db import connection

    from backend.accounts.models import User, WalletAddress
    from backend.clock import SYSTEM_CLOCK
    from backend.payments.models import Payment

    call_command("migrate", verbosity=0)
    now = SYSTEM_CLOCK.now()
    payer = User.objects.create(email="payer@example.com", display_name="Payer")
    wallet = WalletAddress.objects.create(
        owner=payer,
        url="https://wallet.example/payer",
        asset_code="USD",
        asset_scale=2,
        auth_server="https://auth.wallet.example",
        resource_server="https://wallet.example",
        checked_at=now,
    )
    for first in range(0, payments, 5000):
        Payment.objects.bulk_create(
            Payment(
                purpose="PAYOUT",
                status="SENT",
                payer=payer,
                reference=_reference(number),
                sender=wallet,
                receiver=wallet,
                receive_value=1250,
                receive_asset_code="USD",
                receive_asset_scale=2,
                due_at=now + timedelta(seconds=-1 if number % 10 == 0 else 3600 + number % 1000),
                deadline_at=now + timedelta(hours=2),
                created_at=now,
                updated_at=now,
            )
            for number in range(first, min(first + 5000, payments))
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _reference(number: int) -> Any:
    from uuid import UUID

    return UUID(int=number + 1)


def _measure(due: int) -> dict[str, Any]:
    from backend.clock import SYSTEM_CLOCK
    from backend.payments.claims import claim_due
    from backend.payments.models import Payment

    claims: list[float] = []
    claimed, before = 0, 0.0
    while claimed < due:
        started = time.perf_counter()
        rows = claim_due(Payment, now=SYSTEM_CLOCK.now(), limit=LIMIT)
        claims.append((time.perf_counter() - started) * 1000)
        claimed += len(rows)
        ahead = SYSTEM_CLOCK.now() + timedelta(hours=1)
        Payment.objects.filter(id__in=[row.id for row in rows]).update(
            due_at=ahead, lease_until=None
        )
        before = before or _resident_mib()
    idle = []
    for _ in range(IDLE_TICKS):
        started = time.perf_counter()
        assert not claim_due(Payment, now=SYSTEM_CLOCK.now(), limit=LIMIT)
        idle.append((time.perf_counter() - started) * 1000)
    return {
        "claim_ms": claims,
        "idle_ms": idle,
        "before_mib": before,
        "after_mib": _resident_mib(),
    }


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


if __name__ == "__main__":
    main()
