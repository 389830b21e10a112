from collections.abc import Iterator

import pytest
from pytest_django import Settings

from sandbox_wallet import World
from tests.doctor.world import a_wallet, control, use


@pytest.fixture(scope="module")
def running() -> Iterator[World]:
    with a_wallet() as world:
        yield world


@pytest.fixture
def wallet(running: World, settings: Settings) -> World:
    """The wallet as new, with us as its platform."""
    control(running, "reset", {})
    use(running, settings)
    return running
