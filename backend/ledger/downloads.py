"""Taking the books away as a file: a signed link for a while, and what it gives.

The link is the permission, as with files: a browser that follows it sends no token. It names who
asked, and they are looked up again when it is used.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.utils.translation import gettext_lazy as _

from backend import rate_limits
from backend.accounts.models import User
from backend.errors import Forbidden, ValidationFailed
from backend.ledger.export import Selection

PATH = "exports/"
LINK_LASTS = timedelta(minutes=10)
_SALT = "backend.ledger.export"


class BadLink(Exception):
    """The token was not made here, is too old, or whoever asked may not have it any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Where the file is, and until when."""

    url: str
    expires_at: datetime


def request_export(
    *,
    user: User,
    whole_books: bool,
    since: datetime | None,
    until: datetime | None,
    now: datetime,
) -> Link:
    """A link to the entries of `user`, or to those of everybody, from `since` and before `until`.

    Nothing is kept of it: asking again gives another link.

    Raises:
        Forbidden: the whole books, for somebody who does not see everything.
        ValidationFailed: the time begins after its end, or is given without an offset.
        RateLimited: too many of them.
    """
    if whole_books and not user.sees_everything:
        raise Forbidden(
            _("Only operators and auditors take the whole books away."), path=("scope",)
        )
    for at, path in ((since, "from"), (until, "until")):
        if at is not None and at.tzinfo is None:
            raise ValidationFailed(_("Give the time with its offset from UTC."), path=(path,))
    if since is not None and until is not None and since >= until:
        raise ValidationFailed(_("The time ends before it begins."), path=("until",))
    rate_limits.hit("exports", str(user.pk))
    expires_at = now + LINK_LASTS
    permission = [
        user.pk.hex,
        whole_books,
        since and since.isoformat(),
        until and until.isoformat(),
        int(expires_at.timestamp()),
    ]
    token = signing.dumps(permission, salt=_SALT, compress=True)
    return Link(url=f"{settings.PUBLIC_URL}/{PATH}{token}", expires_at=expires_at)


def selection_of(token: str, *, now: datetime) -> Selection:
    """What the link with this token gives now.

    Raises:
        BadLink: nothing.
    """
    try:
        permission: list[Any] = signing.loads(token, salt=_SALT)
    except signing.BadSignature as error:
        raise BadLink from error
    user_id, whole_books, since, until, expires_at = permission
    if now >= datetime.fromtimestamp(expires_at, UTC):
        raise BadLink
    user = User.objects.filter(pk=UUID(user_id), is_active=True).first()
    if user is None or (whole_books and not user.sees_everything):
        raise BadLink
    return Selection(
        owner=None if whole_books else user.pk,
        since=since and datetime.fromisoformat(since),
        until=until and datetime.fromisoformat(until),
    )
