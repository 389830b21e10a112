"""Processor time of a whole funding, from the mutation to the money's arrival."""

import asyncio

from bench.people import Payers, decide
from bench.processes import cpu_seconds
from bench.results import Row

IN_FLIGHT = 8
FUNDINGS = 48


async def measure(payers: Payers) -> list[Row]:
    """Everything of ours together, against the baseline's one process."""
    world = payers.world
    before = world.cpu_seconds()
    await _pay_many(payers)
    used = {name: after - before[name] for name, after in world.cpu_seconds().items()}
    bare_before = cpu_seconds(world.bare_pid)
    started = await world.bare(do="start", count=FUNDINGS, in_flight=IN_FLIGHT)
    locations = [await decide(payers.http, world, redirect) for redirect in started["redirects"]]
    await world.bare(do="finish", locations=locations, in_flight=IN_FLIGHT)
    bare = (cpu_seconds(world.bare_pid) - bare_before) / FUNDINGS * 1000
    rows = [
        Row(
            name="CPU per whole funding, all processes / bare client",
            unit="ms",
            ours=sum(used.values()) / FUNDINGS * 1000,
            baseline=bare,
            at_most=4.0,
        )
    ]
    rows += [
        Row(
            name=f"  of which {name}",
            unit="ms",
            ours=seconds / FUNDINGS * 1000,
            baseline=bare,
        )
        for name, seconds in used.items()
    ]
    return rows


async def _pay_many(payers: Payers) -> None:
    slots = asyncio.Semaphore(IN_FLIGHT)

    async def pay_one() -> None:
        async with slots, payers.one() as payer:
            waiting = await payer.start()
            await payer.approve(waiting)
            await payer.completed_at()

    async with asyncio.TaskGroup() as group:
        for _ in range(FUNDINGS):
            group.create_task(pay_one())
