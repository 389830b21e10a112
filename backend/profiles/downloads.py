"""Taking away what is kept of oneself, besides the books: a link, and the JSON file it gives."""

import json
from datetime import datetime

from django.core.serializers.json import DjangoJSONEncoder

from backend import rate_limits
from backend.accounts import downloads, personal
from backend.accounts.downloads import Link
from backend.accounts.models import User

PATH = f"{downloads.PATH}person/"
_SALT = "backend.profiles.export"


def request_export(*, user: User, now: datetime) -> Link:
    """A link to what is kept of `user`. Nothing is kept of it: asking again gives another.

    Raises:
        RateLimited: too many of them.
    """
    rate_limits.hit("exports", str(user.pk))
    return downloads.link_for(user, path=PATH, asked=(), salt=_SALT, now=now)


def document_of(token: str, *, now: datetime) -> str:
    """What the link with this token gives now: one JSON object, a member for each kind of thing.

    It is made in memory, and counts as often as it is made: a link is good more than once.

    Raises:
        BadLink: nothing.
        RateLimited: too many of them.
    """
    user, _ = downloads.read_link(token, salt=_SALT, now=now)
    rate_limits.hit("exports", str(user.pk))
    document: dict[str, object] = {"exportedAt": now}
    for data in personal.registered():
        document |= data.export(user)
    return json.dumps(document, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)
