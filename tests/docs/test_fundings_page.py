"""docs/fundings.md says what the code does: its diagram and its tables are compared."""

from typing import Any

from backend.funding import status
from backend.funding.queries import GIVEN_BY
from backend.jobs.status import Pricing
from tests.docs import pages

PAGE = pages.DOCS / "fundings.md"
FIRST = status.FundingStatus.AWAITING_APPROVAL
DIAGRAM = {"funding": pages.state_diagram(status.TRANSITIONS, first=FIRST)}


def assurances() -> str:
    """Which funding gives which assurance, the one that decides first."""
    lines = []
    for assurance, given_by in GIVEN_BY.items():
        asked: dict[str, Any] = dict(each for each in given_by.children if isinstance(each, tuple))
        statuses = asked.get("status__in") or [asked["status"]]
        mode = f"mode {asked['mode']}" if "mode" in asked else "any mode"
        lines.append(f"{assurance:<10}  {mode:<16}  {', '.join(statuses)}")
    return "```text\n" + "\n".join(lines) + "\n```"


def test_the_diagram_is_the_table_of_transitions() -> None:
    if pages.REWRITE:
        pages.rewrite(PAGE, kind="diagram", blocks=DIAGRAM)

    assert pages.generated_blocks(PAGE, kind="diagram") == DIAGRAM


def test_what_gives_an_assurance_is_what_the_query_asks_for() -> None:
    given = {"assurance": assurances()}
    if pages.REWRITE:
        pages.rewrite(PAGE, kind="rules", blocks=given)

    assert pages.generated_blocks(PAGE, kind="rules") == given


def test_every_assurance_pricing_and_status_is_explained_once() -> None:
    for heading, enum in (
        ("Assurance", status.FundingAssurance),
        ("Pricing", Pricing),
        ("Status", status.FundingStatus),
    ):
        explained = [row[0].strip("`") for row in pages.table_with_heading(PAGE, heading)]
        assert explained == [each.value for each in enum]
