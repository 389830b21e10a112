"""Waking whoever waits for a topic. Wake-ups carry nothing and may be lost: a poll is the floor.

Every event loop has one hub. In this process a wake-up is a call into each hub's loop. Between
processes it is a Redis message without content; without Redis, SQLite itself tells a hub that
some other connection has committed, and on PostgreSQL subscribers poll often.
"""

import asyncio
import contextlib
import logging
import sqlite3
import threading
import time
import weakref
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Hashable, Iterator, Mapping
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

import redis
import redis.asyncio
from django.conf import settings
from django.db import connection

from backend.best_effort import Courier
from backend.events.batches import Batches

log = logging.getLogger(__name__)
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

POLL_SECONDS = 15.0
POLL_SECONDS_WITHOUT_WAKE_UPS = 0.25
POLL_SECONDS_WHILE_DEAF = 1.0
_DATA_VERSION_SECONDS = 0.1
_TICK_SECONDS = 1.0
_REDIS_TIMEOUT_SECONDS = 1.0
_REDIS_BACK_OFF_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0)

_SESSION = "session:"

_courier = Courier("wake-ups")
_hubs: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = weakref.WeakKeyDictionary()
_hubs_lock = threading.Lock()


def wake(topic: str) -> None:
    """Wake everyone who waits for `topic`, here and in other processes; never waits or raises."""
    with _hubs_lock:
        hubs = list(_hubs.items())
    for loop, hub in hubs:
        # A loop that closes just now has nobody left to wake.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(hub.notify, topic)
    if settings.REDIS_URL:
        url, channel = settings.REDIS_URL, f"{settings.REDIS_PREFIX}:wake:{topic}"
        _courier.send(lambda: _publisher(url).publish(channel, ""))


def wake_session(*, user_id: UUID, **_: object) -> None:
    """Have the streams of this person look at once whether their tokens still work."""
    wake(session_of(user_id))


def session_of(user_id: UUID) -> str:
    """The topic that this person's streams hear besides their own. It has no events."""
    return f"{_SESSION}{user_id}"


def hub() -> "Hub":
    """The running event loop's hub."""
    loop = asyncio.get_running_loop()
    with _hubs_lock:
        if loop not in _hubs:
            _hubs[loop] = Hub()
        return _hubs[loop]


class Waiter(asyncio.Event):
    """Set whenever its topic may have grown, and at the latest after `wait_seconds`."""

    def __init__(self) -> None:
        super().__init__()
        # Set as well when something has happened to the session of who waits.
        self.is_suspicious = False
        self.due_at = 0.0


class Hub:
    """Who waits for what, on one event loop. It listens to other processes while anyone waits."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[Waiter]] = defaultdict(set)
        self._listener: asyncio.Task[None] | None = None
        self._ticker: asyncio.Task[None] | None = None
        self._batches: dict[object, Batches[Any, Any]] = {}
        self._holders = 0
        # Nobody tells us what other processes write: then subscribers look for themselves.
        self.deaf = bool(settings.REDIS_URL)
        # Set once, when the server is asked to stop: streams end so that their clients resume
        # elsewhere with their last cursor.
        self.stopping = asyncio.Event()

    def notify(self, topic: str) -> None:
        """Wake the waiters of `topic`."""
        suspicious = topic.startswith(_SESSION)
        for waiter in self._waiting.get(topic, ()):
            waiter.is_suspicious |= suspicious
            waiter.set()

    def notify_all(self) -> None:
        """Wake every waiter: after a time of deafness nobody knows what was missed."""
        for waiters in self._waiting.values():
            for waiter in waiters:
                waiter.set()

    @contextlib.contextmanager
    def waiter(self, *topics: str) -> Iterator[Waiter]:
        """What is set whenever one of `topics` may have grown."""
        waiter = Waiter()
        for topic in topics:
            self._waiting[topic].add(waiter)
        try:
            with self.listening():
                yield waiter
        finally:
            for topic in topics:
                self._waiting[topic].discard(waiter)
                if not self._waiting[topic]:
                    del self._waiting[topic]

    def batches(self, load: Callable[[list[K]], Mapping[K, V]]) -> Batches[K, V]:
        """This loop's batches over `load`, a plain function: the same object each time."""
        return self._batches.setdefault(load, Batches(load))

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Keep the ear to other processes open; the server holds this for its whole life."""
        self._holders += 1
        if self._listener is None or self._ticker is None:
            loop = asyncio.get_running_loop()
            self._listener = loop.create_task(_listen(self))
            self._ticker = loop.create_task(self._tick())
        try:
            yield
        finally:
            self._holders -= 1
            if not self._holders:
                self._listener.cancel()
                self._ticker.cancel()
                self._listener = self._ticker = None

    @property
    def poll_seconds(self) -> float:
        """How long a subscriber waits before it looks for itself."""
        if self.deaf:
            return POLL_SECONDS_WHILE_DEAF
        woken_by_others = settings.REDIS_URL or connection.vendor == "sqlite"
        return POLL_SECONDS if woken_by_others else POLL_SECONDS_WITHOUT_WAKE_UPS

    async def _tick(self) -> None:
        # One timer for all: those that are due in the same second share their reads.
        while True:
            await asyncio.sleep(min(_TICK_SECONDS, self.poll_seconds))
            now = time.monotonic()
            for waiters in self._waiting.values():
                for waiter in waiters:
                    if waiter.due_at <= now:
                        waiter.set()


async def _listen(hub: Hub) -> None:
    if settings.REDIS_URL:
        await _listen_to_redis(hub)
    elif connection.vendor == "sqlite":
        await _watch_sqlite(hub)


async def _listen_to_redis(hub: Hub) -> None:
    failures = 0
    while True:
        try:
            async with _subscription() as messages:
                hub.deaf = False
                hub.notify_all()
                failures = 0
                async for channel in messages:
                    hub.notify(channel)
        except (OSError, redis.RedisError) as error:
            log.warning("wake-ups: %s; subscribers poll until Redis is back", type(error).__name__)
        hub.deaf = True
        # Whoever settled for the long pause before learns of the short one now.
        hub.notify_all()
        await asyncio.sleep(_REDIS_BACK_OFF_SECONDS[min(failures, 4)])
        failures += 1


@contextlib.asynccontextmanager
async def _subscription() -> AsyncIterator[AsyncIterator[str]]:
    prefix = f"{settings.REDIS_PREFIX}:wake:"
    client = redis.asyncio.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=_REDIS_TIMEOUT_SECONDS,
        health_check_interval=5,
    )
    pubsub = client.pubsub()

    async def topics() -> AsyncIterator[str]:
        while True:
            message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=5.0)
            if message is not None:
                yield message["channel"].decode().removeprefix(prefix)

    try:
        await pubsub.psubscribe(f"{prefix}*")
        yield topics()
    finally:
        await pubsub.aclose()  # type: ignore[no-untyped-call]
        await client.aclose()


async def _watch_sqlite(hub: Hub) -> None:
    # data_version changes when any other connection to the file commits, in this process or in
    # another. It reads shared memory: 8 µs, and no lock to wait for.
    name = str(connection.settings_dict["NAME"])
    with contextlib.closing(sqlite3.connect(name, check_same_thread=False)) as watcher:
        seen = None
        while True:
            (version,) = watcher.execute("PRAGMA data_version").fetchone()
            if version != seen:
                seen = version
                hub.notify_all()
            await asyncio.sleep(_DATA_VERSION_SECONDS)


@cache
def _publisher(url: str) -> "redis.Redis":
    return redis.Redis.from_url(
        url,
        socket_timeout=_REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=_REDIS_TIMEOUT_SECONDS,
    )
