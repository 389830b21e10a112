"""The short form of `python -m tests.e2e.payout_kills`; the long one is for releases."""

from tests.e2e.conftest import SERVER_URL
from tests.e2e.payout_kills import Plan, play

# Killed workers are succeeded sooner; everything else takes its time.
QUICKLY = {"LEASE_S": "9", "WALLET_BUDGET_S": "4"}


def test_no_worker_is_paid_twice_or_not_at_all_whoever_is_killed() -> None:
    plan = Plan(jobs=2, kills=4, seed=7, settings=QUICKLY)

    report = play(plan, server_url=SERVER_URL)

    assert report.passed, report.to_json()
    assert report.payments["PAYOUT COMPLETED"] == 8
    assert report.payments["REFUND COMPLETED"] == 1
