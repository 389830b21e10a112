import pytest
from django.conf import LazySettings

from backend import rate_limits
from backend.ids import new_id
from tests.simulation.simulator import BASE_URL


@pytest.fixture(autouse=True)
def _platform(settings: LazySettings) -> None:
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"
    settings.SELLER_WALLET_ADDRESS_URL = f"{BASE_URL}/shop"
    settings.OP_DEV_ORIGINS = frozenset({BASE_URL})


@pytest.fixture(autouse=True)
def _fresh_limits(settings: LazySettings) -> None:
    settings.REDIS_PREFIX = f"{settings.REDIS_PREFIX}-{new_id().hex}"
    rate_limits.limiter().reset()
