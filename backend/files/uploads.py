"""An upload: asked for, brought in parts, resumed when the line breaks, and judged at the end.

    request   the declared size, hash and type; room is reserved, every part gets a signed URL
    (PUT)     the client brings the parts, straight to the store
    resume    which parts are still missing, with fresh URLs
    complete  the store makes one object of them, we read it once, and it is READY or REJECTED

Steps in the database and steps in the store take turns and never overlap: no transaction, and no
connection, waits for a store.
"""

import re
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q, Sum
from django.utils.translation import gettext_lazy as _

from backend import rate_limits
from backend.accounts.models import User
from backend.errors import InvalidTransition, NotFound, ValidationFailed
from backend.files import media_types
from backend.files.errors import PartsMissing, StorageUnavailable
from backend.files.media_types import Findings
from backend.files.models import LONGEST_NAME, File
from backend.files.parts import PART_SIZE, parts_of
from backend.files.status import FileStatus, Rejection
from backend.files.stores import SignedPart, UploadGone, store
from backend.files.threads import in_storage

# From the request to the last part: a slow line may take a night.
UPLOAD_LIVES = timedelta(hours=24)
# A finished file that is attached to nothing.
UNATTACHED_LIVES = timedelta(days=7)
# For how long a refused one can still be asked about; its bytes go at once.
REJECTED_LIVES = timedelta(days=1)
PART_URL_LIVES = timedelta(hours=1)
DOWNLOAD_URL_LIVES = timedelta(minutes=15)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)

# Runs a function that uses the database, off the event loop.
Database = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What a client says about the file it wants to upload. `size` is in bytes."""

    name: str
    media_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """An unfinished upload: the parts that are missing, and until when their URLs work."""

    file: File
    missing: list[SignedPart]
    expires_at: datetime


async def request_upload(
    *, user: User, declaration: Declaration, now: datetime, database: Database
) -> Upload:
    """Reserve room for a file and sign a URL for each of its parts.

    Safe to repeat: while the upload is unfinished, the same declaration gets the same file, and
    URLs for the parts that are missing.

    Raises:
        ValidationFailed: this may not be uploaded, or there is no room for it.
        RateLimited: too many requests of this user.
        StorageUnavailable: the room is reserved; repeat the request.
    """
    file = await database(reserve, user=user, declaration=declaration, now=now)
    return await _signed(file, now=now, database=database)


async def resume_upload(*, user: User, file_id: UUID, now: datetime, database: Database) -> Upload:
    """Sign fresh URLs for the parts of an unfinished upload that are still missing.

    Safe to repeat. A finished file has no missing parts.

    Raises:
        NotFound: `user` has no such file.
        ValidationFailed: it was refused or has expired.
        RateLimited: too many requests of this user.
        StorageUnavailable: repeat the request.
    """
    file = await database(own_upload, user=user, file_id=file_id, now=now)
    if file.status == FileStatus.READY:
        return Upload(file=file, missing=[], expires_at=now)
    return await _signed(file, now=now, database=database)


async def complete_upload(*, user: User, file_id: UUID, now: datetime, database: Database) -> File:
    """Judge the bytes that have arrived: READY when they are what was declared.

    Safe to repeat and to race: the first verdict stays, and everybody hears the same.

    Raises:
        NotFound: `user` has no such file.
        PartsMissing: not yet; the upload can go on.
        ValidationFailed: size, hash or type are not what was declared. The file is REJECTED.
        RateLimited: too many requests of this user.
        StorageUnavailable: repeat the request.
    """
    file: File = await database(own_upload, user=user, file_id=file_id, now=now)
    if file.status == FileStatus.READY:
        return file
    decided: File
    try:
        findings = await in_storage(_assembled, file)
    except (PartsMissing, StorageUnavailable):
        # They may be missing because somebody else has just been told the verdict.
        decided = await database(_as_it_is, file)
        if decided.status == FileStatus.UPLOADING:
            raise
    else:
        decided = await database(decide, file=file, findings=findings, now=now)
    if decided.status == FileStatus.REJECTED:
        with suppress(StorageUnavailable):  # the sweep comes for what is left
            await in_storage(_discard, file)
        raise refusal_of(decided)
    return decided


async def download_url(*, file: File, now: datetime) -> str | None:
    """A URL that gives the file to whoever has it, for a quarter of an hour; None unless READY."""
    if file.status != FileStatus.READY:
        return None
    return await in_storage(_sign_download, file, now=now)


def reserve(*, user: User, declaration: Declaration, now: datetime) -> File:
    """Keep a row, and with it room, for the declared file; the database's half of a request.

    Raises:
        ValidationFailed: this may not be uploaded, or there is no room for it.
        RateLimited: too many requests of this user.
    """
    rate_limits.hit("uploads", str(user.pk))
    declared = _tidy(declaration)
    with transaction.atomic():
        # One at a time per person, or two requests would both fit into the last room.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        unfinished = Q(status=FileStatus.UPLOADING, expires_at__gt=now)
        mine = File.objects.filter(unfinished, owner=user)
        same = mine.filter(
            name=declared.name,
            media_type=declared.media_type,
            size=declared.size,
            sha256=declared.sha256,
        ).first()
        if same is not None:
            return same
        _check_room(user, size=declared.size, unfinished=unfinished)
        return File.objects.create(
            owner=user,
            name=declared.name,
            media_type=declared.media_type,
            size=declared.size,
            sha256=declared.sha256,
            part_size=PART_SIZE,
            storage_key=secrets.token_hex(16),
            created_at=now,
            expires_at=now + UPLOAD_LIVES,
        )


def own_upload(*, user: User, file_id: UUID, now: datetime) -> File:
    """The file of `user`, still uploading or READY.

    Raises:
        NotFound: there is none, or it is somebody else's.
        ValidationFailed: it was refused, or its time is over.
        InvalidTransition: a newer release has it in hand.
        RateLimited: too many requests of this user.
    """
    rate_limits.hit("uploads", str(user.pk))
    file = File.objects.filter(owner=user, id=file_id).first()
    if file is None:
        raise NotFound(_("There is no file with this id."), path=("fileId",))
    if file.status == FileStatus.REJECTED:
        raise refusal_of(file)
    if file.status not in {FileStatus.UPLOADING, FileStatus.READY}:
        raise InvalidTransition(
            subject=_("This file"), old=file.status, new=FileStatus.READY, allowed=()
        )
    if file.status == FileStatus.UPLOADING and file.expires_at and file.expires_at <= now:
        raise _refusal(Rejection.EXPIRED, file)
    return file


def decide(*, file: File, findings: Findings, now: datetime) -> File:
    """Move an uploading file to READY or REJECTED, and return it as it is now.

    Whoever comes second changes nothing and gets the first one's verdict.
    """
    reason = _reason_against(file, findings)
    uploading = File.objects.filter(id=file.id, status=FileStatus.UPLOADING)
    if reason is None:
        uploading.update(
            status=FileStatus.READY,
            sniffed_type=findings.media_type or "text/plain",
            expires_at=now + UNATTACHED_LIVES,
        )
    else:
        uploading.update(
            status=FileStatus.REJECTED,
            sniffed_type=findings.media_type or "",
            rejected_because=reason,
            expires_at=now + REJECTED_LIVES,
        )
    return _as_it_is(file)


def refusal_of(file: File) -> ValidationFailed:
    """What a REJECTED file was refused for, as a sentence."""
    return _refusal(Rejection(file.rejected_because), file)


def _as_it_is(file: File) -> File:
    """The row as others have left it; one that was swept is as good as marked by the sweep."""
    if (now_there := File.objects.filter(id=file.id).first()) is not None:
        return now_there
    file.status, file.rejected_because = FileStatus.REJECTED, Rejection.EXPIRED
    return file


def _refusal(reason: Rejection, file: File) -> ValidationFailed:
    sentences = {
        Rejection.SIZE: _("{name} does not have the {size} bytes that were declared."),
        Rejection.SHA256: _("{name} is not the file that was declared: its SHA-256 differs."),
        Rejection.TYPE: _("{name} is of a kind that is not accepted, such as a page or a program."),
        Rejection.MISMATCH: _("{name} was declared as {type}, but its content is not."),
        Rejection.EXPIRED: _("The time to upload {name} is over. Request a new upload."),
    }
    return ValidationFailed(
        sentences[reason],
        path=("fileId",),
        name=file.name,
        size=file.size,
        type=file.media_type,
    )


def _reason_against(file: File, findings: Findings) -> Rejection | None:
    if findings.size != file.size:
        return Rejection.SIZE
    if findings.sha256 != file.sha256:
        return Rejection.SHA256
    if findings.fits(file.media_type):
        return None
    is_accepted = findings.is_text or media_types.is_taken(findings.media_type or "")
    return Rejection.MISMATCH if is_accepted else Rejection.TYPE


def _tidy(declaration: Declaration) -> Declaration:
    media_type = media_types.canonical(declaration.media_type)
    if not media_types.is_taken(media_type):
        raise ValidationFailed(
            _("Files of this type are not accepted. Images, sound, film, PDF and text are."),
            path=("mediaType",),
        )
    if declaration.size < 1:
        raise ValidationFailed(_("An empty file cannot be uploaded."), path=("size",))
    if declaration.size > settings.FILES_LARGEST_BYTES:
        raise ValidationFailed(
            _("A file has at most {most} bytes."), path=("size",), most=settings.FILES_LARGEST_BYTES
        )
    sha256 = declaration.sha256.strip().lower()
    if not _SHA256.fullmatch(sha256):
        raise ValidationFailed(
            _("Write the SHA-256 of the file as 64 hexadecimal digits."), path=("sha256",)
        )
    return Declaration(
        name=_tidy_name(declaration.name),
        media_type=media_type,
        size=declaration.size,
        sha256=sha256,
    )


def _tidy_name(name: str) -> str:
    # Some browsers send the whole path; a name is only shown, and never a path of ours.
    tidy = re.split(r"[/\\]", name)[-1].strip()
    if not tidy or tidy in {".", ".."} or not tidy.isprintable():
        raise ValidationFailed(_("This is not the name of a file."), path=("name",))
    if len(tidy) > LONGEST_NAME:
        raise ValidationFailed(
            _("The name of a file has at most {most} characters."),
            path=("name",),
            most=LONGEST_NAME,
        )
    return tidy


def _check_room(user: User, *, size: int, unfinished: Q) -> None:
    held = File.objects.filter(owner=user).exclude(status=FileStatus.REJECTED)
    sums = held.aggregate(bytes=Sum("size"), unfinished=Count("id", filter=unfinished))
    if sums["unfinished"] >= settings.FILES_UNFINISHED_PER_USER:
        raise ValidationFailed(
            _("At most {most} uploads can be unfinished at a time. Complete one of them first."),
            most=settings.FILES_UNFINISHED_PER_USER,
        )
    left = settings.FILES_BYTES_PER_USER - (sums["bytes"] or 0)
    if size > left:
        raise ValidationFailed(
            _("There is no room for this file: {left} bytes are left."),
            path=("size",),
            left=max(0, left),
        )


async def _signed(file: File, *, now: datetime, database: Database) -> Upload:
    try:
        kept = await in_storage(_kept_parts, file)
    except UploadGone:
        file = await _opened(file, database=database)
        kept = await in_storage(_kept_parts, file)
    assert file.expires_at is not None
    until = min(now + PART_URL_LIVES, file.expires_at)
    missing = await in_storage(_sign_parts, file, kept=kept, now=now, until=until)
    return Upload(file=file, missing=missing, expires_at=until)


async def _opened(file: File, *, database: Database) -> File:
    upload_id = await in_storage(store().open, file)
    opened: File = await database(_note_upload_id, file=file, upload_id=upload_id)
    if opened.upload_id != upload_id:
        file.upload_id = upload_id
        with suppress(StorageUnavailable):
            await in_storage(store().close, file)
    return opened


def _note_upload_id(*, file: File, upload_id: str) -> File:
    # Of two requests that open the same upload, the first one's is used.
    File.objects.filter(id=file.id, upload_id=file.upload_id).update(upload_id=upload_id)
    return File.objects.get(id=file.id)


def _kept_parts(file: File) -> set[int]:
    return store().kept_parts(file)


def _sign_parts(file: File, *, kept: set[int], now: datetime, until: datetime) -> list[SignedPart]:
    where = store()
    return [
        where.sign_part(file, part, now=now, until=until)
        for part in parts_of(file)
        if part.number not in kept
    ]


def _assembled(file: File) -> Findings:
    where = store()
    where.assemble(file)
    return media_types.inspect(where.read(file))


def _discard(file: File) -> None:
    store().delete(file)


def _sign_download(file: File, *, now: datetime) -> str:
    return store().sign_download(file, now=now, until=now + DOWNLOAD_URL_LIVES)
