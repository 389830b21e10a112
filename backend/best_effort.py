"""Telling another process something useful that nobody depends on.

Hints to Celery and wake-ups over Redis only make things faster; the database is the truth and a
tick finds what a lost message would have announced. A frozen Redis blocks a publisher for
seconds or for ever, so no request and no payment may wait for one: messages go through a bounded
queue to one background thread, and what does not fit is dropped.
"""

import atexit
import logging
import os
import queue
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

QUEUE_SIZE = 10_000
REST_AFTER_FAILURE_SECONDS = 1.0


class Courier:
    """Delivers callables on a daemon thread of the current process, at most once, in order.

    After a failure it rests and drops what arrives meanwhile: with Redis gone every message
    would otherwise cost a timeout and the queue would only hold stale hints.
    """

    def __init__(self, name: str, *, rest_seconds: float = REST_AFTER_FAILURE_SECONDS) -> None:
        self._name = name
        self._rest_seconds = rest_seconds
        self._lock = threading.Lock()
        self._pid = 0
        self._resting_until = 0.0
        self._queue: queue.Queue[Callable[[], object]] = queue.Queue(QUEUE_SIZE)

    def send(self, message: Callable[[], object]) -> None:
        """Run `message` soon, or never; returns at once and never raises."""
        if time.monotonic() < self._resting_until:
            return
        self._start()
        try:
            self._queue.put_nowait(message)
        except queue.Full:
            log.warning("%s: queue full, message dropped", self._name)

    def flush(self, timeout_seconds: float = 1.0) -> None:
        """Wait until everything sent so far was tried, for at most `timeout_seconds`."""
        done = threading.Event()
        self.send(done.set)
        done.wait(timeout_seconds)

    def _start(self) -> None:
        # A fork copies this object but not its thread.
        if self._pid == os.getpid():
            return
        with self._lock:
            if self._pid == os.getpid():
                return
            self._queue = queue.Queue(QUEUE_SIZE)
            self._resting_until = 0.0
            self._pid = os.getpid()
            threading.Thread(target=self._run, name=self._name, daemon=True).start()
            atexit.register(self.flush)

    def _run(self) -> None:
        while True:
            message = self._queue.get()
            try:
                message()
            except Exception as error:
                log.warning("%s: %s, resting", self._name, type(error).__name__)
                self._resting_until = time.monotonic() + self._rest_seconds
                self._drop_waiting()

    def _drop_waiting(self) -> None:
        while True:
            try:
                self._queue.get_nowait()
            except queue.Empty:
                return
