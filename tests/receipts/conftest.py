import pytest
from django.conf import LazySettings

from backend.payments.status import PaymentStatus
from backend.receipts.models import Receipt
from tests.simulation.simulator import BASE_URL, Simulation

ISSUER = "http://127.0.0.1:8000"


@pytest.fixture(autouse=True)
def _platform(settings: LazySettings) -> None:
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"
    settings.SELLER_WALLET_ADDRESS_URL = f"{BASE_URL}/shop"
    settings.PUBLIC_URL = ISSUER


@pytest.fixture
def completed(db: None) -> Simulation:
    """A payment that went all the way, between the sandbox's wallets."""
    simulation = Simulation(temperament="strict")
    assert simulation.run().status is PaymentStatus.COMPLETED
    simulation.payment = simulation.payment_now()
    return simulation


@pytest.fixture
def receipt(completed: Simulation) -> Receipt:
    return Receipt.objects.get(payment=completed.payment)
