"""What share of a worker's threads a wallet has that answers slowly; see decision 35."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from backend.outbound import Bulkhead

# Half of a worker's threads: a wallet that drips its answers leaves the others to the others.
CALLS_AT_ONCE = 4
SLOT_WITHIN_SECONDS = 0.5
# A host is slow for so long after a call that took so long. Most answer in less than one second.
SLOW_AFTER_SECONDS = 2.0
SLOW_FOR_SECONDS = 60.0
# Strangers choose the hosts; the one that was slow longest ago goes first.
_MOST_REMEMBERED = 4096


class SlowHostBulkhead:
    """At most `limit` calls at a time to each host that was slow of late; others pass freely.

    `clock` counts seconds and never goes back.
    """

    def __init__(self, *, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._bulkhead = Bulkhead(limit=limit)
        self._clock = clock
        self._lock = threading.Lock()
        self._slow_until: dict[str, float] = {}

    @contextmanager
    def slot(self, host: str) -> Iterator[None]:
        """Have a slot at `host` for one call.

        Raises:
            HostBusy: it is slow, and none became free in SLOT_WITHIN_SECONDS.
        """
        is_slow = self._slow_until.get(host, 0.0) > self._clock()
        if is_slow:
            self._bulkhead.enter(host, timeout_seconds=SLOT_WITHIN_SECONDS)
        began = self._clock()
        try:
            yield
        finally:
            if is_slow:
                self._bulkhead.leave(host)
            if self._clock() - began >= SLOW_AFTER_SECONDS:
                self.was_slow(host)

    def was_slow(self, host: str) -> None:
        """Take note that a call to `host` took long."""
        with self._lock:
            self._slow_until.pop(host, None)
            self._slow_until[host] = self._clock() + SLOW_FOR_SECONDS
            if len(self._slow_until) > _MOST_REMEMBERED:
                del self._slow_until[next(iter(self._slow_until))]


BULKHEAD = SlowHostBulkhead(limit=CALLS_AT_ONCE)
