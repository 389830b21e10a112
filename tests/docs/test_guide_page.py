"""The page about the guide leaves out no row, and names tests and addresses that are there."""

import re

from backend.guide import answers, views
from backend.guide.urls import urlpatterns
from backend.rate_limits import LIMITS
from tests.docs import pages

PAGE = pages.DOCS / "guide-compatibility.md"
ROWS = [f"S{number:02}" for number in range(1, 56)] + [f"D{number:02}" for number in range(1, 36)]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
TEST = re.compile(r"^(?:async )?def (test_\w+)\(", re.MULTILINE)


def rows() -> dict[str, str]:
    """Where each row is met."""
    return {
        number: met_by
        for table in pages.tables(PAGE)
        if table[0][0] == "row"
        for number, _what, met_by in table[1:]
    }


def test_every_row_is_there_once_and_met_by_a_test_or_a_sentence() -> None:
    listed = [row[0] for table in pages.tables(PAGE) if table[0][0] == "row" for row in table[1:]]

    assert listed == ROWS
    for number, met_by in rows().items():
        assert NAMED.search(met_by) or len(met_by.split()) >= 8, number


def test_every_test_that_it_names_exists() -> None:
    named = set(NAMED.findall(PAGE.read_text()))
    files = {path for path, _ in named}
    there = {
        (path, test) for path in files for test in TEST.findall((pages.ROOT / path).read_text())
    }

    assert len(named) > 60
    assert named - there == set()
    assert PAGE.read_text().count("::") == len(NAMED.findall(PAGE.read_text()))


def test_a_row_names_a_test_that_is_named_after_it_where_there_is_one() -> None:
    folder = pages.ROOT / "tests"
    named_after: dict[str, list[str]] = {}
    for path in [*folder.glob("guide/test_*.py"), folder / "e2e" / "test_guide.py"]:
        for test in TEST.findall(path.read_text()):
            for number in re.findall(r"(?<=_)[SD]\d\d(?=_)", test):
                named_after.setdefault(number, []).append(test)

    assert set(named_after) <= set(ROWS)
    met_by = rows()
    missing = {
        number: tests
        for number, tests in named_after.items()
        if not any(test in met_by[number] for test in tests)
    }
    assert missing == {}


def test_every_address_is_listed_with_its_scope() -> None:
    listed = {
        (method, path.partition("?")[0]): scope
        for calls, scope, _answer in pages.table_with_heading(PAGE, "call")
        for method, path in re.findall(r"`(GET|POST) (/[^` ]*)", calls)
    }
    text = PAGE.read_text()
    for pattern in urlpatterns:
        path = "/" + re.sub(
            r"<str:(\w+)>", lambda name: f"{{{_camel(name[1])}}}", str(pattern.pattern)
        )
        assert any(path == each for _, each in listed), path
    assert len(listed) == len(urlpatterns) + 2, "/health, and the second method of /sellers"
    assert {scope for scope in listed.values()} == {"none", "READ", "MONEY", "SELLERS"}
    assert f"the newest {views.MOST_LISTED}" in text
    assert f"longer than {views.WAIT_SECONDS:g} s" in text
    assert f"at most {LIMITS['apiKey'].amount} times a minute" in re.sub(r"\s+", " ", text)
    assert f"At most {LIMITS['money'].amount} payments" in re.sub(r"\s+", " ", text)
    for status in {*answers.STATUSES.values(), 409}:
        assert str(status) in text


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))
