"""docs/uploads.md says what the code does: its types, its times and its limits are compared."""

import importlib
import re
from datetime import timedelta

from backend.files import media_types
from backend.rate_limits import LIMITS
from tests.docs import pages

PAGE = pages.DOCS / "uploads.md"


def test_every_type_that_is_taken_is_listed_and_no_other() -> None:
    rows = pages.table_with_heading(PAGE, "Kind")

    listed = [name for row in rows for name in re.findall(r"`([^`]+)`", row[1])]
    assert set(listed) == media_types.taken()
    assert len(listed) == len(set(listed))


def test_every_time_in_the_table_is_the_one_of_the_code() -> None:
    rows = pages.table_with_heading(PAGE, "Constant")

    named = {row[0].strip("`"): row[1] for row in rows}
    assert named == {name: pages.in_words(_value_of(name)) for name in named}


def test_every_default_is_the_one_of_the_example_environment() -> None:
    rows = pages.table_with_heading(PAGE, "Setting")

    example = (pages.ROOT / ".env.example").read_text()
    for name, default, *_ in rows:
        assert f"\n{name.strip('`')}={default}\n" in example


def test_the_limit_of_requests_is_the_one_of_the_code() -> None:
    limit = LIMITS["uploads"]

    assert (limit.amount, limit.get_expiry()) == (60, 60)
    assert "more than 60 of these mutations in a minute" in PAGE.read_text()


def _value_of(name: str) -> object:
    module, _, constant = name.rpartition(".")
    value = getattr(importlib.import_module(f"backend.{module}"), constant)
    return timedelta(seconds=value) if constant.endswith("_SECONDS") else value
