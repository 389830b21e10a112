"""Taking the books away as a file: a signed link for a while, and what it gives."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from backend import rate_limits
from backend.accounts.downloads import PATH, BadLink, Link, link_for, read_link
from backend.accounts.models import User
from backend.errors import Forbidden, ValidationFailed
from backend.ledger.export import Selection

_SALT = "backend.ledger.export"


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
    asked = (whole_books, since and since.isoformat(), until and until.isoformat())
    return link_for(user, path=PATH, asked=asked, salt=_SALT, now=now)


def selection_of(token: str, *, now: datetime) -> Selection:
    """What the link with this token gives now.

    Raises:
        BadLink: nothing.
    """
    user, (whole_books, since, until) = read_link(token, salt=_SALT, now=now)
    if whole_books and not user.sees_everything:
        raise BadLink
    return Selection(
        owner=None if whole_books else user.pk,
        since=since and datetime.fromisoformat(since),
        until=until and datetime.fromisoformat(until),
    )
