"""Taking away what is kept of oneself, besides the books: a link, and the JSON file it gives."""

import json
from collections.abc import Iterator
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


def document_of(token: str, *, now: datetime) -> Iterator[str]:
    """What the link with this token gives now: one JSON object, a member for each kind of thing.

    In pieces, each read when it is asked for; they may be asked for on different threads. It counts
    as often as it is begun: a link is good more than once.

    Raises:
        BadLink: nothing.
        RateLimited: too many of them.
    """
    user, _ = downloads.read_link(token, salt=_SALT, now=now)
    rate_limits.hit("exports", str(user.pk))
    return _written(user, now)


def _written(user: User, now: datetime) -> Iterator[str]:
    yield f'{{\n  "exportedAt": {_json(now)}'
    for data in personal.registered():
        for name, value in data.export(user).items():
            yield f",\n  {_json(name)}: "
            yield from _list(value) if isinstance(value, Iterator) else [_json(value, depth=1)]
    yield "\n}\n"


def _list(rows: Iterator[object]) -> Iterator[str]:
    before = "["
    for row in rows:
        yield f"{before}\n    {_json(row, depth=2)}"
        before = ","
    yield "[]" if before == "[" else "\n  ]"


def _json(value: object, *, depth: int = 0) -> str:
    text = json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)
    # What ends a line here is layout: within strings JSON escapes it.
    return text.replace("\n", "\n" + "  " * depth)
