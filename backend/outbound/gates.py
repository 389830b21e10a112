"""One slow or dead host must not starve the others: bulkheads and breakers, per origin."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import anyio

from backend.outbound.errors import HostBusy, HostResting

# Strangers choose the hosts, so what we remember about them is bounded; the oldest goes first.
_MAX_REMEMBERED = 4096


@dataclass(slots=True)
class _Health:
    failures: int
    resting_until: float


class Listener(Protocol):
    """Hears of every connection that failed, and of the first that did not after those."""

    def __call__(self, origin: str, /, *, failed: bool, is_open: bool) -> None: ...


LISTENERS: list[Listener] = []


def _tell(origin: str, *, failed: bool, is_open: bool) -> None:
    for listener in LISTENERS:
        listener(origin, failed=failed, is_open=is_open)


class Breaker:
    """Stops calling an origin that refused `failures_before_rest` connections in a row.

    After `rest_seconds` one call is let through to try; its outcome decides for the others.
    Only connections count: an origin that answers, however badly, is alive. `clock` counts
    seconds and never goes back.
    """

    def __init__(
        self,
        *,
        failures_before_rest: int,
        rest_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._failures_before_rest = failures_before_rest
        self._rest_seconds = rest_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._sick: dict[str, _Health] = {}

    def admit(self, origin: str) -> None:
        """Let the call through, or raise HostResting."""
        if origin not in self._sick:
            return
        with self._lock:
            health = self._sick.get(origin)
            if health is None or health.failures < self._failures_before_rest:
                return
            now = self._clock()
            if now < health.resting_until:
                raise HostResting("the host failed to connect too often")
            # This call is the probe. Moving the end of the rest makes it the only one.
            health.resting_until = now + self._rest_seconds

    def connected(self, origin: str) -> None:
        """The origin accepted a connection: forget its failures."""
        if origin in self._sick:
            with self._lock:
                self._sick.pop(origin, None)
            _tell(origin, failed=False, is_open=False)

    def failed(self, origin: str) -> None:
        """The origin could not be connected to."""
        with self._lock:
            health = self._sick.setdefault(origin, _Health(0, 0.0))
            health.failures += 1
            health.resting_until = self._clock() + self._rest_seconds
            is_open = health.failures >= self._failures_before_rest
            if len(self._sick) > _MAX_REMEMBERED:
                self._sick.pop(next(iter(self._sick)))
        _tell(origin, failed=True, is_open=is_open)


S = TypeVar("S")


class _Slots(Generic[S]):
    """The semaphores of the origins that are being called or waited for right now."""

    def __init__(self, new: Callable[[], S]) -> None:
        self._new = new
        self._lock = threading.Lock()
        self._open: dict[str, tuple[S, int]] = {}

    def join(self, origin: str) -> S:
        with self._lock:
            semaphore, users = self._open.get(origin) or (self._new(), 0)
            self._open[origin] = (semaphore, users + 1)
            return semaphore

    def part(self, origin: str) -> S:
        with self._lock:
            semaphore, users = self._open.pop(origin)
            if users > 1:
                self._open[origin] = (semaphore, users - 1)
            return semaphore


class Bulkhead:
    """At most `limit` calls to one origin at a time, for threads."""

    def __init__(self, *, limit: int) -> None:
        self._slots = _Slots(lambda: threading.Semaphore(limit))

    def enter(self, origin: str, *, timeout_seconds: float) -> None:
        """Take a slot, waiting for one at most `timeout_seconds`; raises HostBusy."""
        if not self._slots.join(origin).acquire(timeout=timeout_seconds):
            self._slots.part(origin)
            raise HostBusy("too many calls to this host are in flight")

    def leave(self, origin: str) -> None:
        """Give the slot back."""
        self._slots.part(origin).release()


class AsyncBulkhead:
    """At most `limit` calls to one origin at a time, for coroutines."""

    def __init__(self, *, limit: int) -> None:
        self._slots = _Slots(lambda: anyio.Semaphore(limit, fast_acquire=True))

    async def enter(self, origin: str, *, timeout_seconds: float) -> None:
        """Take a slot, waiting for one at most `timeout_seconds`; raises HostBusy."""
        semaphore = self._slots.join(origin)
        try:
            with anyio.fail_after(timeout_seconds):
                await semaphore.acquire()
        except TimeoutError:
            self._slots.part(origin)
            raise HostBusy("too many calls to this host are in flight") from None
        except BaseException:
            self._slots.part(origin)
            raise

    def leave(self, origin: str) -> None:
        """Give the slot back."""
        self._slots.part(origin).release()
