"""How many workers are paid in a second, under one consent and under many.

All of them are owed at once. The baseline makes the same calls with a token that it keeps.
"""

from bench.people import Payers, decide, visit
from bench.results import Row

IN_FLIGHT = 16
PAYOUTS = 48
SHAPES = (("one shared grant", 1), ("16 grants", 16))


async def measure(payers: Payers) -> list[Row]:
    """Each shape twice, in turns with the baseline."""
    rows = []
    bare = await _pay_barely(payers)
    for name, grants in SHAPES:
        seconds = 0.0
        for _ in range(2):
            seconds += await _pay(payers, grants)
        rows.append(
            Row(
                name=f"payouts per second under {name} / bare calls",
                unit="/s",
                ours=2 * PAYOUTS / seconds,
                baseline=PAYOUTS / bare,
            )
        )
    return rows


async def _pay(payers: Payers, grants: int) -> float:
    world = payers.world
    await world.payer(do="secure", jobs=grants, workers=PAYOUTS // grants)
    for redirect in (await world.payer(do="redirects"))["redirects"]:
        await visit(payers.http, world, redirect)
    await world.payer(do="await")
    return float((await world.payer(do="pay"))["seconds"])


async def _pay_barely(payers: Payers) -> float:
    world = payers.world
    held = await world.bare(do="hold", value=str(PAYOUTS * 1000))
    location = await decide(payers.http, world, held["redirect"])
    await world.bare(do="held", location=location)
    return float((await world.bare(do="pay", count=PAYOUTS, in_flight=IN_FLIGHT))["seconds"])
