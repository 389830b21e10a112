"""Every page on which something is done is played from top to bottom."""

from pathlib import Path

import pytest

from tests.docs import pages, stories, test_app_page
from tests.docs.readers import Reader

# Whose end is looked at as well, in a test of its own.
ELSEWHERE = {test_app_page.PAGE}
# What they do to a job's money, or to a person, leaves the others nothing to go on with.
ALONE = {"paying-workers.md", "payment-requests.md", "privacy.md", "reviewing.md"}


def journeys() -> dict[str, list[Path]]:
    """The pages, together in one world where they go on from the same place."""
    found: dict[str, list[Path]] = {}
    for page in pages.all_pages():
        if stories.is_a_story(page) and page not in ELSEWHERE:
            begins = "" if page.name in ALONE else stories.beginning(page)
            found.setdefault(begins or page.name, []).append(page)
    return found


@pytest.mark.parametrize("begins", list(journeys()))
def test_the_pages_can_be_followed_from_top_to_bottom(begins: str, reader: Reader) -> None:
    for page in journeys()[begins]:
        reader.read(page)


@pytest.mark.parametrize(
    ("shown", "came", "fit"),
    [
        ({"id": "…", "sum": 1}, {"id": "UGF5", "sum": 1}, True),
        ({"id": "…", "sum": 1}, {"id": "UGF5", "sum": 2}, False),
        ({"id": "…"}, {"id": "UGF5", "more": None}, False),
        ({"id": "…"}, {"id": None}, False),
        (["R-…"], ["R-2026"], True),
        (["R-…"], ["R-2026", "R-2027"], False),
        ("head 1:…", "head 2:9f2c", False),
        (False, 0, False),
    ],
)
def test_what_is_shown_is_compared_with_what_came(shown: object, came: object, fit: bool) -> None:
    assert stories.fits(shown, came) is fit
