"""Random histories: crashes, faults, pauses, slow wallets, late effects and payers of all moods.

The seed decides everything, so a history that went wrong can be played again.
"""

import random
from typing import Any

from tests.simulation.matrix import CALLS, FAULTS, TEMPERAMENTS
from tests.simulation.simulator import Simulation, Verdict

CRASH_PROBABILITY = 0.05
FAULT_PROBABILITY = 0.3
MAX_DEATHS = 12
OTHER_CALLS = ("complete-incoming-payment", "get-incoming-payment", "list-outgoing-payments")
MONEY_FAULTS: tuple[dict[str, Any], ...] = (
    {"act": "insufficient_funds"},
    {"act": "partial_delivery", "value": 700},
    {"act": "stay_funding"},
    {"act": "complete_short", "value": 1},
    {"act": "expire_quote"},
)


def play(seed: int) -> Verdict:
    """Play the history of `seed` to its end."""
    rng = random.Random(seed)
    simulation = Simulation(
        temperament=rng.choice(TEMPERAMENTS),
        seed=seed,
        options={
            "settle_s": rng.choice([0, 0, 2, 20]),
            "wait_s": rng.choice([0, 5]),
            "quote_life_s": rng.choice([300, 300, 60]),
            "fees": rng.choice([{"bps": 0, "fixed": 0}, {"bps": 100, "fixed": 25}]),
            "hash_encoding": rng.choice(["rafiki", "rfc"]),
        },
    )
    simulation.approve = rng.random() < 0.9
    for call in (*CALLS, *OTHER_CALLS):
        if rng.random() < FAULT_PROBABILITY:
            fault = dict(FAULTS[rng.choice(sorted(FAULTS))])
            if fault["when"] == "late":
                fault["late_s"] = rng.choice([1, 20, 60, 90])
            simulation.fault(call=call, times=rng.choice([1, 1, 2]), **fault)
    if rng.random() < 0.2:
        simulation.fault(call="create-outgoing-payment", **rng.choice(MONEY_FAULTS))
    simulation.pauses = rng.random() < 0.2
    return simulation.run(
        crash=lambda _: simulation.deaths < MAX_DEATHS and rng.random() < CRASH_PROBABILITY
    )
