"""The site's reference leaves nothing out: operations, types, settings, commands, statuses."""

import re

import markdown
import pytest
from django.core.management import get_commands
from graphql import GraphQLEnumType, GraphQLObjectType, build_schema
from mkdocs.config import load_config

from tools.processes import ROOT
from tools.site import contents, places, reference
from tools.site.__main__ import CONFIG
from tools.site.hooks import do_without_scripts

HEADING = re.compile(r"^#{2,3} (\w+)$", re.MULTILINE)
SCHEMA = build_schema((ROOT / "schema.graphql").read_text())


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return reference.pages()


def test_every_operation_has_its_heading(pages: dict[str, str]) -> None:
    for part, root in (
        ("queries", SCHEMA.query_type),
        ("mutations", SCHEMA.mutation_type),
        ("subscriptions", SCHEMA.subscription_type),
    ):
        assert isinstance(root, GraphQLObjectType)
        assert HEADING.findall(pages[f"reference/{part}.md"]) == list(root.fields)


def test_every_type_is_on_one_page_with_what_it_has(pages: dict[str, str]) -> None:
    shown = [
        heading
        for part in ("objects", "inputs", "enums", "scalars")
        for heading in HEADING.findall(pages[f"reference/{part}.md"])
    ]

    roots = {"Query", "Mutation", "Subscription"}
    assert sorted(shown) == sorted(
        name for name in SCHEMA.type_map if not name.startswith("__") and name not in roots
    )
    for kind in SCHEMA.type_map.values():
        if isinstance(kind, GraphQLEnumType) and not kind.name.startswith("__"):
            assert all(f"`{value}`" in pages["reference/enums.md"] for value in kind.values)


def test_every_link_leads_to_a_heading(pages: dict[str, str]) -> None:
    for text in pages.values():
        for page, anchor in re.findall(r"\]\((\w+)\.md#(\w+)\)", text):
            headings = HEADING.findall(pages[f"reference/{page}.md"])
            assert anchor in map(str.lower, headings), (page, anchor)


def test_every_setting_command_and_status_is_there(pages: dict[str, str]) -> None:
    example = (ROOT / ".env.example").read_text()
    settings = re.findall(r"^#?([A-Z][A-Z0-9_]*)=", example, re.MULTILINE)
    ours = [name for name, owner in get_commands().items() if str(owner).startswith("backend.")]
    commands = pages["reference/commands.md"]

    assert {*settings} <= {*HEADING.findall(pages["reference/environment.md"])}
    assert {*ours} <= {*HEADING.findall(commands)}
    assert "reconcile [--days DAYS]" in commands and "--traceback" not in commands
    assert "| `HELD` | Payments can be made under it. |" in pages["reference/lifecycles.md"]


def test_without_node_nothing_is_left_that_would_be_fetched_from_elsewhere() -> None:
    config = load_config(str(CONFIG))

    do_without_scripts(config)

    page = markdown.markdown(
        "```mermaid\nflowchart TD\n```",
        extensions=config.markdown_extensions,
        extension_configs=config.mdx_configs,
    )
    assert not config.extra_javascript and not config.extra["polyfills"]
    assert 'class="mermaid"' not in page and "flowchart" in page


def test_the_navigation_is_the_table_of_contents() -> None:
    index = (ROOT / "docs" / "index.md").read_text()

    titles = [section.title for section in contents.sections(index)]
    assert titles[0] == "Tutorial" and titles[-1] == "Decisions"
    listed = [path for section in contents.sections(index) for _, path in section.entries]
    assert len(listed) == len(set(listed))
    assert places.page_of("schema.graphql") == reference.graphql.START


def test_a_link_out_of_the_pages_leads_to_a_page_that_shows_the_file() -> None:
    text = "[flow](../backend/payments/workflow.py), [why](decisions/0018-the-books.md#x) `[a](b)`"

    moved = places.moved(text, path="docs/books.md")

    assert moved == (
        "[flow](source/backend/payments/workflow.py.md), [why](decisions/0018-the-books.md#x) "
        "`[a](b)`"
    )
    assert places.moved("[gone](../nothing.py)", path="docs/books.md") == "[gone](../nothing.py)"
