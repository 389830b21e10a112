"""Following a topic while others write to it, with and without Redis."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import UTC, datetime

import pytest
import redis
from django.db import OperationalError, connection, transaction
from pytest_django import Settings

from backend.events import emit, queries
from backend.events.feed import Page, pages, patiently, read_alone
from backend.events.hub import POLL_SECONDS, POLL_SECONDS_WHILE_DEAF, hub
from backend.events.models import Event
from backend.events.threads import in_database

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
WAIT_SECONDS = 10.0

pytestmark = pytest.mark.django_db(transaction=True)


def announce(topic: str = "a", times: int = 1) -> None:
    for _ in range(times):
        with transaction.atomic():
            emit(topic=topic, type="test", payload={}, at=NOON)


async def tail(*, topic: str, after: int) -> AsyncGenerator[Event, None]:
    async with aclosing(
        pages(topic=topic, after=after, read=read_alone(topic, lambda: None))
    ) as found:
        async for page in found:
            for event in page.events:
                yield event


async def next_seq(events: AsyncGenerator[Event, None]) -> int:
    return (await asyncio.wait_for(anext(events), WAIT_SECONDS)).seq


async def test_a_follower_gets_what_was_and_what_comes() -> None:
    await in_database(announce, times=3)

    async with aclosing(tail(topic="a", after=1)) as events:
        before = [await next_seq(events), await next_seq(events)]
        waiting = asyncio.ensure_future(next_seq(events))
        await asyncio.sleep(0.1)
        await in_database(announce, "b")
        await in_database(announce, "a")
        live = await waiting

    assert (before, live) == ([2, 3], 4)


async def test_a_wake_up_comes_long_before_the_poll() -> None:
    async with aclosing(tail(topic="a", after=0)) as events:
        waiting = asyncio.ensure_future(next_seq(events))
        await asyncio.sleep(0.2)
        started = asyncio.get_running_loop().time()
        await in_database(announce)
        await waiting

    assert asyncio.get_running_loop().time() - started < POLL_SECONDS / 5


async def test_more_than_a_page_arrives_in_order() -> None:
    await in_database(announce, times=230)

    async with aclosing(tail(topic="a", after=0)) as events:
        assert [await next_seq(events) for _ in range(230)] == list(range(1, 231))


async def test_a_follower_that_leaves_is_forgotten() -> None:
    async with aclosing(tail(topic="a", after=0)) as events:
        waiting = asyncio.ensure_future(next_seq(events))
        await asyncio.sleep(0.1)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    assert not hub()._waiting
    assert hub()._listener is None


async def test_a_failing_recheck_ends_the_feed_although_nothing_happens() -> None:
    async def recheck() -> None:
        raise PermissionError

    feed = pages(
        topic="a", after=0, read=read_alone("a", lambda: None), recheck=recheck, recheck_seconds=0.1
    )
    async with aclosing(feed) as found:
        with pytest.raises(PermissionError):
            await asyncio.wait_for(anext(found), WAIT_SECONDS)


async def test_a_snapshot_comes_first_and_what_was_looked_at_is_as_new_as_its_events() -> None:
    await in_database(announce, times=3)

    async with aclosing(
        pages(topic="a", after=None, read=read_alone("a", Event.objects.count))
    ) as found:
        snapshot = await anext(found)
        await in_database(announce, times=2)
        live = await asyncio.wait_for(anext(found), WAIT_SECONDS)

    assert (snapshot.is_snapshot, snapshot.seq, snapshot.seen) == (True, 3, 3)
    assert [event.seq for event in snapshot.events] == [3]
    assert (live.events[0].seq, live.seen) == (4, live.seq)


async def test_followers_that_wake_together_share_one_read_and_each_sees_everything() -> None:
    reads: list[list[tuple[str, int]]] = []

    def load(places: list[tuple[str, int]]) -> Mapping[tuple[str, int], list[Event]]:
        reads.append(places)
        return queries.pages_after(places)

    async def read(after: int | None) -> Page[None] | None:
        events = await hub().batches(load).get(("a", after or 0))
        return Page(events, events[-1].seq, None, is_snapshot=False) if events else None

    feeds = [pages(topic="a", after=0, read=read) for _ in range(50)]
    waiting = [asyncio.ensure_future(anext(feed)) for feed in feeds]
    await asyncio.sleep(0.3)
    await in_database(announce)
    found = await asyncio.wait_for(asyncio.gather(*waiting), WAIT_SECONDS)
    for feed in feeds:
        await feed.aclose()

    assert [[event.seq for event in page.events] for page in found] == [[1]] * 50
    assert reads[0] == [("a", 0)]
    assert len(reads) < 5


async def test_a_commit_of_another_process_is_seen_soon_without_redis(settings: Settings) -> None:
    """Another process: a connection of its own, that calls no wake() of ours."""
    settings.REDIS_URL = ""
    async with aclosing(tail(topic="a", after=0)) as events:
        waiting = asyncio.ensure_future(next_seq(events))
        await asyncio.sleep(0.3)
        await asyncio.to_thread(_write_from_outside)

        assert await asyncio.wait_for(waiting, POLL_SECONDS / 3) == 1


def _write_from_outside() -> None:
    columns = "(id, topic, seq, type, payload, at)"
    values = "('01985c3e7f4b7c3e8d3c2b1f0a9e8d7c', 'a', 1, 'test', '{}', '2026-06-01 12:00:00')"
    if connection.vendor == "sqlite":
        with sqlite3.connect(str(connection.settings_dict["NAME"])) as other:
            other.execute(f"INSERT INTO events_event {columns} VALUES {values}")
        other.close()
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO events_event {columns} VALUES {values}")
    finally:
        connection.close()


async def test_a_feed_that_is_woken_and_ended_at_the_same_moment_ends() -> None:
    async with aclosing(tail(topic="a", after=0)) as events:
        waiting = asyncio.ensure_future(next_seq(events))
        await asyncio.sleep(0.5)

        hub().notify("a")
        waiting.cancel()

        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(waiting, POLL_SECONDS / 3)


async def test_a_wake_up_over_redis_reaches_a_follower(settings: Settings) -> None:
    settings.REDIS_URL = os.environ.get("REDIS_URL") or "redis://127.0.0.1:6379/0"
    if not await asyncio.to_thread(_answers, settings.REDIS_URL):
        # No Redis on this machine: followers look for themselves, and often.
        assert hub().poll_seconds == POLL_SECONDS_WHILE_DEAF
        return
    async with aclosing(tail(topic="a", after=0)) as events:
        waiting = asyncio.ensure_future(next_seq(events))
        await asyncio.sleep(0.5)
        await asyncio.to_thread(_write_from_outside)
        with redis.Redis.from_url(settings.REDIS_URL) as other:
            await asyncio.to_thread(other.publish, f"{settings.REDIS_PREFIX}:wake:a", "")

        assert await asyncio.wait_for(waiting, POLL_SECONDS / 3) == 1


def _answers(url: str) -> bool:
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=0.5) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


async def test_with_redis_gone_a_follower_soon_finds_what_others_write(
    settings: Settings,
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    async with aclosing(tail(topic="a", after=0)) as events:
        waiting = asyncio.ensure_future(next_seq(events))
        await asyncio.sleep(0.5)
        await asyncio.to_thread(_write_from_outside)

        assert await asyncio.wait_for(waiting, POLL_SECONDS / 3) == 1


async def test_with_redis_gone_writers_do_not_wait_and_followers_are_woken_here(
    settings: Settings,
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    async with aclosing(tail(topic="a", after=0)) as events:
        waiting = asyncio.ensure_future(next_seq(events))
        await asyncio.sleep(0.2)
        started = asyncio.get_running_loop().time()
        await in_database(announce, times=3)
        took = asyncio.get_running_loop().time() - started

        assert await waiting == 1
    assert took < 1


async def test_a_database_that_comes_back_is_waited_for() -> None:
    answers = [OperationalError("gone"), OperationalError("gone"), None]

    async def read() -> str:
        if (error := answers.pop(0)) is not None:
            raise error
        return "back"

    assert await patiently(read) == "back"


async def test_a_killed_connection_is_replaced() -> None:
    reads = [_kill_own_connection, Event.objects.count]

    assert await patiently(lambda: in_database(reads.pop(0))) == 0


def _kill_own_connection() -> int:
    if connection.vendor == "sqlite":
        raise OperationalError("SQLite has no connection that another could kill")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    raise AssertionError("the connection has survived")
