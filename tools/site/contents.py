"""The order of the site: sections and pages as docs/index.md lists them.

A page that is written is linked there (a test sees to it), and so it is in the site's navigation.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

ENTRY = re.compile(r"^(?:-|\d+\.) \[([^\]]+)\]\(([^)\s#]+)\)", re.MULTILINE)
SECTION = re.compile(r"^## (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of the table of contents, with its pages: titles, and paths as they are linked."""

    title: str
    entries: list[tuple[str, str]] = field(default_factory=list)


def sections(index: str) -> list[Section]:
    """What docs/index.md lists, heading by heading; a heading that lists nothing is left out."""
    return [section for section in _all_sections(index) if section.entries]


def _all_sections(index: str) -> Iterator[Section]:
    _, *parts = SECTION.split(index)
    for title, text in zip(parts[::2], parts[1::2], strict=True):
        entries = [(" ".join(name.split()), path) for name, path in ENTRY.findall(text)]
        yield Section(title, entries)
