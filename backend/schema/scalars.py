"""Scalars of our own. Their refusals are GraphQLErrors, so that callers get to read them."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import NewType, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import strawberry
from graphql import GraphQLError, StringValueNode, ValueNode
from strawberry.schema.types.base_scalars import DateTimeDefinition
from strawberry.types.scalar import ScalarDefinition

T = TypeVar("T")

UInt64 = NewType("UInt64", int)
URL = NewType("URL", str)
EventCursor = NewType("EventCursor", str)

_UINT64_MAX = 2**64 - 1
_DIGITS = re.compile(r"(0|[1-9][0-9]{0,19})", re.ASCII)
_LONGEST_URL = 2048
_LONGEST_CURSOR = 200


def _serialize_uint64(value: object) -> str:
    if type(value) is not int or not 0 <= value <= _UINT64_MAX:
        raise GraphQLError(f"UInt64 cannot represent {value!r}.")
    return str(value)


def _parse_uint64(value: object) -> UInt64:
    # A JSON number has already been a double in most clients; digits in a string are exact.
    if isinstance(value, str) and _DIGITS.fullmatch(value) and int(value) <= _UINT64_MAX:
        return UInt64(int(value))
    raise GraphQLError('UInt64 is a string of digits such as "1250", from "0" to 2^64-1.')


def _parse_url(value: object) -> URL:
    if isinstance(value, str) and len(value) <= _LONGEST_URL and value.isprintable():
        try:
            parts = urlsplit(value)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme and parts.netloc:
            return URL(value)
    raise GraphQLError(f"URL is an absolute URL of at most {_LONGEST_URL} characters.")


def _parse_cursor(value: object) -> EventCursor:
    if isinstance(value, str) and len(value) <= _LONGEST_CURSOR:
        return EventCursor(value)
    raise GraphQLError("EventCursor is a string that this server has issued.")


def _parse_uuid(value: object) -> UUID:
    if isinstance(value, str) and len(value) == 36:
        try:
            return UUID(value)
        except ValueError:
            pass
    raise GraphQLError("UUID is a string such as 01985c3e-7f4b-7c3e-8d3c-2b1f0a9e8d7c.")


def _literal(parse: Callable[[object], T]) -> Callable[[ValueNode, object], T]:
    """A parser of literals: only texts, whatever the scalar."""

    def parse_literal(node: ValueNode, variables: object = None) -> T:
        return parse(node.value if isinstance(node, StringValueNode) else None)

    return parse_literal


SCALARS: dict[object, ScalarDefinition] = {
    datetime: replace(
        DateTimeDefinition,
        description=(
            "An instant of ISO 8601 with its offset from UTC: 2026-06-01T12:00:00+00:00. Answers "
            "are in UTC."
        ),
    ),
    UInt64: strawberry.scalar(
        name="UInt64",
        description="A whole number from 0 to 2^64-1, as a string of decimal digits.",
        serialize=_serialize_uint64,
        parse_value=_parse_uint64,
        parse_literal=_literal(_parse_uint64),
    ),
    UUID: strawberry.scalar(
        name="UUID",
        description="A UUID of any version, with its four hyphens.",
        serialize=str,
        parse_value=_parse_uuid,
        parse_literal=_literal(_parse_uuid),
    ),
    URL: strawberry.scalar(
        name="URL",
        description=f"An absolute URL of at most {_LONGEST_URL} characters.",
        serialize=str,
        parse_value=_parse_url,
        parse_literal=_literal(_parse_url),
    ),
    EventCursor: strawberry.scalar(
        name="EventCursor",
        description=(
            "A place in a feed of events. Opaque; valid for the feed it came from, across "
            "connections and restarts, for 30 days."
        ),
        serialize=str,
        parse_value=_parse_cursor,
        parse_literal=_literal(_parse_cursor),
    ),
}
