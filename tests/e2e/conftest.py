"""Real processes: one per role where PostgreSQL and Redis are configured, else one for all."""

import os
from collections.abc import Iterator

import pytest

from tests.e2e.marketplace import Marketplace, running_marketplace

# What tells the second run of `make test` from the embedded one. Only the database server is
# shared: each marketplace makes a database of its own there, and starts a Redis it may kill.
DATABASE_URL = os.environ.get("DATABASE_URL", "")
WITH_SERVICES = DATABASE_URL.startswith("postgres") and bool(os.environ.get("REDIS_URL"))
SERVER_URL = DATABASE_URL if WITH_SERVICES else None


def pytest_report_header() -> str:
    """Say which of the two forms is tested."""
    form = "PostgreSQL, Redis, every role a process" if SERVER_URL else "SQLite, one process"
    return f"end to end: {form}"


@pytest.fixture(scope="module")
def market() -> Iterator[Marketplace]:
    """A marketplace for the tests of one module, in the form that this run is about."""
    with running_marketplace(server_url=SERVER_URL) as running:
        yield running
