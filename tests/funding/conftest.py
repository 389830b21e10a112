import pytest
from django.conf import LazySettings

from tests.simulation.simulator import BASE_URL


@pytest.fixture(autouse=True)
def _platform(settings: LazySettings) -> None:
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"
    settings.SELLER_WALLET_ADDRESS_URL = f"{BASE_URL}/shop"
