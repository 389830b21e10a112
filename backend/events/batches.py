"""Reading together what many streams ask for in the same moment.

One event may have thousands of followers, and all of them wake at once. What each of them asks
for is asked once for all; what they see is never older than their question.
"""

import asyncio
from collections.abc import Callable, Hashable, Mapping
from typing import Generic, TypeVar

from backend.events.threads import in_database

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MOST_TOGETHER = 500


class Batches(Generic[K, V]):
    """`load([key, …])[key]` for every caller of one moment of one event loop, in one call.

    `load` runs on a database thread, after everybody whom it answers has asked: so whatever was
    committed before a question is in its answer. Whoever asks while it runs waits for the next.
    """

    def __init__(self, load: Callable[[list[K]], Mapping[K, V]]) -> None:
        self._load = load
        self._asked: dict[K, list[asyncio.Future[V | None]]] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def get(self, key: K) -> V | None:
        """What `load` has for `key`; None when it leaves it out. Raises what `load` raises."""
        loop = asyncio.get_running_loop()
        if not self._asked:
            loop.call_soon(self._begin)
        answer: asyncio.Future[V | None] = loop.create_future()
        self._asked.setdefault(key, []).append(answer)
        return await answer

    def _begin(self) -> None:
        asked, self._asked = self._asked, {}
        keys = list(asked)
        for start in range(0, len(keys), MOST_TOGETHER):
            some = {key: asked[key] for key in keys[start : start + MOST_TOGETHER]}
            task = asyncio.get_running_loop().create_task(self._answer(some))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _answer(self, asked: dict[K, list[asyncio.Future[V | None]]]) -> None:
        try:
            found = await in_database(self._load, list(asked))
        except Exception as error:
            for answer in _still_wanted(asked):
                answer[1].set_exception(error)
            return
        for key, future in _still_wanted(asked):
            future.set_result(found.get(key))


def _still_wanted(
    asked: dict[K, list[asyncio.Future[V | None]]],
) -> list[tuple[K, asyncio.Future[V | None]]]:
    return [(key, each) for key, answers in asked.items() for each in answers if not each.done()]
