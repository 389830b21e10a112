from collections.abc import Iterator

import pytest

from tests.sandbox_wallet.marketplace import Marketplace, open_marketplace


@pytest.fixture
def market() -> Iterator[Marketplace]:
    marketplace = open_marketplace()
    yield marketplace
    marketplace.close()
