"""What every test shares."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import pytest
import redis
from django.conf import settings
from django.test import TransactionTestCase

import celery_app  # noqa: F401  makes our app the one that tasks are sent through
from tests.emptying import empty_database
from tests.environment import RUN_ID
from tests.simulation import sizes

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Give the test database a name no other run has."""
    database = settings.DATABASES["default"]
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    # A test's data need not survive a power cut; waiting for the disk is half of its time.
    if database["ENGINE"].endswith("sqlite3"):
        database["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"
        database["TEST"]["NAME"] = str(Path(settings.VAR_DIR) / f"test-{worker}.sqlite3")
    else:
        database["TEST"]["NAME"] = f"test_faena_{RUN_ID}_{worker}"
        database["OPTIONS"]["options"] = "-c synchronous_commit=off"
        # The test runner drops a database that a pool would still hold open.
        database["OPTIONS"].pop("pool", None)


def pytest_report_header() -> str:
    """Say what the simulations will play, so that a failure can be played again."""
    return (
        f"simulation: {sizes.CASES} cases of the crash matrix, {sizes.SEEDS} random histories, "
        f"seed {sizes.SEED}"
    )


@pytest.fixture(scope="session", autouse=True)
def _database_is_emptied_quickly() -> Iterator[None]:
    with patch.object(TransactionTestCase, "_fixture_teardown", lambda _: empty_database()):
        yield


@pytest.fixture(scope="session", autouse=True)
def _leave_nothing_behind() -> Iterator[None]:
    yield
    if settings.REDIS_URL:
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            for key in client.scan_iter(f"{os.environ['REDIS_PREFIX']}*"):
                client.delete(key)
    if os.environ.get("PYTEST_XDIST_WORKER") is None:
        shutil.rmtree(settings.VAR_DIR, ignore_errors=True)


@pytest.fixture
def noon() -> datetime:
    """A fixed instant for tests that pass time as an argument."""
    return NOON
