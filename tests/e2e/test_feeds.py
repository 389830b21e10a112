"""The short form of `python -m tests.e2e.feeds`; the long one is for releases."""

from dataclasses import asdict

from tests.e2e.conftest import SERVER_URL
from tests.e2e.feeds import Plan, run


def test_whoever_is_cut_off_from_their_feed_sees_every_event_once_on_every_transport() -> None:
    plan = Plan(payments=6, subscribers=3, drops=12, seed=20261129)

    reports = run(plan, server_url=SERVER_URL)

    assert all(each.passed for each in reports), [asdict(each) for each in reports]
    assert all(each.drops >= plan.drops for each in reports)
