"""No block of a page is only decoration: a test plays it, or a reason stands why none can.

A comment above a block says more than its language does:
`<!-- played by tests/… -->` names the test that runs it, `<!-- not run: … -->` says why none can.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from graphql import OperationDefinitionNode, parse
from graphql.execution.values import get_variable_values

from tests.docs import commands, pages, stories

BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
MARK = re.compile(r"<!-- (.+?) -->$")
# Written by a program or played step by step: the test of that page fails where one is not.
BY_PROGRAM = re.compile(rf"(recorded|diagram|rules|verify|{stories.KINDS})(: |$)")
STORY = re.compile(rf"({stories.KINDS})(: |$)")
PLAYED = re.compile(r"played by (tests/[\w/]+\.py)$")
NOT_RUN = re.compile(r"not run: (.{20,})$")
# Diagrams and what programs print are no code.
NO_CODE = {"mermaid", "text"}
SHELL = {"", "sh", "bash"}
MOST_NOT_RUN = 12
INLINE = re.compile(
    r"`((?:[A-Z_]+=\S+ )*(?:make|python3? manage\.py|manage\.py|python3? -m) [^`]+)`"
)
ALL_PAGES = [*pages.all_pages(), pages.ROOT / "sandbox_wallet" / "README.md"]
# What was released once is told with the names of then.
TODAY = [page for page in ALL_PAGES if page.name != "CHANGELOG.md"]


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block, the mark above it, and the block that it stands directly below."""

    language: str
    text: str
    mark: str
    of: "Block | None" = None


def blocks(page: Path) -> Iterator[Block]:
    text, last, end = page.read_text(), None, 0
    for found in BLOCK.finditer(text):
        mark = MARK.search(text[: found.start()].rstrip())
        inside = re.sub(rf"^{found[1]}", "", found[3], flags=re.MULTILINE)
        of = last if last and not text[end : found.start()].strip() else None
        block = Block(found[2], inside, mark[1] if mark else "", of)
        yield block
        last, end = of or block, found.end()


def _name(page: Path) -> str:
    return str(page.relative_to(pages.ROOT))


@pytest.mark.parametrize("page", ALL_PAGES, ids=_name)
def test_every_block_is_held_by_something(page: Path) -> None:
    unheld = [(block.text, why) for block in blocks(page) for why in _flaws(block, page=page)]

    assert unheld == []


@pytest.mark.parametrize("page", TODAY, ids=_name)
def test_every_command_in_a_sentence_can_be_typed(page: Path) -> None:
    text = " ".join(pages.FENCED.sub("", page.read_text()).split())
    typed = [re.sub(r"^manage\.py", "python manage.py", each) for each in INLINE.findall(text)]
    wrong = [(each, commands.flaws(each, in_a_sentence=True)) for each in typed]

    assert [each for each in wrong if each[1]] == []


def test_few_blocks_are_not_run() -> None:
    excused = [
        block.mark for page in ALL_PAGES for block in blocks(page) if NOT_RUN.match(block.mark)
    ]

    assert len(excused) <= MOST_NOT_RUN, excused


@pytest.mark.parametrize(
    "line",
    [
        "make dmeo",
        "python manage.py recnocile",
        "python manage.py reconcile --dyas 7",
        "python -m tools.fzuz",
        "python -m tools.fuzz --mintues 10",
        "python -m pytest tests/simulaton",
        "SIMULATION_CASE_S=1 python -m pytest",
        "curl https://pay.example/reciepts/verify",
        "celery -A celery_ap worker",
        "sl",
    ],
)
def test_a_command_that_is_misspelt_is_found(line: str) -> None:
    assert commands.flaws(line)


def test_a_table_that_is_not_there_is_found() -> None:
    assert commands.flaws_of_sql("GRANT SELECT ON ledger_entry, ledger_entries TO faena;")


def test_a_variable_that_the_operation_does_not_take_is_found() -> None:
    operation = "query Page($id: ID!) { job(id: $id) { id } }"

    assert _variable_flaws(operation, {"id": "<job>"}) == []
    assert _variable_flaws(operation, {"jobId": "<job>"})
    assert _variable_flaws(operation, {"id": "<job>", "more": 1})


def _flaws(block: Block, *, page: Path) -> list[str]:
    if BY_PROGRAM.match(block.mark) or NOT_RUN.match(block.mark) or block.language in NO_CODE:
        return []
    if played := PLAYED.match(block.mark):
        return _flaws_of_test(pages.ROOT / played[1], page=page)
    if block.language in SHELL:
        return [flaw for line in commands.lines_of(block.text) for flaw in commands.flaws(line)]
    if block.language == "sql":
        return commands.flaws_of_sql(block.text)
    if block.language == "json" and block.of and STORY.match(block.of.mark):
        return _flaws_below(block.of, block.text)
    return [f"no test plays this {block.language}"]


def _flaws_below(played: Block, text: str) -> list[str]:
    if played.language == "graphql" and not stories.is_an_answer(text):
        return _variable_flaws(played.text, json.loads(text))
    return []


def _flaws_of_test(test: Path, *, page: Path) -> list[str]:
    if not test.is_file():
        return [f"there is no {test}"]
    read = test.read_text()
    return [] if page.name in read or page.parent.name in read else [f"{test} does not read it"]


def _variable_flaws(operation: str, values: dict[str, object]) -> list[str]:
    (definition,) = [
        each for each in parse(operation).definitions if isinstance(each, OperationDefinitionNode)
    ]
    taken = definition.variable_definitions or ()
    names = {each.variable.name.value for each in taken}
    found = get_variable_values(pages.schema(), taken, values)
    errors = [error.message for error in found] if isinstance(found, list) else []
    return [*errors, *(f"it takes no ${name}" for name in values.keys() - names)]
