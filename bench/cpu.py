"""Processor time of a whole funding, from the mutation to the money's arrival."""

import asyncio

from bench.people import Payers, decide
from bench.processes import cpu_seconds
from bench.results import Row

IN_FLIGHT = 8
WARM_UPS = 8
ROUNDS = 3
FUNDINGS_PER_ROUND = 16
FUNDINGS = ROUNDS * FUNDINGS_PER_ROUND


async def measure(payers: Payers) -> list[Row]:
    """Everything of ours together, against the baseline's one process; in turns."""
    world = payers.world
    used = dict.fromkeys(world.pids, 0.0)
    bare = 0.0
    await _pay_many(payers, WARM_UPS)
    await _pay_many_barely(payers, WARM_UPS)
    for _ in range(ROUNDS):
        before = world.cpu_seconds()
        await _pay_many(payers, FUNDINGS_PER_ROUND)
        for name, after in world.cpu_seconds().items():
            used[name] += (after - before[name]) / FUNDINGS * 1000
        bare_before = cpu_seconds(world.bare_pid)
        await _pay_many_barely(payers, FUNDINGS_PER_ROUND)
        bare += (cpu_seconds(world.bare_pid) - bare_before) / FUNDINGS * 1000
    return [
        Row(
            name="CPU per whole funding, all processes / bare client",
            unit="ms",
            ours=sum(used.values()),
            baseline=bare,
            at_most=4.0,
        ),
        *(
            Row(name=f"  of which {name}", unit="ms", ours=milliseconds, baseline=bare)
            for name, milliseconds in used.items()
        ),
    ]


async def _pay_many(payers: Payers, count: int) -> None:
    slots = asyncio.Semaphore(IN_FLIGHT)

    async def pay_one() -> None:
        async with slots, payers.one() as payer:
            waiting = await payer.start()
            await payer.approve(waiting)
            await payer.completed_at()

    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(pay_one())


async def _pay_many_barely(payers: Payers, count: int) -> None:
    world = payers.world
    started = await world.bare(do="start", count=count, in_flight=IN_FLIGHT)
    locations = [await decide(payers.http, world, each) for each in started["redirects"]]
    await world.bare(do="finish", locations=locations, in_flight=IN_FLIGHT)
