"""People and files for the tests of this folder."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from backend.accounts.models import User
from backend.files.models import File
from backend.files.status import FileStatus, Rejection
from backend.ids import new_id

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def a_person(name: str = "somebody", **fields: Any) -> User:
    return User.objects.create(
        email=f"{name}-{new_id().hex}@example.com", display_name=name, created_at=NOON, **fields
    )


def a_file(owner: User, *, status: FileStatus = FileStatus.READY, **fields: Any) -> File:
    """A file's row, in any status, without bytes."""
    values: dict[str, Any] = {
        "name": "notes.txt",
        "media_type": "text/plain",
        "sniffed_type": "text/plain" if status is FileStatus.READY else "",
        "size": 5,
        "sha256": hashlib.sha256(b"hello").hexdigest(),
        "part_size": 5,
        "storage_key": secrets.token_hex(16),
        "rejected_because": Rejection.SIZE if status is FileStatus.REJECTED else "",
        "created_at": NOON,
        "expires_at": NOON + timedelta(days=1),
    }
    return File.objects.create(owner=owner, status=status, **{**values, **fields})
