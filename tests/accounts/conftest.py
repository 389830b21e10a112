"""Accounts are tested with real limits, real HTTP, and Argon2 at its cheapest."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from backend import rate_limits


@pytest.fixture(autouse=True)
def _fresh_limits() -> Iterator[None]:
    rate_limits.limiter().reset()
    yield
    rate_limits.limiter().reset()


@pytest.fixture(autouse=True)
def _cheap_hashing(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["tests.accounts.hashers.CountingHasher"]
