"""Primary keys, and how they are written for clients.

UUIDv7: rows sort by age and ids cannot be counted through.
"""

import base64
import binascii
from uuid import UUID

import uuid_utils


def new_id() -> UUID:
    """A fresh UUIDv7 as the standard library's UUID, which Django knows how to store."""
    return UUID(bytes=uuid_utils.uuid7().bytes)


def global_id(type_name: str, key: UUID) -> str:
    """The opaque id of the row `key` of a GraphQL type."""
    return base64.b64encode(f"{type_name}:{key}".encode()).decode()


def read_global_id(text: str) -> tuple[str, UUID] | None:
    """The type name and key in a global id; None when it is not one.

    The padding may be missing: a double click on an id selects it without its last `=`.
    """
    padded = text + "=" * (-len(text) % 4)
    try:
        name, _colon, key = base64.b64decode(padded, validate=True).decode("ascii").partition(":")
        return name, UUID(key)
    except (binascii.Error, ValueError):
        return None
