"""Signed URLs of our own, for files on local disk: who has one may do what it says, for a while.

A token names a file, what may be done with it, and until when. The two kinds are signed with
different salts, so that neither passes for the other.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing

PATH = "/files/"
_PART, _DOWNLOAD = "backend.files.part", "backend.files.download"


class BadLink(Exception):
    """The token was not made here, is for something else, or is too old."""


@dataclass(frozen=True, slots=True)
class PartLink:
    """Permission to PUT the part `number` of a file."""

    file_id: UUID
    number: int


def part_url(file_id: UUID, number: int, *, until: datetime) -> str:
    """The URL at which the part `number` is PUT, until `until`."""
    return _url([file_id.hex, number, _seconds(until)], salt=_PART)


def download_url(file_id: UUID, *, until: datetime) -> str:
    """The URL from which the file is read, until `until`."""
    return _url([file_id.hex, _seconds(until)], salt=_DOWNLOAD)


def read_part(token: str, *, now: datetime) -> PartLink:
    """What a token of `part_url` permits.

    Raises:
        BadLink: nothing.
    """
    file_id, number, until = _load(token, salt=_PART)
    _check_age(until, now=now)
    return PartLink(UUID(file_id), number)


def read_download(token: str, *, now: datetime) -> UUID:
    """Which file a token of `download_url` is for.

    Raises:
        BadLink: none.
    """
    file_id, until = _load(token, salt=_DOWNLOAD)
    _check_age(until, now=now)
    return UUID(file_id)


def _url(permission: list[str | int], *, salt: str) -> str:
    return f"{settings.PUBLIC_URL}{PATH}{signing.dumps(permission, salt=salt)}"


def _load(token: str, *, salt: str) -> list[Any]:
    try:
        permission: list[Any] = signing.loads(token, salt=salt)
    except signing.BadSignature as error:
        raise BadLink from error
    return permission


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _check_age(until: int, *, now: datetime) -> None:
    if now >= datetime.fromtimestamp(until, UTC):
        raise BadLink
