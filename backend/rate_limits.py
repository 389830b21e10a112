"""How often somebody may try something: moving windows in Redis, or in this process without it.

Redis is shared by all processes and may vanish or freeze. Then each process counts for itself:
a little more gets through, nobody waits, and nothing that is limited becomes unlimited.
"""

import hashlib
import ipaddress
import logging
import math
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import redis
from django.conf import settings
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis.backoff import NoBackoff
from redis.retry import Retry

from backend.errors import RateLimited

log = logging.getLogger(__name__)

# The name is the namespace of its keys; what is counted, per what, is said by the caller of hit().
LIMITS: Mapping[str, RateLimitItem] = MappingProxyType(
    {
        "logIn": RateLimitItemPerMinute(5, 5, namespace="logIn"),  # per account
        "logIn.address": RateLimitItemPerMinute(50, 5, namespace="logIn.address"),
        "secondFactor": RateLimitItemPerMinute(5, 5, namespace="secondFactor"),  # per operator
        "signUp": RateLimitItemPerHour(20, namespace="signUp"),  # per address
        "wallets": RateLimitItemPerMinute(20, namespace="wallets"),  # per user
        "uploads": RateLimitItemPerMinute(60, namespace="uploads"),  # per user
        "exports": RateLimitItemPerHour(60, namespace="exports"),  # per user
        "apiKeys": RateLimitItemPerHour(30, namespace="apiKeys"),  # made, per user
        "apiKey": RateLimitItemPerMinute(600, namespace="apiKey"),  # requests, per key
        # Of whatever kind, per user; programs have the one of their key.
        "mutations": RateLimitItemPerMinute(300, namespace="mutations"),
        "webhooks": RateLimitItemPerMinute(30, namespace="webhooks"),  # per user
        "money": RateLimitItemPerMinute(30, namespace="money"),  # per user
    }
)
REDIS_TIMEOUT_SECONDS = 1.0
REDIS_REST_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Verdict:
    allowed: bool
    retry_after_seconds: int


class Limiter:
    """Counts tries. `redis_url` None or empty counts in this process only.

    After Redis failed it is left alone for REDIS_REST_SECONDS, so that a frozen one costs one
    caller one timeout, not every caller.
    """

    def __init__(self, *, redis_url: str | None, prefix: str) -> None:
        self._local = MovingWindowRateLimiter(MemoryStorage())
        # Two threads at once would start the storage's timer twice, and one of them fail.
        self._counting_here = threading.Lock()
        self._shared: MovingWindowRateLimiter | None = None
        self._resting_until = 0.0
        if redis_url:
            storage = RedisStorage(
                redis_url,
                key_prefix=f"{prefix}:limits",
                socket_timeout=REDIS_TIMEOUT_SECONDS,
                socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
                # redis-py's own default is three more tries with growing pauses.
                retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]
            )
            self._shared = MovingWindowRateLimiter(storage)

    def hit(self, name: str, *identifiers: str) -> None:
        """Count one try against the limit `name`; safe from any thread, never waits long.

        Raises:
            RateLimited: this try is one too many, and must not be carried out.
        """
        item = LIMITS[name]
        # E-mail addresses and the like stay out of Redis, and keys stay short.
        text = "\0".join(identifiers).encode(errors="surrogatepass")
        key = hashlib.sha256(text).hexdigest()
        verdict = self._ask_shared(item, key) or self._ask_local(item, key)
        if not verdict.allowed:
            raise RateLimited(retry_after_seconds=verdict.retry_after_seconds)

    def reset(self) -> None:
        """Forget every count made under this prefix. For tests, and for an operator's hand."""
        self._local.storage.reset()
        if self._shared is not None:
            self._shared.storage.reset()

    def _ask_local(self, item: RateLimitItem, key: str) -> _Verdict:
        with self._counting_here:
            return _ask(self._local, item, key)

    def _ask_shared(self, item: RateLimitItem, key: str) -> _Verdict | None:
        if self._shared is None or time.monotonic() < self._resting_until:
            return None
        try:
            return _ask(self._shared, item, key)
        except redis.RedisError as error:
            log.warning("Redis cannot count (%s): counting here", type(error).__name__)
            self._resting_until = time.monotonic() + REDIS_REST_SECONDS
            return None


def hit(name: str, *identifiers: str) -> None:
    """Count one try against the limit `name` for these identifiers, with this process's limiter.

    Raises:
        RateLimited: this try is one too many, and must not be carried out.
    """
    limiter().hit(name, *identifiers)


def limiter() -> Limiter:
    """This process's limiter; a forked child makes its own."""
    return _limiter_of(os.getpid(), settings.REDIS_URL, settings.REDIS_PREFIX)


def network_of(remote_address: str) -> str:
    """The part of a caller's address that one caller usually owns: all of an IPv4, a /64 of IPv6.

    Text that is no address is returned as it is, so that it is limited too.
    """
    try:
        address = ipaddress.ip_address(remote_address)
    except ValueError:
        return remote_address
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))


def _ask(limiter: MovingWindowRateLimiter, item: RateLimitItem, key: str) -> _Verdict:
    if limiter.hit(item, key):
        return _Verdict(True, 0)
    reset_at = limiter.get_window_stats(item, key).reset_time
    return _Verdict(False, max(1, math.ceil(reset_at - time.time())))


@lru_cache(maxsize=1)
def _limiter_of(pid: int, redis_url: str, prefix: str) -> Limiter:
    del pid  # only part of the key: connections and locks do not survive a fork
    return Limiter(redis_url=redis_url, prefix=prefix)
