"""How many fundings get as far as their redirect URL in a second, 16 at a time."""

import asyncio
import time

from bench.people import Payers
from bench.results import Row

IN_FLIGHT = 16
FUNDINGS = 48
ROUNDS = 3


async def measure(payers: Payers) -> list[Row]:
    """Take both in turns, in a few rounds."""
    our_seconds = bare_seconds = 0.0
    for _ in range(ROUNDS):
        our_seconds += await _start_many(payers)
        started = await payers.world.bare(do="start", count=FUNDINGS, in_flight=IN_FLIGHT)
        bare_seconds += started["seconds"]
    await payers.world.bare(do="forget")
    return [
        Row(
            name=f"fundings started per second, {IN_FLIGHT} in flight / bare calls",
            unit="/s",
            ours=ROUNDS * FUNDINGS / our_seconds,
            baseline=ROUNDS * FUNDINGS / bare_seconds,
            at_least=0.6,
        )
    ]


async def _start_many(payers: Payers) -> float:
    slots = asyncio.Semaphore(IN_FLIGHT)

    async def start_one() -> None:
        async with slots, payers.one() as payer:
            await payer.leave(await payer.start())

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(FUNDINGS):
            group.create_task(start_one())
    return time.perf_counter() - began
