"""Enums of the domains as GraphQL shows them."""

from enum import Enum
from typing import Any


def describe_values(enum: type[Enum], **descriptions: str) -> None:
    """Say what each value of an enum means, after `strawberry.enum(enum)`.

    The domains know nothing of GraphQL, so that their values cannot carry it themselves.
    """
    definition: Any = enum.__strawberry_definition__  # type: ignore[attr-defined]
    assert {value.name for value in definition.values} == descriptions.keys()
    for value in definition.values:
        value.description = descriptions[value.name]
