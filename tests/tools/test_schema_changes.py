"""A change that breaks clients of the last release is noticed, and can be accepted for a reason."""

import pytest

from tools import schema_changes
from tools.schema_changes import compare, read_accepted

OLD = """
type Query { job(id: ID!): Job }
type Job { title: String! dialect: String }
enum Status { OPEN CLOSED }
input JobInput { title: String! }
"""
REMOVED = "Field Job.dialect was removed."


def changed(old: str, new: str) -> str:
    assert old in OLD
    return OLD.replace(old, new)


@pytest.mark.parametrize(
    "new",
    [
        changed(" dialect: String", ""),
        changed("title: String! dialect", "title: String dialect"),
        changed("title: String! }", "title: String! reward: Int! }"),
        changed("OPEN CLOSED", "OPEN"),
        changed("job(id: ID!)", "job(id: ID!, version: Int!)"),
    ],
)
def test_what_breaks_a_client_is_a_problem(new: str) -> None:
    assert len(compare(OLD, new, accepted={}).problems) == 1


@pytest.mark.parametrize(
    ("new", "noticeable"),
    [
        (OLD, 0),
        (changed("dialect: String", "dialect: String status: Status"), 0),
        (changed("dialect: String", '"In words." dialect: String'), 0),
        (changed("OPEN CLOSED", "OPEN CLOSED PAUSED"), 1),
        (changed("title: String! }", "title: String! reward: Int }"), 1),
    ],
)
def test_what_adds_to_the_schema_is_none(new: str, noticeable: int) -> None:
    found = compare(OLD, new, accepted={})

    assert found.problems == []
    assert len(found.noticeable) == noticeable


def test_a_change_that_is_accepted_with_a_reason_passes() -> None:
    accepted = read_accepted(f'[[accepted]]\nchange = "{REMOVED}"\nreason = "Nobody used it."')

    found = compare(OLD, changed(" dialect: String", ""), accepted=accepted)

    assert found.problems == []
    assert found.accepted == [f"{REMOVED} Nobody used it."]


def test_accepting_one_change_accepts_no_other() -> None:
    new = changed(" dialect: String", "").replace("OPEN CLOSED", "OPEN")

    problems = compare(OLD, new, accepted={REMOVED: "Nobody used it."}).problems

    assert len(problems) == 1
    assert "CLOSED" in problems[0]


def test_an_accepted_change_that_has_not_happened_is_a_problem() -> None:
    (problem,) = compare(OLD, OLD, accepted={REMOVED: "Nobody used it."}).problems

    assert REMOVED in problem


def test_an_accepted_change_needs_a_reason() -> None:
    new = changed(" dialect: String", "")

    (problem,) = compare(OLD, new, accepted={REMOVED: " "}).problems

    assert "no reason" in problem


def test_this_schema_breaks_no_client_of_the_last_release() -> None:
    assert schema_changes.main() == 0
