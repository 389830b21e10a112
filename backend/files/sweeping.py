"""Forgetting files: unfinished uploads, finished ones that nothing refers to, and refused ones."""

import logging
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

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


def forget(files: QuerySet[File], *, now: datetime) -> None:
    """Let files go that nothing refers to: their names now, their bytes after the commit.

    What the store cannot delete then, the next sweep does.
    """
    ids = list(files.values_list("id", flat=True))
    File.objects.filter(id__in=ids).update(
        name="",
        status=FileStatus.REJECTED,
        rejected_because=Rejection.EXPIRED,
        attached_at=None,
        expires_at=now,
    )
    transaction.on_commit(partial(_delete_all, ids), robust=True)


def _delete_all(ids: Sequence[UUID]) -> None:
    for file in File.objects.filter(id__in=ids, status=FileStatus.REJECTED):
        _delete(file)


def _delete(file: File) -> bool:
    try:
        store().delete(file)
    except StorageUnavailable:
        # The row keeps its mark, and the next sweep comes back to it.
        log.warning("file %s: its bytes cannot be deleted now", file.id)
        return False
    rows, _ = File.objects.filter(id=file.id, status=FileStatus.REJECTED).delete()
    return bool(rows)
