"""Real processes. What needs PostgreSQL and Redis is collected only where both are configured."""

import os
from collections.abc import Iterator

import pytest

from tests.e2e.marketplace import Marketplace, running_marketplace

# The environment of the second run of `make test`; tests.environment leaves these two alone.
SERVER_URL = os.environ.get("DATABASE_URL") if os.environ.get("REDIS_URL") else None
# Workers that can be killed one by one exist only where they are processes of their own.
NEEDS_SERVICES = ["test_kills.py"]
collect_ignore = [] if SERVER_URL else NEEDS_SERVICES


def pytest_report_header() -> str:
    """Say what this run contains, so that nobody takes it for more."""
    if SERVER_URL:
        return "end to end: PostgreSQL, processes of their own, a Redis that gets killed"
    return (
        f"end to end: SQLite, one process; {', '.join(NEEDS_SERVICES)} runs where DATABASE_URL "
        "and REDIS_URL are set"
    )


@pytest.fixture(scope="module")
def market() -> Iterator[Marketplace]:
    """A marketplace for the tests of one module, in the form that this run is about."""
    with running_marketplace(server_url=SERVER_URL) as running:
        yield running
