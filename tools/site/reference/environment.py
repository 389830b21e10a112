"""The names that Faena reads from its environment, from .env.example: comment, then NAME=value."""

import re
from collections.abc import Iterator

HEADING = re.compile(r"^# --- (.+?)(?: \(docs/[\w-]+\.md\))? -+$")
NAME = re.compile(r"^(#?)([A-Z][A-Z0-9_]*)=(.*)$")


def page(example: str) -> str:
    """The page; a comment belongs to the names below it, up to the next blank line."""
    first, *rest = example.split("\n\n")
    lines = ["# Environment", "", *_prose(first.splitlines())]
    for part in rest:
        lines += ["", *_part(part.splitlines())]
    return "\n".join(lines) + "\n"


def _part(part: list[str]) -> Iterator[str]:
    headings = [found[1] for line in part if (found := HEADING.match(line))]
    names = [found for line in part if (found := NAME.match(line))]
    for heading in headings:
        yield f"## {heading}"
    for _, name, _ in (found.groups() for found in names):
        yield f"### {name}"
    if names:
        yield ""
        yield ", ".join(_default(*found.groups()) for found in names)
    yield ""
    yield from _prose([line for line in part if not (HEADING.match(line) or NAME.match(line))])


def _default(commented: str, name: str, value: str) -> str:
    return f"`{name}` is unset by default" if commented else f"`{name}={value}`"


def _prose(lines: list[str]) -> Iterator[str]:
    """The comment; a line that is set in by more than a blank is a command."""
    for line in lines:
        text = line.removeprefix("#").removeprefix(" ")
        yield f"\n    {text.strip()}\n" if text.startswith("  ") else text
