"""Every page on which something is done is played from top to bottom, in a world of its own."""

from pathlib import Path

import pytest

from tests.docs import pages, stories
from tests.docs.readers import Reader

PAGES = [page for page in pages.all_pages() if stories.is_a_story(page)]


def _name(page: Path) -> str:
    return str(page.relative_to(pages.ROOT))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_the_page_can_be_followed_from_top_to_bottom(page: Path, reader: Reader) -> None:
    reader.read(page)
