"""What the work in hand is about: said once, and then on every line that is logged meanwhile."""

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

from structlog.contextvars import bind_contextvars, bound_contextvars, get_contextvars

ProcessKind = Literal["web", "worker", "beat", "pump", "embedded", "command"]

REQUEST_ID_HEADER = "X-Request-ID"
# As proxies make them: UUIDs, hex, ULIDs. Anything else would be a stranger's text in our logs.
_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}", re.ASCII)
_process_kind: ProcessKind = "command"


def process_is(kind: ProcessKind) -> None:
    """Have every line of this process, and of its forks, say what kind it is.

    The first to say it is right: the embedded server is more than the web server in it.
    """
    global _process_kind
    if _process_kind == "command":
        _process_kind = kind


def process_kind() -> ProcessKind:
    return _process_kind


@contextmanager
def about(**ids: object) -> Iterator[None]:
    """Put these ids on every line that is logged inside; None says nothing.

    The keys have to be in `logs.KEYS`. Threads that the work is handed to know them when they run
    in a copy of this context, as those of `events.threads` do.
    """
    with bound_contextvars(**{name: _plain(value) for name, value in ids.items()}):
        yield


def note(**ids: object) -> None:
    """Say what is known only half-way, until the `about` ends that left room for it with None.

    Without such an `about` it says nothing: it would be said of whatever this thread does next.
    """
    room = get_contextvars()
    bind_contextvars(**{name: _plain(each) for name, each in ids.items() if name in room})


def carried() -> dict[str, str]:
    """What a message takes along to the process that will work on it: the id of the request."""
    request_id = get_contextvars().get("request_id")
    return {"request_id": request_id} if request_id else {}


def sane_request_id(text: str | None) -> str:
    """The id that a proxy gave this request, if it looks like one, else a new one."""
    if text is not None and _SANE_REQUEST_ID.fullmatch(text):
        return text
    return secrets.token_hex(16)


def taken_along(message: Mapping[str, object] | None) -> str | None:
    """What `carried` put into the headers of a message; None without, or if it is not ours."""
    text = (message or {}).get("request_id")
    return text if isinstance(text, str) and _SANE_REQUEST_ID.fullmatch(text) else None


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, int | float | str) else str(value)
