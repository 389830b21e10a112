import pytest
from django.conf import LazySettings

from backend import rate_limits
from tests.simulation.simulator import BASE_URL


@pytest.fixture(autouse=True)
def _platform(settings: LazySettings) -> None:
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    rate_limits.limiter().reset()
