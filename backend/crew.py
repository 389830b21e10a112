"""A few threads of this process that bring what it has to say, apart from those that pay people.

A stranger's server may take fifteen seconds to say nothing. Celery's own threads are too few for
that.
"""

import contextlib
import logging
import os
import queue
import threading
from collections.abc import Callable

from django.db import close_old_connections, connections

log = logging.getLogger(__name__)

THREADS = 16


class Crew:
    """Runs `work` on daemon threads for as long as it says that there was something to do."""

    def __init__(self, work: Callable[[], bool], *, name: str, threads: int = THREADS) -> None:
        self._work = work
        self._name = name
        self._threads = threads
        self._lock = threading.Lock()
        self._pid = 0
        self._calls: queue.Queue[None] = queue.Queue(threads)

    def wake(self) -> None:
        """Have one more thread look whether there is something to do; returns at once."""
        self._start()
        with contextlib.suppress(queue.Full):  # enough are called already
            self._calls.put_nowait(None)

    def _start(self) -> None:
        # A fork copies this object but not its threads.
        with self._lock:
            if self._pid == os.getpid():
                return
            self._pid = os.getpid()
            self._calls = queue.Queue(self._threads)
            for number in range(self._threads):
                name = f"{self._name}-{number}"
                threading.Thread(
                    target=self._run, args=(self._calls,), name=name, daemon=True
                ).start()

    def _run(self, calls: "queue.Queue[None]") -> None:
        while True:
            calls.get()
            try:
                close_old_connections()
                while self._work():
                    # Where one was there may be more, for others.
                    self.wake()
            except Exception:
                log.exception("%s: a round was broken off", self._name)
            finally:
                connections.close_all()
