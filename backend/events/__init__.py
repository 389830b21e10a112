"""The outbox and its resumable feeds: `emit` writes, feed.tail reads, hub.wake hurries."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backend.events.outbox import emit

__all__ = ["emit"]


def __getattr__(name: str) -> Any:
    # Django imports this package before models may be loaded, and emit needs them.
    if name == "emit":
        from backend.events.outbox import emit

        return emit
    raise AttributeError(name)
