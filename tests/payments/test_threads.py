"""Whoever waits for wallets waits on threads of their own, and on few of them."""

import asyncio
import threading
import time

import pytest
from django.db import connection

from backend.accounts.models import User
from backend.accounts.wallets import lookup_wallet
from backend.clock import SYSTEM_CLOCK
from backend.errors import RateLimited
from backend.events.threads import THREADS as DATABASE_THREADS
from backend.events.threads import in_database
from backend.payments import threads
from backend.payments.threads import AT_ONCE, asking_wallets

pytestmark = pytest.mark.django_db(transaction=True)


class Wallet:
    """Answers when it is told to, and counts who waits for it."""

    def __init__(self) -> None:
        self.answer = threading.Event()
        self._lock = threading.Lock()
        self.waiting = self.most_waiting = 0

    def ask(self) -> int:
        with self._lock:
            self.waiting += 1
            self.most_waiting = max(self.most_waiting, self.waiting)
        try:
            self.answer.wait(10)
            return User.objects.count()
        finally:
            with self._lock:
                self.waiting -= 1


async def until(wallet: Wallet, waiting: int) -> None:
    for _ in range(500):
        if wallet.waiting >= waiting:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(wallet.waiting)


async def test_who_waits_for_wallets_keeps_nobody_from_the_database() -> None:
    wallet = Wallet()
    asked = [
        asyncio.ensure_future(asking_wallets(f"user-{number % 4}", wallet.ask))
        for number in range(4 * DATABASE_THREADS)
    ]
    await until(wallet, threads.THREADS)

    started = time.perf_counter()
    found = await in_database(User.objects.count)
    waited = time.perf_counter() - started

    wallet.answer.set()
    assert await asyncio.gather(*asked) == [found] * len(asked)
    assert waited < 2


async def test_one_account_waits_for_two_wallets_at_a_time_and_others_for_theirs() -> None:
    wallet = Wallet()
    greedy = [asyncio.ensure_future(asking_wallets("greedy", wallet.ask)) for _ in range(10)]
    await until(wallet, AT_ONCE)
    await asyncio.sleep(0.1)

    assert wallet.most_waiting == AT_ONCE
    assert await asking_wallets("other", User.objects.count) == 0
    wallet.answer.set()
    await asyncio.gather(*greedy)
    assert wallet.most_waiting == AT_ONCE


async def test_who_hangs_up_keeps_their_place_until_the_wallet_has_answered() -> None:
    wallet = Wallet()
    for _ in range(AT_ONCE):
        asked = asyncio.ensure_future(asking_wallets("hasty", wallet.ask))
        await asyncio.sleep(0.05)
        asked.cancel()
    again = asyncio.ensure_future(asking_wallets("hasty", wallet.ask))
    await asyncio.sleep(0.1)

    assert wallet.waiting == AT_ONCE
    wallet.answer.set()
    assert await again == 0


async def test_who_waits_for_a_place_too_long_is_told_to_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threads, "SLOT_WITHIN_SECONDS", 0.1)
    wallet = Wallet()
    asked = [asyncio.ensure_future(asking_wallets("busy", wallet.ask)) for _ in range(AT_ONCE)]
    await until(wallet, AT_ONCE)

    with pytest.raises(RateLimited):
        await asking_wallets("busy", wallet.ask)

    wallet.answer.set()
    await asyncio.gather(*asked)


async def test_no_connection_to_the_database_is_kept_while_a_wallet_is_asked() -> None:
    if connection.vendor != "postgresql":
        return  # a file handle of this thread, which nobody waits for
    open_meanwhile: list[bool] = []

    def look_up() -> None:
        class Slow:
            def fetch(self, url: str) -> None:
                open_meanwhile.append(connection.connection is not None)
                raise RuntimeError

        User.objects.count()
        with pytest.raises(RuntimeError):
            lookup_wallet(
                address="https://wallet.example/alice",
                principal="somebody",
                now=SYSTEM_CLOCK.now(),
                wallets=Slow(),  # type: ignore[arg-type]
            )

    await asking_wallets("somebody", look_up)

    assert open_meanwhile == [False]
