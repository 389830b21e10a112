"""`python -m tools.schema_changes`: what schema.graphql does to clients of the last release.

A change that can break one fails, unless docs/schema/accepted-changes.toml names it with a reason;
so does an entry there that fits no change. Changes that a careless client may stumble over, such as
a new value of an enum, are printed.
"""

import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from graphql import build_schema, find_breaking_changes, find_dangerous_changes

from tools.processes import ROOT

LAST_RELEASE = ROOT / "docs" / "schema" / "last-release.graphql"
ACCEPTED = ROOT / "docs" / "schema" / "accepted-changes.toml"
SCHEMA = ROOT / "schema.graphql"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two versions of a schema. Only `problems` stand in the way."""

    problems: list[str]
    accepted: list[str]
    noticeable: list[str]


def main() -> int:
    """Say what has changed, and return 1 if something of it must not."""
    found = compare(
        LAST_RELEASE.read_text(encoding="utf-8"),
        SCHEMA.read_text(encoding="utf-8"),
        accepted=read_accepted(ACCEPTED.read_text(encoding="utf-8")),
    )
    for title, lines in (
        ("clients may notice", found.noticeable),
        ("accepted", found.accepted),
        ("FAILED", found.problems),
    ):
        for line in lines:
            print(f"  {title}: {line}")
    return 1 if found.problems else 0


def compare(old: str, new: str, *, accepted: Mapping[str, str]) -> Comparison:
    """What becomes of clients of `old` when `new` is served; `accepted` is change to reason."""
    before, after = build_schema(old), build_schema(new)
    breaking = [change.description for change in find_breaking_changes(before, after)]
    return Comparison(
        problems=[
            *(
                f"{change} Clients break; if that has to be, say why in {ACCEPTED.name}."
                for change in breaking
                if change not in accepted
            ),
            *(
                f"{ACCEPTED.name} accepts what has not happened: {change}"
                for change in accepted
                if change not in breaking
            ),
            *(
                f"{ACCEPTED.name} gives no reason for: {change}"
                for change, reason in accepted.items()
                if not reason.strip()
            ),
        ],
        accepted=[f"{change} {accepted[change]}" for change in breaking if change in accepted],
        noticeable=[change.description for change in find_dangerous_changes(before, after)],
    )


def read_accepted(text: str) -> dict[str, str]:
    """The changes that are accepted, each with its reason."""
    return {entry["change"]: entry["reason"] for entry in tomllib.loads(text).get("accepted", ())}


if __name__ == "__main__":
    sys.exit(main())
