"""The short form of `python -m tests.e2e.kills`; the long one is for releases."""

import pytest

from tests.e2e.conftest import SERVER_URL
from tests.e2e.kills import Plan, run

# Killed workers are succeeded sooner; everything else takes its time.
QUICKLY = {"LEASE_S": "9", "WALLET_BUDGET_S": "4"}
EMBEDDED = {"the server": Plan(fundings=8, kills=4, seed=5, settings=QUICKLY)}
PRODUCTION = {
    "the worker": Plan(fundings=12, kills=6, seed=1, settings=QUICKLY),
    "children of the pool": Plan(fundings=6, kills=4, seed=2, pool="prefork", settings=QUICKLY),
    "Redis, with its data": Plan(fundings=8, kills=1, redis_kills=3, seed=3, settings=QUICKLY),
    "Redis, for good": Plan(fundings=6, kills=0, without_redis=True, seed=4, settings=QUICKLY),
}
PLANS = PRODUCTION if SERVER_URL else EMBEDDED


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS.keys())
def test_nobody_is_paid_twice_or_not_at_all_whatever_is_killed(plan: Plan) -> None:
    report = run(plan, server_url=SERVER_URL)

    assert report.passed, report.to_json()
    assert sum(report.verdict.statuses.values()) == plan.fundings
