"""What can go wrong on the way out, on top of httpx's own tree.

httpx.TransportError
├── ConnectError            certainly not sent
│   ├── DestinationRefused      the URL or an address of its host breaks our rule
│   ├── NameNotResolved         the name has no address
│   └── HostResting             the host failed to connect too often; we do not even try
├── ConnectTimeout          certainly not sent
├── PoolTimeout             certainly not sent
│   └── HostBusy                too many calls to this host are in flight
└── ReadError, WriteError, ReadTimeout, WriteTimeout, RemoteProtocolError    may have been sent
    └── AnswerRefused           (RemoteProtocolError) an answer came, and it is too big or encoded

The payment workflow builds on this line between "certainly not sent" and "unknown".
"""

from collections.abc import Iterator
from contextlib import contextmanager

import httpcore
import httpx


class DestinationRefused(httpx.ConnectError):
    """The URL, or an address its host resolves to, is outside the rule. Nothing was sent."""


class NameNotResolved(httpx.ConnectError):
    """The host's name has no address, or the resolver failed. Nothing was sent."""


class HostResting(httpx.ConnectError):
    """The host refused too many connections in a row and is left alone for a while."""


class HostBusy(httpx.PoolTimeout):
    """Too many calls to this host are in flight, and none ended in time. Nothing was sent."""


class AnswerRefused(httpx.RemoteProtocolError):
    """An answer arrived that we will not read: too large, or content-encoded."""


# Most specific first; the first match decides.
_HTTPX_FOR: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (httpcore.ConnectTimeout, httpx.ConnectTimeout),
    (httpcore.ReadTimeout, httpx.ReadTimeout),
    (httpcore.WriteTimeout, httpx.WriteTimeout),
    (httpcore.PoolTimeout, httpx.PoolTimeout),
    (httpcore.ConnectError, httpx.ConnectError),
    (httpcore.ReadError, httpx.ReadError),
    (httpcore.WriteError, httpx.WriteError),
    (httpcore.LocalProtocolError, httpx.LocalProtocolError),
    (httpcore.RemoteProtocolError, httpx.RemoteProtocolError),
    (httpcore.UnsupportedProtocol, httpx.UnsupportedProtocol),
)


@contextmanager
def as_httpx_errors() -> Iterator[None]:
    """Turn httpcore's errors into httpx's; ours are httpx's already and pass."""
    try:
        yield
    except Exception as error:
        for theirs, ours in _HTTPX_FOR:
            if isinstance(error, theirs):
                raise ours(str(error)) from error
        raise
