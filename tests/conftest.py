"""What every test shares. Databases, key prefixes and files are this run's own."""

import os
import tempfile
import uuid

# Before Django reads its settings: a run of its own, safe to have beside others.
RUN_ID = os.environ.setdefault("FAENA_TEST_RUN", uuid.uuid4().hex[:10])
os.environ.setdefault("DEBUG", "1")
os.environ.setdefault("VAR_DIR", os.path.join(tempfile.gettempdir(), f"faena-tests-{RUN_ID}"))
os.environ["REDIS_PREFIX"] = f"faena-test-{RUN_ID}"
os.environ.setdefault("LOG_LEVEL", "WARNING")

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Give the test database a name no other run has."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
        database["TEST"]["NAME"] = str(Path(settings.VAR_DIR) / f"test-{worker}.sqlite3")
    else:
        suffix = os.environ.get("PYTEST_XDIST_WORKER", "main")
        database["TEST"]["NAME"] = f"test_faena_{RUN_ID}_{suffix}"
        # Django's test runner drops a database that a pool still holds open.
        database["OPTIONS"].pop("pool", None)


@pytest.fixture(scope="session", autouse=True)
def _remove_files() -> object:
    yield
    if os.environ.get("PYTEST_XDIST_WORKER") is None:
        shutil.rmtree(settings.VAR_DIR, ignore_errors=True)


@pytest.fixture
def noon() -> datetime:
    """A fixed instant for tests that pass time as an argument."""
    return NOON
