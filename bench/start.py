"""From the mutation to the redirect URL at a subscriber, against the bare wallet calls.

Twice: with a wallet on this machine that answers in a millisecond or two, where nothing hides
what we add, and with one that takes a tenth of a second, as wallets across the internet do.
"""

from dataclasses import dataclass, field

from bench.people import Payers
from bench.results import Row, percentile

WARM_UPS = 4
PAIRS = 30
DISTANT_PAIRS = 12
DISTANCE_SECONDS = 0.1


@dataclass
class _Times:
    """In milliseconds, one entry a funding."""

    ours: list[float] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)


async def measure(payers: Payers) -> list[Row]:
    """Take both in turns, one at a time, so that noise hits both."""
    await _take_turns(payers, WARM_UPS)
    near = await _take_turns(payers, PAIRS)
    faults_url = f"{payers.world.control_url}/faults"
    rule = {"call": "*", "act": "delay", "seconds": DISTANCE_SECONDS, "probability": 1}
    answer = await payers.http.post(faults_url, json=rule)
    assert answer.status_code == 201, answer.text
    distant = await _take_turns(payers, DISTANT_PAIRS)
    await payers.http.delete(faults_url)
    return [
        Row(
            name="start of a funding, p50: mutation → redirect / bare calls",
            unit="ms",
            ours=percentile(near.ours, 0.5),
            baseline=percentile(near.bare, 0.5),
            at_most=1.5,
        ),
        Row(
            name="  the same, p95",
            unit="ms",
            ours=percentile(near.ours, 0.95),
            baseline=percentile(near.bare, 0.95),
        ),
        Row(
            name="  of which the mutation's answer, p50",
            unit="ms",
            ours=percentile(near.answered, 0.5),
            baseline=percentile(near.bare, 0.5),
        ),
        Row(
            name=f"  p50, wallet {DISTANCE_SECONDS * 1000:.0f} ms away",
            unit="ms",
            ours=percentile(distant.ours, 0.5),
            baseline=percentile(distant.bare, 0.5),
        ),
    ]


async def _take_turns(payers: Payers, pairs: int) -> _Times:
    times = _Times()
    for _ in range(pairs):
        async with payers.one() as payer:
            waiting = await payer.start()
            await payer.leave(waiting)
        started = await payers.world.bare(do="start", count=1, in_flight=1)
        times.ours.append(waiting.redirect_after * 1000)
        times.answered.append(waiting.answered_after * 1000)
        times.bare.append(started["each"][0] * 1000)
    await payers.world.bare(do="forget")
    return times
