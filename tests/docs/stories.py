"""Pages as stories: what stands on them is done in order, by whom they say, as a reader would.

A comment, which the site does not show, stands above a block or for itself:

    step: WHO                 WHO sends this operation; `step: WHO: name = path` keeps a value
    follow: WHO               the same for a subscription, until what is shown has come
    again: NAME               the operation of that name once more, until what is shown has come
    likewise: WHO, OTHER      what WHO did in this section, OTHER does too
    typed                     commands; `typed: name = pattern` keeps what is in parentheses
    wallet: CALL JSON         a call of the sandbox wallet's control API
    before: PAGE#SECTION      that page comes first, to the end of that section
    meanwhile: PAGE#SECTION   that section of another page is done here

A block of JSON below an operation has its variables, or what is answered when it is named `data`.
A name in angle brackets is a value that was kept. In what is shown `…` stands for any text.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.docs import pages

KINDS = "step|follow|again|likewise|typed|wallet|before|meanwhile"
# Heading, or mark with up to three blocks.
_PART = re.compile(
    r"^## (?P<heading>[^\n]+)$"
    rf"|^<!-- (?P<kind>{KINDS})(?:: (?P<what>.+?))? -->\n"
    r"(?:```\w*\n(?P<text>.*?)^```\n)?"
    r"(?:\n```(?:json|text)\n(?P<second>.*?)^```\n)?"
    r"(?:\n```(?:json|text)\n(?P<third>.*?)^```\n)?",
    re.DOTALL | re.MULTILINE,
)
_MARK = re.compile(rf"^<!-- (?:{KINDS})(?::.+?)? -->$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"^\s*(?:query|mutation|subscription) (\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that is done; `shown` is what the page says comes of it, or empty."""

    section: str
    kind: str
    what: str
    text: str = ""
    variables: str = ""
    shown: str = ""

    @property
    def name(self) -> str:
        """The operation's own name, or empty."""
        found = _NAME.match(self.text)
        return found[1] if found else ""

    def by(self, other: str, *, rather_than: str) -> "Step":
        """The same, done by somebody else with what is theirs."""

        def theirs(text: str) -> str:
            for mine, new in ((rather_than, other), (rather_than.title(), other.title())):
                text = re.sub(rf"\b{mine}\b", new, text)
            return text

        return replace(
            self,
            what=theirs(self.what),
            variables=theirs(self.variables),
            shown=theirs(self.shown),
        )


def is_a_story(page: Path) -> bool:
    """Whether anything on the page is done."""
    return _MARK.search(page.read_text()) is not None


def beginning(page: Path) -> str:
    """What comes before the page, as its first mark says, or empty."""
    first = next(steps(page))
    return first.what if first.kind == "before" else ""


def steps(page: Path) -> Iterator[Step]:
    """What is done on a page, in its order."""
    section = ""
    for part in _PART.finditer(page.read_text()):
        if part["heading"]:
            section = pages.anchor(part["heading"])
        else:
            yield _step(section, part)


def _step(section: str, part: re.Match[str]) -> Step:
    kind, what = part["kind"], part["what"] or ""
    text, below = part["text"] or "", [part["second"] or "", part["third"] or ""]
    if kind == "again":
        return Step(section=section, kind=kind, what=what, shown=text)
    variables = "" if kind == "typed" or is_an_answer(below[0]) else below.pop(0)
    return Step(
        section=section, kind=kind, what=what, text=text, variables=variables, shown=below[0]
    )


def is_an_answer(text: str) -> bool:
    """Whether a block of JSON is what the server answers, rather than variables."""
    return text.startswith("{") and set(json.loads(text)) == {"data"}


def fits(shown: Any, came: Any) -> bool:
    """Whether what came is what the page shows, where `…` stands for any text."""
    if isinstance(shown, dict) and isinstance(came, dict):
        return shown.keys() == came.keys() and all(fits(shown[name], came[name]) for name in shown)
    if isinstance(shown, list) and isinstance(came, list):
        return len(shown) == len(came) and all(map(fits, shown, came))
    if isinstance(shown, str) and isinstance(came, str):
        pattern = ".*".join(map(re.escape, shown.split("…")))
        return re.fullmatch(pattern, came, re.DOTALL) is not None
    return type(shown) is type(came) and bool(shown == came)
