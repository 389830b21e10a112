"""A faithful Open Payments wallet for development and tests, in one command.

`python -m sandbox_wallet --port 8100 --db wallet.db` serves it; `World` is the same wallet as
an object, and `sandbox_wallet.transport` puts it behind httpx without a network.
"""

from sandbox_wallet.options import Options
from sandbox_wallet.wire import WireRequest, WireResponse
from sandbox_wallet.world import PlatformClient, World

__all__ = ["Options", "PlatformClient", "WireRequest", "WireResponse", "World"]
