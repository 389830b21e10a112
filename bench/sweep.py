"""The worker's look at what is due, with 100,000 open payments of which 10,000 are, on PostgreSQL.

Against the same with 1,000 open payments of which 100 are due. A claim takes 50; an idle tick finds
nothing due among as many open payments. Memory is that of the process which claims.
"""

import json
import os
import secrets
import subprocess
import sys
from typing import Any

from bench.results import Row, percentile
from bench.world import new_database

FEW, MANY = 1_000, 100_000
SECONDS = 280
CLAIM_MS, IDLE_MS = 15.0, 10.0


def measure() -> list[Row]:
    """p50 of a claim and of an idle tick, and what claiming all of them adds to the memory."""
    few, many = _measured(FEW), _measured(MANY)
    rows = []
    for name, key, at_most in (
        ("claim of 50 due payments", "claim_ms", CLAIM_MS),
        ("idle tick", "idle_ms", IDLE_MS),
    ):
        ours, baseline = (percentile(each[key], 0.5) for each in (many, few))
        rows.append(Row(name=f"sweep: {name}, p50", unit="ms", ours=ours, at_most=at_most))
        rows.append(
            Row(name=f"sweep: {name}, 100k open / 1k", unit="ms", ours=ours, baseline=baseline)
        )
    rows.append(
        Row(
            name="sweep: memory after 10,000 claims / before",
            unit="MiB",
            ours=many["after_mib"],
            baseline=many["before_mib"],
            at_most=1.1,
        )
    )
    return rows


def _measured(payments: int) -> dict[str, Any]:
    with new_database(f"faena_bench_{secrets.token_hex(4)}") as url:
        environment = {**os.environ, "DATABASE_URL": url, "DEBUG": "1", "LOG_LEVEL": "WARNING"}
        environment["DJANGO_SETTINGS_MODULE"] = "bench.settings"
        done = subprocess.run(
            [sys.executable, "-m", "bench.sweeper", "--payments", str(payments)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
