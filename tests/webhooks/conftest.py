from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from backend import rate_limits
from tests.webhooks.world import Clock, Receiver, Worker, client_for, receiving


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    rate_limits.limiter().reset()


@pytest.fixture
def receiver(settings: LazySettings) -> Iterator[Receiver]:
    """A receiver that endpoints may be made for."""
    with receiving() as found:
        settings.OP_DEV_ORIGINS = frozenset({found.origin})
        yield found


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def worker(receiver: Receiver, clock: Clock) -> Iterator[Worker]:
    with client_for(receiver.origin) as client:
        yield Worker(client, clock)
