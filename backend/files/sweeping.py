"""Forgetting files: unfinished uploads, finished ones that nothing refers to, and refused ones."""

import logging
from datetime import datetime
from uuid import UUID

from backend.files.errors import StorageUnavailable
from backend.files.models import File
from backend.files.status import FileStatus, Rejection
from backend.files.stores import store
from backend.known import is_known

log = logging.getLogger(__name__)

_BATCH = 100


def sweep(*, now: datetime) -> int:
    """Delete the files whose `expires_at` has come, rows and bytes; return how many there were.

    Safe to repeat, to interrupt and to run twice at a time: a row is marked before its bytes go,
    and goes after them. Attached files have no `expires_at`.
    """
    expired = File.objects.filter(expires_at__lte=now)
    expired.filter(is_known(FileStatus)).exclude(status=FileStatus.REJECTED).update(
        status=FileStatus.REJECTED, rejected_because=Rejection.EXPIRED
    )
    marked = expired.filter(status=FileStatus.REJECTED).order_by("id")
    deleted, seen = 0, UUID(int=0)
    while batch := list(marked.filter(id__gt=seen)[:_BATCH]):
        seen = batch[-1].id
        deleted += sum(_delete(file) for file in batch)
    return deleted


def _delete(file: File) -> bool:
    try:
        store().delete(file)
    except StorageUnavailable:
        # The row keeps its mark, and the next sweep comes back to it.
        log.warning("file %s: its bytes cannot be deleted now", file.id)
        return False
    rows, _ = File.objects.filter(id=file.id, status=FileStatus.REJECTED).delete()
    return bool(rows)
