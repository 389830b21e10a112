"""Primary keys: UUIDv7, so that rows sort by age and ids cannot be counted through."""

from uuid import UUID

import uuid_utils


def new_id() -> UUID:
    """A fresh UUIDv7 as the standard library's UUID, which Django knows how to store."""
    return UUID(bytes=uuid_utils.uuid7().bytes)
