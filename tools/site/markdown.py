"""What the site and the tests read in Markdown pages: blocks, links and headings."""

import re
from collections.abc import Callable

FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
# What may stand in pages like a link and is none: blocks and code in a line.
_NO_TEXT = re.compile(r"^```.*?^```$|`[^`\n]+`", re.DOTALL | re.MULTILINE)
_TARGET = re.compile(r"(\]\()([^)\s]+)(\))")


def targets(text: str) -> list[str]:
    """Where the links and the images of a page lead."""
    return [target for _, target, _ in _TARGET.findall(_NO_TEXT.sub("", text))]


def with_targets(text: str, changed: Callable[[str], str]) -> str:
    """The page with every target of a link or an image replaced by `changed` of it."""

    def each(match: re.Match[str]) -> str:
        return match[1] + changed(match[2]) + match[3]

    parts, end = [], 0
    for kept in _NO_TEXT.finditer(text):
        parts += [_TARGET.sub(each, text[end : kept.start()]), kept[0]]
        end = kept.end()
    return "".join([*parts, _TARGET.sub(each, text[end:])])
