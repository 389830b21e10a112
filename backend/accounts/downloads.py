"""Links that give somebody a file for a while, without a token: the link is the permission.

A browser that follows one sends nothing else. It names who asked, and they are looked up again
when it is used; nothing is kept of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing

from backend.accounts.models import User

PATH = "exports/"
LINK_LASTS = timedelta(minutes=10)


class BadLink(Exception):
    """The token was not made here, is too old, or whoever asked may not have it any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Where the file is, and until when."""

    url: str
    expires_at: datetime


def link_for(user: User, *, path: str, asked: Sequence[object], salt: str, now: datetime) -> Link:
    """A link below `path` that says who asked, and for what. `salt` tells kinds of links apart."""
    expires_at = now + LINK_LASTS
    permission = [user.pk.hex, *asked, int(expires_at.timestamp())]
    token = signing.dumps(permission, salt=salt, compress=True)
    return Link(url=f"{settings.PUBLIC_URL}/{path}{token}", expires_at=expires_at)


def read_link(token: str, *, salt: str, now: datetime) -> tuple[User, list[Any]]:
    """Who asked with the link that has this token, and for what.

    Raises:
        BadLink: nobody who may have it now.
    """
    try:
        user_id, *asked, expires_at = signing.loads(token, salt=salt)
    except signing.BadSignature as error:
        raise BadLink from error
    user = User.objects.filter(pk=UUID(user_id), is_active=True).first()
    if user is None or now >= datetime.fromtimestamp(expires_at, UTC):
        raise BadLink
    return user, asked
