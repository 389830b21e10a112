"""The security page names tests that are there, and figures that are those of the tests."""

import re

import pytest

from tests.docs import pages
from tests.payments.test_consent_return import WRONG
from tests.schema.test_audit import CHECKS, DECIDED
from tests.schema.test_guard import CASES
from tests.schema.test_http import BODIES, RAW
from tests.test_append_only import AS_A_STRANGER, LOGS
from tests.test_web_surface import ADDRESSES

PAGE = pages.DOCS / "security.md"
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_every_goal_has_a_row() -> None:
    goals = [row[0] for row in pages.table_with_heading(PAGE, "Goal")]

    assert sorted(set(goals), key=lambda goal: int(goal[1:])) == [f"S{n}" for n in range(1, 16)]


@pytest.mark.parametrize(("file", "name"), TEST.findall(PAGE.read_text()))
def test_a_test_that_is_named_is_there(file: str, name: str) -> None:
    assert re.search(rf"def {name}\(", pages.ROOT.joinpath(file).read_text())


@pytest.mark.parametrize(
    "figure",
    [
        f"{len(DECIDED)} of {len(CHECKS)}, both by decision",
        f"{len(CASES)} documents",
        f"{len(BODIES)} bodies, {len(RAW)} kinds of broken HTTP",
        f"{len(WRONG)} queries",
        f"{len(AS_A_STRANGER)} × {len(LOGS)} of the logs",
        f"{len(ADDRESSES)} kinds of answers",
    ],
)
def test_a_figure_is_that_of_its_test(figure: str) -> None:
    assert figure in PAGE.read_text()
