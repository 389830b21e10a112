"""The page about people names every reason for which nobody is erased."""

import re

from tests.docs import pages

PAGE = pages.DOCS / "privacy.md"
CODE = re.compile(r'hindrance\(\s*"([A-Z_]+)"')


def test_every_reason_is_explained_and_no_other() -> None:
    written = {
        code
        for source in (pages.ROOT / "backend").glob("*/personal_data.py")
        for code in CODE.findall(source.read_text())
    }

    explained = {row[0].strip("`") for row in pages.table_with_heading(PAGE, "code")}
    assert explained == written
