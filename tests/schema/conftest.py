"""What the GraphQL tests share: fresh rate limits and a real server."""

from collections.abc import Iterator

import pytest

from backend import rate_limits
from tests.schema.server import Server, serving


@pytest.fixture(autouse=True)
def _fresh_limits() -> Iterator[None]:
    rate_limits.limiter().reset()
    yield
    rate_limits.limiter().reset()


@pytest.fixture
def server(transactional_db: None) -> Iterator[Server]:
    """The whole ASGI application under uvicorn, on the test's own database."""
    with serving() as running:
        yield running
