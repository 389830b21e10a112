import pytest
from django.conf import LazySettings

from backend.payments.status import PaymentStatus
from tests.simulation.simulator import BASE_URL, Simulation

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _platform(settings: LazySettings) -> None:
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"


@pytest.mark.parametrize("temperament", ["strict", "loose"])
def test_a_payment_without_any_trouble_completes(temperament: str) -> None:
    simulation = Simulation(temperament=temperament)

    verdict = simulation.run()

    assert verdict.status is PaymentStatus.COMPLETED
    assert verdict.problems == []
