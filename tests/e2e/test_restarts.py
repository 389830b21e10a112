"""The short form of `python -m tests.e2e.restarts`; the long one is for releases."""

import pytest

from tests.e2e.conftest import SERVER_URL
from tests.e2e.restarts import Plan, run


@pytest.mark.skipif(SERVER_URL is None, reason="production's form is tested with PostgreSQL")
def test_the_processes_of_the_procfile_are_restarted_under_load_and_everybody_is_paid() -> None:
    plan = Plan(
        times=1,
        rate=1.0,
        payers=3,
        seed=1,
        processes=("web", "worker", "beat", "postgres"),
        gently=True,
        rest_seconds=(0.3, 0.8),
    )

    report = run(plan)

    assert report.passed, report.to_json()
    assert report.restarts == {"web": 1, "worker": 1, "beat": 1, "postgres": 1}
    assert report.verdict.statuses["COMPLETED"] == report.figures["fundings"] >= 4
