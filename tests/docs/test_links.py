"""Every page can be followed: links lead somewhere, and the examples fit the schema."""

from pathlib import Path

import pytest
from graphql import parse, validate

from tests.docs import pages


def _name(page: Path) -> str:
    return str(page.relative_to(pages.ROOT))


@pytest.mark.parametrize("page", pages.all_pages(), ids=_name)
def test_every_relative_link_resolves(page: Path) -> None:
    broken = [link for link in pages.links(page) if not _resolves(page, link)]

    assert broken == []


@pytest.mark.parametrize("page", pages.all_pages(), ids=_name)
def test_every_graphql_example_fits_the_schema(page: Path) -> None:
    examples = [text for kind, text in pages.FENCED.findall(page.read_text()) if kind == "graphql"]

    assert [validate(pages.schema(), parse(example)) for example in examples] == [
        [] for _ in examples
    ]


def test_every_page_is_in_the_table_of_contents() -> None:
    index = pages.DOCS / "index.md"
    linked = {(index.parent / link).resolve() for link in pages.links(index)}

    assert set(pages.DOCS.rglob("*.md")) - {index} - linked == set()


def _resolves(page: Path, link: str) -> bool:
    if "://" in link or link.startswith("mailto:"):
        return True
    path, _, anchor = link.partition("#")
    target = (page.parent / path) if path else page
    if not target.exists():
        return False
    return not anchor or anchor in pages.anchors(target)
