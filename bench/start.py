"""From the mutation to the redirect URL at a subscriber, against the bare wallet calls."""

from bench.people import Payers
from bench.results import Row, percentile

WARM_UPS = 4
PAIRS = 30


async def measure(payers: Payers) -> list[Row]:
    """Take both in turns, one at a time, so that noise hits both."""
    ours, bare, answered = [], [], []
    for number in range(WARM_UPS + PAIRS):
        async with payers.one() as payer:
            waiting = await payer.start()
            await payer.leave(waiting)
        started = await payers.world.bare(do="start", count=1, in_flight=1)
        if number >= WARM_UPS:
            ours.append(waiting.redirect_after * 1000)
            answered.append(waiting.answered_after * 1000)
            bare.append(started["each"][0] * 1000)
    await payers.world.bare(do="forget")
    median = percentile(bare, 0.5)
    return [
        Row(
            name="start of a funding, p50: mutation → redirect / bare calls",
            unit="ms",
            ours=percentile(ours, 0.5),
            baseline=median,
            at_most=1.5,
        ),
        Row(
            name="start of a funding, p95",
            unit="ms",
            ours=percentile(ours, 0.95),
            baseline=percentile(bare, 0.95),
        ),
        Row(
            name="  of which the mutation's answer, p50",
            unit="ms",
            ours=percentile(answered, 0.5),
            baseline=median,
        ),
    ]
