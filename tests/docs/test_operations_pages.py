"""The pages for operators name what is there: settings, times and processes."""

import importlib
import re
from pathlib import Path

import pytest

from backend.events.retention import EVENT_RETENTION_DAYS
from tests.docs import pages

BACKUPS, PRIVACY, DEPLOYMENT, SIZING = (
    pages.DOCS / f"{name}.md" for name in ("backups", "privacy", "deployment", "sizing")
)
SETTING = re.compile(r"`([A-Z]+(?:_[A-Z]+)+)`")
# Statuses, kinds and codes are written like settings.
NO_SETTINGS = re.compile(
    r"DISCREPANCY|UNKNOWN_OUTGOING|LATE_CREDIT|PAST_DEADLINE|CANNOT_LOOK_UP|STOOD_STILL"
    r"|NOT_DELIVERED|PARTIALLY_DELIVERED|[A-Z]+_OPEN$|CONSENT_HELD"
)


@pytest.mark.parametrize("page", [BACKUPS, PRIVACY, DEPLOYMENT, SIZING], ids=lambda page: page.stem)
def test_every_setting_is_one_of_the_example_environment(page: Path) -> None:
    example = (pages.ROOT / ".env.example").read_text()
    named = [each for each in SETTING.findall(page.read_text()) if not NO_SETTINGS.match(each)]

    there = re.findall(r"^(?:#|#   )?([A-Z_]+)=", example, re.MULTILINE)
    assert [each for each in named if each.removesuffix("_FILE") not in there] == []


def test_what_is_kept_is_kept_for_as_long_as_it_says() -> None:
    rows = pages.table_with_heading(PRIVACY, "What")

    for _what, constant, kept in rows:
        module, _, name = constant.strip("`").rpartition(".")
        value = getattr(importlib.import_module(f"backend.{module}"), name)
        assert pages.in_words(value) == kept, constant
    assert f"kept for {EVENT_RETENTION_DAYS} days" in PRIVACY.read_text()
    assert f"after {EVENT_RETENTION_DAYS} days" in SIZING.read_text()


def test_the_processes_are_those_of_the_procfile() -> None:
    lines = (pages.ROOT / "Procfile").read_text().splitlines()
    named = [words[0].strip("`") for words in pages.table_with_heading(DEPLOYMENT, "process")]

    assert sorted(named) == sorted(line.partition(":")[0] for line in lines)
