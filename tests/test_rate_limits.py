"""Limits hold with Redis, without it, and while it hangs."""

import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from backend.errors import RateLimited
from backend.ids import new_id
from backend.rate_limits import Limiter, network_of
from tests.outbound.servers import serving

REDIS = os.environ.get("REDIS_URL") or "redis://127.0.0.1:6379/0"


@pytest.fixture(params=["memory", "redis"])
def limiter(request: pytest.FixtureRequest) -> Iterator[Limiter]:
    url = REDIS if request.param == "redis" else None
    limiter = Limiter(redis_url=url, prefix=f"faena-test-{new_id().hex}")
    yield limiter
    limiter.reset()


def tries(limiter: Limiter, name: str, *identifiers: str, times: int) -> int:
    """How many of `times` tries get through."""

    def hit(_: int) -> bool:
        try:
            limiter.hit(name, *identifiers)
        except RateLimited:
            return False
        return True

    with ThreadPoolExecutor(12) as threads:
        return sum(threads.map(hit, range(times)))


def test_of_sixty_tries_at_once_five_get_through(limiter: Limiter) -> None:
    assert tries(limiter, "logIn", "ana@example.com", times=60) == 5


def test_callers_at_once_are_counted_whatever_the_storage_cleans_up_meanwhile() -> None:
    limiter, together = Limiter(redis_url=None, prefix="faena-test"), threading.Barrier(12)

    def hit(number: int) -> None:
        together.wait()
        limiter.hit("money", f"somebody else {number}")

    before = sys.getswitchinterval()
    # They have to meet between two lines of the library.
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(12) as threads:
            for round_ in range(150):
                time.sleep(0.015)  # the timer of the round before has ended
                list(threads.map(hit, range(12 * round_, 12 * round_ + 12)))
    finally:
        sys.setswitchinterval(before)


def test_names_and_identifiers_are_counted_apart(limiter: Limiter) -> None:
    assert tries(limiter, "logIn", "ana", times=10) == 5
    assert tries(limiter, "logIn", "bea", times=10) == 5
    assert tries(limiter, "logIn", "ana", "bea", times=10) == 5
    assert tries(limiter, "money", "ana", times=40) == 30


def test_a_refusal_says_when_to_try_again(limiter: Limiter) -> None:
    assert tries(limiter, "logIn", "ana", times=5) == 5

    with pytest.raises(RateLimited) as limited:
        limiter.hit("logIn", "ana")

    assert 295 <= limited.value.retry_after_seconds <= 301
    assert limited.value.retryable


def test_processes_that_share_a_redis_share_the_count() -> None:
    prefix = f"faena-test-{new_id().hex}"
    mine, theirs = (Limiter(redis_url=REDIS, prefix=prefix) for _ in range(2))

    got_through = tries(mine, "logIn", "ana", times=3) + tries(theirs, "logIn", "ana", times=9)
    mine.reset()

    assert got_through == 5


def test_no_personal_data_reaches_redis() -> None:
    prefix = f"faena-test-{new_id().hex}"
    limiter = Limiter(redis_url=REDIS, prefix=prefix)
    limiter.hit("logIn", "ana@example.com")
    with redis.Redis.from_url(REDIS) as client:
        keys = list(client.scan_iter(f"{prefix}*"))
        lifetimes = [client.ttl(key) for key in keys]
    limiter.reset()

    assert keys
    assert not any(b"ana" in key for key in keys)
    assert all(0 < seconds <= 300 for seconds in lifetimes)


def test_without_redis_each_process_counts_for_itself() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        limiter = Limiter(redis_url=f"redis://127.0.0.1:{nobody.getsockname()[1]}", prefix="x")

        assert tries(limiter, "logIn", "ana", times=60) == 5


def test_a_redis_that_hangs_costs_one_timeout_and_no_limit() -> None:
    def hang(connection: socket.socket) -> None:
        while connection.recv(1024):
            pass

    with serving(hang) as server:
        limiter = Limiter(redis_url=f"redis://127.0.0.1:{server.port}", prefix="x")
        started = time.monotonic()
        limiter.hit("logIn", "ana")
        first = time.monotonic() - started
        started = time.monotonic()
        got_through = tries(limiter, "logIn", "ana", times=59)
        others = time.monotonic() - started

    assert first < 2.5
    assert others < 1
    assert got_through == 4


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_one_callers_addresses_are_one_network(address: str, network: str) -> None:
    assert network_of(address) == network
