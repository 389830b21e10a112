"""Scalars of our own. Their refusals are GraphQLErrors, so that callers get to read them."""

import re
from typing import NewType
from urllib.parse import urlsplit
from uuid import UUID

import strawberry
from graphql import GraphQLError, StringValueNode, ValueNode
from strawberry.types.scalar import ScalarDefinition

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


def _literal(node: ValueNode, variables: object = None) -> object:
    return node.value if isinstance(node, StringValueNode) else None


SCALARS: dict[object, ScalarDefinition] = {
    UInt64: strawberry.scalar(
        name="UInt64",
        description="A whole number from 0 to 2^64-1, as a string of decimal digits.",
        serialize=_serialize_uint64,
        parse_value=_parse_uint64,
        parse_literal=lambda node, variables=None: _parse_uint64(_literal(node)),
    ),
    UUID: strawberry.scalar(
        name="UUID",
        description="A UUID of any version, with its four hyphens.",
        serialize=str,
        parse_value=_parse_uuid,
        parse_literal=lambda node, variables=None: _parse_uuid(_literal(node)),
    ),
    URL: strawberry.scalar(
        name="URL",
        description="An absolute URL.",
        serialize=str,
        parse_value=_parse_url,
        parse_literal=lambda node, variables=None: _parse_url(_literal(node)),
    ),
    EventCursor: strawberry.scalar(
        name="EventCursor",
        description=(
            "A place in a feed of events. Opaque; valid for the feed it came from, across "
            "connections and restarts, for 30 days."
        ),
        serialize=str,
        parse_value=_parse_cursor,
        parse_literal=lambda node, variables=None: _parse_cursor(_literal(node)),
    ),
}
