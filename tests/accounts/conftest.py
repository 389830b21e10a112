"""Accounts are tested with real limits, real HTTP, and Argon2 at its cheapest."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from backend import rate_limits
from backend.ids import new_id


@pytest.fixture(autouse=True)
def _fresh_limits(settings: Settings) -> Iterator[None]:
    # Tests that run beside this one count in the same Redis; forgetting must not reach them.
    settings.REDIS_PREFIX = f"{settings.REDIS_PREFIX}-{new_id().hex}"
    yield
    rate_limits.limiter().reset()


@pytest.fixture(autouse=True)
def _cheap_hashing(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["tests.accounts.hashers.CountingHasher"]
