"""`python -m bench [name …]`: run all benchmarks, or the named ones; a table and a JSON line.

PostgreSQL and Redis must answer: on localhost, or where DATABASE_URL and REDIS_URL say. Nothing
of theirs is touched but a database and keys of our own, removed afterwards.
"""

import argparse
import asyncio
import json
import sys

from bench import (
    cpu,
    finding,
    graphql,
    memory,
    notice,
    pages,
    payouts,
    signing,
    sockets,
    start,
    sweep,
    throughput,
)
from bench.people import payers_of
from bench.results import Row, table
from bench.world import World, open_world

LONGEST_SECONDS = 300
IN_THE_WORLD = {
    "graphql": lambda payers: graphql.measure(payers.world),
    "start": start.measure,
    "throughput": throughput.measure,
    "cpu": cpu.measure,
    "notice": notice.measure,
    "payouts": payouts.measure,
}
ALONE = {
    "signing": signing.measure,
    "pages": pages.measure,
    "finding": finding.measure,
    "sweep": sweep.measure,
    "sockets": sockets.measure,
}
NAMES = (*ALONE, *IN_THE_WORLD, "memory")


def main() -> None:
    """Print what was measured; an aim that is missed is a figure, not a failure."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(NAMES)}")
    names = parser.parse_args().names or list(NAMES)
    if unknown := set(names) - set(NAMES):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}: {', '.join(NAMES)}")
    rows: list[Row] = []
    for name, measure in ALONE.items():
        if name in names:
            print(f"{name} …", file=sys.stderr)
            rows += measure()
    if set(names) - set(ALONE):
        with open_world() as world:
            rows += asyncio.run(_measure(world, names))
    print(table(rows))
    print(json.dumps([row.to_json() for row in rows]))


async def _measure(world: World, names: list[str]) -> list[Row]:
    rows: list[Row] = []
    async with asyncio.timeout(LONGEST_SECONDS), payers_of(world) as payers:
        for name, measure in IN_THE_WORLD.items():
            if name in names:
                print(f"{name} …", file=sys.stderr)
                rows += await measure(payers)
    if "memory" in names:
        rows += memory.measure(world)
    return rows


if __name__ == "__main__":
    main()
