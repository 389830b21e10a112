"""Which files a person may see: their own, and those of what they may see.

Files know nothing of jobs. A domain that attaches files says who sees them by registering a
function, once, in its AppConfig.ready():

    def files_of_jobs(viewer: User | None) -> QuerySet[Any]:
        return Reference.objects.filter(job__in=jobs_visible_to(viewer)).values("file_id")

    register_visibility(files_of_jobs)

The function returns a queryset of one column, ids of files; it becomes a subquery. `viewer` is
None for a visitor.
"""

from collections.abc import Callable
from typing import Any

from django.db.models import Q, QuerySet

from backend.accounts.models import User
from backend.files.models import File

FileIds = Callable[[User | None], QuerySet[Any, Any]]
_registered: list[FileIds] = []


def register_visibility(file_ids: FileIds) -> None:
    """Let viewers see the files whose ids `file_ids(viewer)` selects. Safe to repeat."""
    if file_ids not in _registered:
        _registered.append(file_ids)


def files_visible_to(user: User | None) -> QuerySet[File]:
    """The files of `user`, and those attached to what `user` may see; all of them to operators."""
    if user is not None and user.is_staff:
        return File.objects.all()
    visible = Q(owner=user) if user is not None else Q(pk__in=())
    for file_ids in _registered:
        visible |= Q(pk__in=file_ids(user))
    return File.objects.filter(visible)
