"""How many sockets and streams one person may hold open, in each process.

A process has room for many thousands; nobody needs more than a few, and one who takes all of
them, by a loop that reconnects or on purpose, takes them from the others.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from backend.errors import RateLimited

STREAMS_EACH = 200
SOCKETS_EACH = 50
RETRY_AFTER_SECONDS = 10


class Seats:
    """Counts who holds how many, `most` each."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: Counter[str] = Counter()

    def take(self, who: str) -> bool:
        """Take one more, unless `who` has all that they may have; then False."""
        if self._taken[who] >= self._most:
            return False
        self._taken[who] += 1
        return True

    def leave(self, who: str) -> None:
        """Give one back."""
        self._taken[who] -= 1
        if not self._taken[who]:
            del self._taken[who]

    @contextmanager
    def one(self, who: str) -> Iterator[None]:
        """One of them, while the block runs.

        Raises:
            RateLimited: `who` has all that they may have.
        """
        if not self.take(who):
            raise RateLimited(retry_after_seconds=RETRY_AFTER_SECONDS)
        try:
            yield
        finally:
            self.leave(who)


streams = Seats(STREAMS_EACH)
sockets = Seats(SOCKETS_EACH)
