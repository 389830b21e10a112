"""Reading the Markdown pages: links, tables, and the blocks that are written by a program.

A block that is written by a program stands under a line like `<!-- recorded: create-quote -->`.
`REWRITE_DOCS=1 python -m pytest tests/docs` writes those blocks again.
"""

import os
import re
from collections.abc import Mapping, Set
from datetime import timedelta
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from graphql import GraphQLSchema, build_schema

from tools.site import markdown

Status = TypeVar("Status", bound=Enum)

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REWRITE = bool(os.environ.get("REWRITE_DOCS"))
FENCED = markdown.FENCED
GENERATED = re.compile(r"<!-- (\w+: [^>]+?) -->\n(```\w+\n.*?\n```)", re.DOTALL)


def all_pages() -> list[Path]:
    """Every page that people read first."""
    beside = [path for path in sorted(ROOT.glob("*.md")) if path.is_file()]
    return [*beside, *sorted(DOCS.rglob("*.md"))]


def generated_blocks(page: Path, *, kind: str) -> dict[str, str]:
    """The blocks under `<!-- kind: name -->`, by name."""
    found = dict(GENERATED.findall(page.read_text()))
    return {name.split(": ", 1)[1]: block for name, block in found.items() if name.startswith(kind)}


def rewrite(page: Path, *, kind: str, blocks: Mapping[str, str]) -> None:
    """Put `blocks` where their marks are."""
    text = page.read_text()
    for name, block in blocks.items():
        mark = f"<!-- {kind}: {name} -->\n"
        text = re.sub(
            re.escape(mark) + r"```\w+\n.*?```$",
            lambda _, new=mark + block: new,  # type: ignore[misc]
            text,
            flags=re.DOTALL | re.MULTILINE,
        )
    page.write_text(text)


def state_diagram(transitions: Mapping[Status, Set[Status]], *, first: Status) -> str:
    """The table as a Mermaid diagram, in the order of its statuses."""
    order = list(transitions)
    lines = ["stateDiagram-v2", f"    [*] --> {first.value}"]
    for old, nexts in transitions.items():
        lines += [f"    {old.value} --> {new.value}" for new in sorted(nexts, key=order.index)]
        if not nexts:
            lines.append(f"    {old.value} --> [*]")
    return "```mermaid\n" + "\n".join(lines) + "\n```"


def block(page: Path, language: str) -> str:
    """The page's only block of this language."""
    (text,) = [text for kind, text in FENCED.findall(page.read_text()) if kind == language]
    return str(text)


def at(value: Any, path: str) -> Any:
    """What stands in an answer under a dotted path, such as `payments.0.id`."""
    for name in path.split("."):
        value = value[int(name)] if name.isdecimal() else value[name]
    return value


def shape(value: object) -> object:
    """What an example and what is really said have in common: the names, not the values."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else None


def tables(page: Path) -> list[list[list[str]]]:
    """The tables of a page: rows of cells, the heading first."""
    found: list[list[list[str]]] = [[]]
    for line in page.read_text().splitlines():
        if line.startswith("|"):
            found[-1].append([cell.strip() for cell in line.strip("|").split("|")])
        elif found[-1]:
            found.append([])
    return [[rows[0], *rows[2:]] for rows in found if rows]


def table_with_heading(page: Path, first_cell: str) -> list[list[str]]:
    """The rows of the table whose first heading is `first_cell`."""
    (rows,) = [rows for rows in tables(page) if rows[0][0] == first_cell]
    return rows[1:]


@cache
def schema() -> GraphQLSchema:
    """What schema.graphql says."""
    return build_schema((ROOT / "schema.graphql").read_text())


def links(page: Path) -> list[str]:
    """Where the page leads, by links and by images."""
    return markdown.targets(page.read_text())


def anchors(page: Path) -> set[str]:
    """The headings of a page as a link names them."""
    headings = markdown.HEADING.findall(FENCED.sub("", page.read_text()))
    return {anchor(heading) for heading in headings}


def anchor(heading: str) -> str:
    """A heading as a link names it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def in_words(value: object) -> str:
    """A constant's value as the pages write it."""
    if not isinstance(value, timedelta):
        return f"{float(value):g}" if isinstance(value, int | float) else str(value)
    seconds = value.total_seconds()
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
