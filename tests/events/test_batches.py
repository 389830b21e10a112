"""Questions of one moment are answered together, and never with something older than they are."""

import asyncio

import pytest

from backend.events.batches import MOST_TOGETHER, Batches

pytestmark = pytest.mark.django_db(transaction=True)


async def test_those_who_ask_together_are_answered_by_one_call() -> None:
    calls: list[list[int]] = []

    def double(keys: list[int]) -> dict[int, int]:
        calls.append(keys)
        return {key: key * 2 for key in keys if key != 3}

    batches = Batches(double)
    answers = await asyncio.gather(*(batches.get(key) for key in (1, 2, 2, 3)))

    assert answers == [2, 4, 4, None]
    assert calls == [[1, 2, 3]]


async def test_whoever_asks_while_a_call_runs_is_answered_by_the_next_one() -> None:
    committed = 1
    running, go_on = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def read(keys: list[str]) -> dict[str, int]:
        seen = committed
        loop.call_soon_threadsafe(running.set)
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(5)
        return dict.fromkeys(keys, seen)

    batches = Batches(read)
    first = asyncio.ensure_future(batches.get("a"))
    await running.wait()
    committed = 2
    second = asyncio.ensure_future(batches.get("a"))
    await asyncio.sleep(0)
    go_on.set()

    assert (await first, await second) == (1, 2)


async def test_a_crowd_is_answered_in_several_calls() -> None:
    sizes: list[int] = []

    def count(keys: list[int]) -> dict[int, int]:
        sizes.append(len(keys))
        return {}

    batches = Batches(count)
    await asyncio.gather(*(batches.get(key) for key in range(MOST_TOGETHER + 1)))

    assert sorted(sizes) == [1, MOST_TOGETHER]


async def test_what_fails_fails_for_all_and_who_has_left_is_no_hindrance() -> None:
    def fail(keys: list[int]) -> dict[int, int]:
        raise OSError

    batches = Batches(fail)
    gone = asyncio.ensure_future(batches.get(1))
    waiting = asyncio.ensure_future(batches.get(1))
    await asyncio.sleep(0)
    gone.cancel()

    with pytest.raises(OSError):
        await waiting
