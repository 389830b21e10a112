"""The page about reconciliation explains what can be found."""

import re

from backend.reconciliation.findings import Kind
from backend.reconciliation.tasks import NIGHTLY_DAYS
from celery_app import app
from tests.docs import pages

PAGE = "docs/reconciliation.md"


def test_every_kind_is_explained_once() -> None:
    text = pages.ROOT.joinpath(PAGE).read_text()

    assert sorted(re.findall(r"^\| `([A-Z_]+)` \|", text, re.MULTILINE)) == sorted(Kind)


def test_it_runs_when_the_page_says() -> None:
    schedule = app.conf.beat_schedule["reconcile"]["schedule"]
    text = pages.ROOT.joinpath(PAGE).read_text()

    assert (schedule.hour, schedule.minute) == ({3}, {40})
    assert f"03:40 UTC over the last\n{NIGHTLY_DAYS} days" in text
