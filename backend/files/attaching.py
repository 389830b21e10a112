"""The one way for other domains to take a person's files: a job's, a submission's, a dispute's."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from backend.accounts.models import User
from backend.accounts.personal import not_referred_to
from backend.errors import NotFound, ValidationFailed
from backend.files.models import File
from backend.files.status import FileStatus
from backend.files.uploads import UNATTACHED_LIVES

MOST_FILES = 10


def attach(
    *, user: User, file_ids: Sequence[UUID], path: str, now: datetime, most: int = MOST_FILES
) -> list[File]:
    """Keep the READY files of `user` for good, and return them in the order of `file_ids`.

    Call it in the transaction that saves the reference to them. Safe to repeat, and a file may be
    attached to several things.

    Raises:
        NotFound: one is nobody's, or somebody else's: the two look the same.
        ValidationFailed: one is not READY or named twice, or there are more than `most`.
    """
    if len(file_ids) > most:
        raise ValidationFailed(_("At most {most} files are possible."), path=(path,), most=most)
    if len(set(file_ids)) < len(file_ids):
        raise ValidationFailed(_("A file is named twice."), path=(path,))
    with transaction.atomic():
        # The owner and the status in the WHERE: a file that expires at this moment is either
        # attached in time, or gone and not attached.
        mine = File.objects.filter(owner=user, id__in=file_ids)
        mine.filter(status=FileStatus.READY).update(
            attached_at=Coalesce("attached_at", Value(now)), expires_at=None
        )
        found = {file.id: file for file in mine}
        for file_id in file_ids:
            _check(found.get(file_id), path=path)
    return [found[file_id] for file_id in file_ids]


def let_go(file_ids: Iterable[UUID], *, now: datetime) -> None:
    """Let files be that something referred to until now, unless something else still does.

    They have the time of one that was never attached, and then they go: what a person replaces
    takes no room of theirs for ever. Call it in the transaction that takes the reference away.
    """
    if not (ids := set(file_ids)):
        return
    with transaction.atomic():
        # Locked first, and asked about by another statement: so whatever has attached one of them
        # meanwhile is seen.
        files = File.objects.filter(id__in=ids, status=FileStatus.READY)
        locked = list(files.select_for_update().order_by("id").values_list("id", flat=True))
        File.objects.filter(not_referred_to(File), id__in=locked).update(
            attached_at=None, expires_at=now + UNATTACHED_LIVES
        )


def _check(file: File | None, *, path: str) -> None:
    if file is None:
        raise NotFound(_("There is no file with this id."), path=(path,))
    if file.status == FileStatus.REJECTED:
        raise ValidationFailed(
            _("{name} was refused or has expired."), path=(path,), name=file.name
        )
    if file.status != FileStatus.READY:
        raise ValidationFailed(
            _("{name} is not uploaded completely."), path=(path,), name=file.name
        )
