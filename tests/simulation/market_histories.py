"""Random histories of whole jobs: the seed decides the world, the people and what goes wrong."""

import random
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from backend.funding.status import FundingMode
from backend.jobs.status import Pricing
from tests.simulation.histories import MONEY_FAULTS, OTHER_CALLS
from tests.simulation.market import Market
from tests.simulation.market_evidence import Evidence
from tests.simulation.market_verdict import MarketVerdict
from tests.simulation.matrix import CALLS, FAULTS, TEMPERAMENTS

CRASH_PROBABILITY = 0.01
FAULT_PROBABILITY = 0.2
MAX_DEATHS = 12
# Trouble between few payments is as likely as between many and found sooner; some jobs are large.
WORKERS = (1, 1, 1, 1, 2, 2, 2, 3, 5, 8)
GRANT_CALLS = ("rotate-token", "cancel-grant")


def play(seed: int, *, closely: bool = False) -> MarketVerdict:
    """Play the history of `seed` to its end; `closely`: and look at whose each movement was."""
    market, rng = world_of(seed)
    verdict = play_in(market, rng)
    if closely:
        verdict.problems += Evidence(market).problems()
    return verdict


def world_of(seed: int) -> tuple[Market, random.Random]:
    """The world of `seed`, before anything has happened in it, and what decides its crashes."""
    rng = random.Random(seed)
    mode = rng.choice([FundingMode.PREAPPROVED, FundingMode.ESCROW])
    pricing = rng.choice([Pricing.FIXED_RECEIVE, Pricing.FIXED_RECEIVE, Pricing.FIXED_SEND])
    crosses = pricing is Pricing.FIXED_RECEIVE or mode is FundingMode.ESCROW
    pooled = rng.random() < 0.3
    fee_bps, fee_wallet = _fee_of(seed)
    market = Market(
        seed=seed,
        temperament=rng.choice(TEMPERAMENTS),
        mode=mode,
        pricing=pricing,
        workers=rng.choice(WORKERS),
        payer_wallet=rng.choice(["alice", "alice", "bob"]) if crosses and not pooled else "alice",
        pooled=pooled,
        fee_bps=fee_bps,
        fee_wallet=fee_wallet,
        treasury_limits=_treasury_of(seed),
        pace=_pace_of(seed),
        options={
            "settle_s": rng.choice([0, 0, 2, 20]),
            "wait_s": rng.choice([0, 5]),
            "quote_life_s": rng.choice([300, 300, 60]),
            "fees": rng.choice([{"bps": 0, "fixed": 0}, {"bps": 100, "fixed": 25}]),
        },
    )
    market.rates_move = random.Random(f"rates of {seed}").random() < 0.4
    market.wallets_change = random.Random(f"wallets of {seed}").random() < 0.3
    market.approve = rng.random() < 0.95
    market.pauses = rng.random() < 0.2
    if market.world.bank.options.single_use_quotes:
        # Others would carry each of the two orders out: that is between them and what asks twice.
        market.repeats = random.Random(f"repeats of {seed}").choice([0, 0, 0, 1, 2])
    for fault in _faults(rng):
        market.fault(**fault)
    return market, rng


def _fee_of(seed: int) -> tuple[int, str]:
    # Decided apart, so that the rest of a world is what it would be without a fee.
    rng = random.Random(f"fee of {seed}")
    fee_bps = rng.choice([0, 0, 1, 250, 1000, 3333])
    return fee_bps, rng.choice(["platform", "platform", "treasury"])


def _treasury_of(seed: int) -> tuple[int, ...]:
    # Enough for all, for a few payments in a period, or for nearly none; decided apart as well.
    rng = random.Random(f"treasury of {seed}")
    for_all, for_a_few, for_none = 10_000_000, 2_600, 1_000
    alone = [(for_all,), (for_a_few,), (for_none,)]
    return rng.choice([*alone, (for_all, for_all), (for_a_few, for_a_few), (for_none, for_all)])


def _pace_of(seed: int) -> timedelta:
    # Where people take their time, consents end before work is accepted, and so do the periods of
    # the treasury's; decided apart as well.
    rng = random.Random(f"pace of {seed}")
    return timedelta(hours=rng.choice([2, 2, 48, 200]))


def play_in(market: Market, rng: random.Random) -> MarketVerdict:
    """Play to the end what begins in this world."""
    # Limits count real minutes, of which a history takes a part that differs from run to run.
    with patch("backend.rate_limits.hit"):
        return market.play(
            crash=lambda _: market.deaths < MAX_DEATHS and rng.random() < CRASH_PROBABILITY
        )


def _faults(rng: random.Random) -> list[dict[str, Any]]:
    found = []
    for call in (*CALLS, *OTHER_CALLS, *GRANT_CALLS):
        if rng.random() < FAULT_PROBABILITY:
            fault = dict(FAULTS[rng.choice(sorted(FAULTS))])
            if fault["when"] == "late":
                fault["late_s"] = rng.choice([1, 20, 60, 90])
            # Some of the first calls go well, so that trouble comes at every stage of a job.
            found.append({"call": call, "times": rng.choice([1, 1, 2, 3]), **fault})
    if rng.random() < 0.3:
        found.append({"call": "create-outgoing-payment", **rng.choice(MONEY_FAULTS)})
    if rng.random() < 0.1:
        found.append({"call": "create-outgoing-payment", "act": "revoke_grant"})
    return found
