"""The short form of `python -m tests.e2e.kills`; the long one is for releases."""

import pytest

from tests.e2e import kills
from tests.e2e.conftest import SERVER_URL

# The machine's own time is the same; only the leases of killed workers end earlier.
QUICKLY = {"LEASE_S": "11", "WALLET_BUDGET_S": "5"}


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(kills.Plan(fundings=12, kills=6, seed=1, settings=QUICKLY), id="threads"),
        pytest.param(
            kills.Plan(fundings=8, kills=4, seed=2, pool="prefork", settings=QUICKLY), id="prefork"
        ),
        pytest.param(
            kills.Plan(fundings=8, kills=1, redis_kills=3, seed=3, settings=QUICKLY), id="redis"
        ),
        pytest.param(
            kills.Plan(fundings=6, kills=0, without_redis=True, seed=4, settings=QUICKLY),
            id="without redis",
        ),
    ],
)
def test_nobody_is_paid_twice_or_not_at_all_whatever_is_killed(plan: kills.Plan) -> None:
    assert SERVER_URL is not None

    report = kills.run(plan, server_url=SERVER_URL)

    assert report.passed, report.to_json()
    assert sum(report.verdict.statuses.values()) == plan.fundings
