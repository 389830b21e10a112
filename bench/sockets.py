"""Thousands of open sockets: what each holds, and how soon all of them hear of one event.

One server process of ours, and one of the least that a socket server can do, take the same sockets
in turn. Everybody follows one job; one more client asks for a flood of its own and reads none of
it. Times are from the commit (of the baseline: from the first send) to the arrival.
"""

import asyncio
import json
import os
import resource
import secrets
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from bench import processes
from bench.raw_socket import RawSocket, open_socket
from bench.results import Row, percentile
from bench.world import REDIS, free_port, new_database, wait_until_ready

SOCKETS = 5_000
SOCKETS_EACH = 40
# Of ours and of the client, besides sockets: libraries, logs, the database, Redis.
OTHER_FILES = 200
OPENING_AT_ONCE = 50
ROUNDS = 5
IDLE_SECONDS = 15.0
ARRIVE_SECONDS = 60.0
FLOOD = 20
FLOOD_EVENTS = 200
FLOOD_LENGTH = 2_000
JOB_EVENTS = """
subscription ($id: ID!) { jobEvents(jobId: $id) { cursor node { id type at subjectId } } }
"""
VIEWER_EVENTS = "subscription { viewerEvents { cursor node { id type at data } } }"
Json = dict[str, Any]


@dataclass
class Measured:
    """Of one server: kB for each socket, milliseconds for each delivery, and its idle CPU."""

    memory_kb: float = 0.0
    all_hear: list[float] = field(default_factory=list)
    few_hear: list[float] = field(default_factory=list)
    idle_percent: float = 0.0


def measure() -> list[Row]:
    """Ours with a slow reader among the others, then the baseline."""
    count = _room_for(SOCKETS)
    with TemporaryDirectory(prefix="faena-bench-") as folder:
        ours = asyncio.run(_measure_ours(count, Path(folder)))
        bare = asyncio.run(_measure_bare(count, Path(folder)))
    heard = f"one event to {count} sockets"
    return [
        Row(
            name=f"{heard}, commit → arrival, p99",
            unit="ms",
            ours=_p(ours.all_hear, 99),
            at_most=1000,
        ),
        Row(
            name=f"{heard}, p50 / bare sockets",
            unit="ms",
            ours=_p(ours.all_hear, 50),
            baseline=_p(bare.all_hear, 50),
        ),
        Row(
            name=f"{heard}, p99 / bare sockets",
            unit="ms",
            ours=_p(ours.all_hear, 99),
            baseline=_p(bare.all_hear, 99),
        ),
        Row(
            name=f"one event to {SOCKETS_EACH} of them, commit → arrival, p99",
            unit="ms",
            ours=_p(ours.few_hear, 99),
            at_most=1000,
        ),
        Row(name="memory per socket", unit="kB", ours=ours.memory_kb, at_most=80),
        Row(
            name="memory per socket / bare sockets",
            unit="kB",
            ours=ours.memory_kb,
            baseline=bare.memory_kb,
        ),
        Row(
            name="CPU while nothing happens, of one core",
            unit="%",
            ours=ours.idle_percent,
        ),
    ]


def _p(values: Sequence[float], part: int) -> float:
    return percentile(values, part / 100)


def _room_for(count: int) -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = count + OTHER_FILES
    if soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    room = min(count, soft - OTHER_FILES)
    if room < count:
        print(f"sockets: this machine lets a process open {room}, not {count}", file=sys.stderr)
    return room


async def _measure_ours(count: int, folder: Path) -> Measured:
    name = f"faena_bench_{secrets.token_hex(4)}"
    found = Measured()
    with new_database(name) as database_url:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "bench.settings",
            "DEBUG": "1",
            "LOG_LEVEL": "WARNING",
            "ALLOWED_HOSTS": "127.0.0.1",
            "VAR_DIR": str(folder),
            "DATABASE_URL": database_url,
            "REDIS_URL": os.environ.get("REDIS_URL") or REDIS,
            "REDIS_PREFIX": name,
        }
        lenient = {**environment, "DJANGO_SETTINGS_MODULE": "backend.settings"}
        processes.run("django", "migrate", "--verbosity", "0", environment=lenient)
        with (
            _serving("bench.asgi:application", environment, folder) as (pid, host),
            processes.running(
                "bench.crowd", environment=environment, log_path=folder / "log"
            ) as crowd,
        ):
            seeded = await _ask(crowd, do="seed", people=count // SOCKETS_EACH + 2)
            *tokens, slow_token = seeded["tokens"]
            await _open(host, 1, tokens, seeded["job"])  # what is loaded on first use
            before = processes.memory_mib(pid)
            sockets = await _open(host, count, tokens, seeded["job"])
            found.memory_kb = (processes.memory_mib(pid) - before) * 1024 / count
            used = processes.cpu_seconds(pid)
            await asyncio.sleep(IDLE_SECONDS)
            found.idle_percent = (processes.cpu_seconds(pid) - used) / IDLE_SECONDS * 100
            slow = await _open_slow(host, slow_token)
            for _ in range(FLOOD):
                await _ask(
                    crowd,
                    do="happen",
                    topic="person",
                    number=len(tokens),
                    count=FLOOD_EVENTS,
                    length=FLOOD_LENGTH,
                )
            few = sockets[:SOCKETS_EACH]  # all of them one person's
            await _subscribe(few, "2", VIEWER_EVENTS)
            for _ in range(ROUNDS):
                told = await _ask(crowd, do="happen", topic="job", count=1, length=10)
                found.all_hear += await _arrivals(sockets, told["at"])
                told = await _ask(crowd, do="happen", topic="person", number=0, count=1, length=10)
                found.few_hear += await _arrivals(few, told["at"])
            slow.transport.abort()
            for each in sockets:
                each.transport.abort()
    return found


async def _measure_bare(count: int, folder: Path) -> Measured:
    found = Measured()
    with _serving("bench.bare_sockets:application", os.environ, folder) as (pid, host):
        text = json.dumps(
            {
                "id": "1",
                "type": "next",
                "payload": {"data": {"jobEvents": {"cursor": "x" * 20, "node": {"id": "x" * 150}}}},
            }
        )
        before = processes.memory_mib(pid)
        sockets = [await open_socket(host) for _ in range(count)]
        async with httpx.AsyncClient(timeout=ARRIVE_SECONDS) as http:
            await http.post(f"http://{host}/tell", content=text)
            await _arrivals(sockets, 0.0)
            found.memory_kb = (processes.memory_mib(pid) - before) * 1024 / count
            for _ in range(ROUNDS):
                telling = asyncio.create_task(http.post(f"http://{host}/tell", content=text))
                arrived = await _arrivals(sockets, 0.0)
                began = (await telling).json()["at"]
                found.all_hear += [at - began * 1000 for at in arrived]
        for each in sockets:
            each.transport.abort()
    return found


@contextmanager
def _serving(
    application: str, environment: Mapping[str, str], folder: Path
) -> Iterator[tuple[int, str]]:
    """A server process of `application`, which is ready: its pid and its host."""
    port = free_port()
    server = processes.running(
        *("uvicorn", application, "--port", str(port), "--no-access-log"),
        *("--log-level", "warning", "--ws-per-message-deflate", "false"),
        environment=environment,
        log_path=folder / "log",
    )
    with server as process:
        wait_until_ready(f"http://127.0.0.1:{port}")
        yield process.pid, f"127.0.0.1:{port}"


async def _ask(process: Any, **command: Any) -> Json:
    def ask() -> Json:
        process.stdin.write(f"{json.dumps(command)}\n")
        process.stdin.flush()
        return dict(json.loads(processes.first_line(process, timeout_seconds=ARRIVE_SECONDS)))

    return await asyncio.to_thread(ask)


async def _open(host: str, count: int, tokens: Sequence[str], job: str) -> list[RawSocket]:
    """So many followers of `job`, who have got where the feed stands."""
    slots = asyncio.Semaphore(OPENING_AT_ONCE)

    async def one(number: int) -> RawSocket:
        async with slots:
            opened = await open_socket(host)
            await _begin(opened, tokens[number // SOCKETS_EACH])
            await _subscribe([opened], "1", JOB_EVENTS, id=job)
            return opened

    return list(await asyncio.gather(*(one(number) for number in range(count))))


async def _begin(opened: RawSocket, token: str) -> None:
    opened.send({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}})
    assert (await opened.next())["type"] == "connection_ack"


async def _subscribe(
    sockets: Sequence[RawSocket], name: str, query: str, /, **variables: Any
) -> None:
    for each in sockets:
        payload = {"query": query, "variables": variables}
        each.send({"id": name, "type": "subscribe", "payload": payload})
        first = await each.next()
        assert first["type"] == "next", first
        assert "errors" not in first["payload"], first


async def _open_slow(host: str, token: str) -> RawSocket:
    """A follower of their own feed who reads no more of it."""
    slow = await open_socket(host)
    raw = slow.transport.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    await _begin(slow, token)
    await _subscribe([slow], "1", VIEWER_EVENTS)
    slow.transport.pause_reading()
    return slow


async def _arrivals(sockets: Sequence[RawSocket], since: float) -> list[float]:
    """When the next text came to each, in milliseconds after `since`.

    Raises:
        TimeoutError: one of them has not heard.
    """
    async with asyncio.timeout(ARRIVE_SECONDS):
        while not all(each.arrived for each in sockets):  # noqa: ASYNC110 - as cheap as it gets
            await asyncio.sleep(0.05)
    arrived = [(each.arrived[0][0] - since) * 1000 for each in sockets]
    for each in sockets:
        each.arrived.clear()
    return arrived
