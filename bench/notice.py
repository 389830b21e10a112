"""How soon a subscriber knows that the receiver's wallet shows the money."""

import random
from datetime import datetime

from bench.people import Payers
from bench.results import Row, percentile

FUNDINGS = 25
# The wallet takes this long to deliver; at random, so that it never falls in step with our polls.
SETTLE_SECONDS = (0.2, 1.6)


async def measure(payers: Payers) -> list[Row]:
    """Compare the wallet ledger's own time with the last event's arrival, by one clock."""
    world, rng = payers.world, random.Random(7)
    late = []
    for _ in range(FUNDINGS):
        async with payers.one() as payer:
            waiting = await payer.start()
            options = {"settle_s": round(rng.uniform(*SETTLE_SECONDS), 3)}
            answer = await payers.http.post(f"{world.control_url}/options", json=options)
            assert answer.status_code == 200, answer.text
            await payer.approve(waiting)
            arrived = await payer.completed_at()
            delivered = await _delivered_at(payers, waiting.incoming_payment_url)
            late.append((arrived - delivered).total_seconds() * 1000)
    await payers.http.post(f"{world.control_url}/options", json={"settle_s": 0})
    return [
        Row(
            name="money at the wallet → subscriber knows, p50",
            unit="ms",
            ours=percentile(late, 0.5),
        ),
        Row(
            name="money at the wallet → subscriber knows, p95",
            unit="ms",
            ours=percentile(late, 0.95),
            at_most=500,
        ),
    ]


async def _delivered_at(payers: Payers, receiver: str) -> datetime:
    answer = await payers.http.get(
        f"{payers.world.control_url}/ledger", params={"receiver": receiver}
    )
    (movement,) = [each for each in answer.json()["movements"] if each["kind"] == "deliver"]
    return datetime.fromisoformat(movement["t"])
