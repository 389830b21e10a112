"""Numbers of this process, counted as things happen: how long, how often, how it ended.

They begin at zero with the process. What is state (what is due, what does not add up) is read from
the database instead, by backend/monitoring.

Every label has few values by construction, because each one is kept for ever: routes and root
fields are ours, codes are an enum. Hosts are chosen by strangers, so only the first MOST_HOSTS have
a name here.
"""

import threading
from urllib.parse import urlsplit

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

# When each series began: as many numbers again, that nobody asks for.
disable_created_metrics()  # type: ignore[no-untyped-call]

MOST_HOSTS = 100
OTHER = "other"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

HTTP = Histogram(
    "faena_http_request_seconds",
    "How long requests took, until the last byte of the answer.",
    ["method", "route", "status"],
    buckets=_SECONDS,
)
SOCKETS = Gauge(
    "faena_websockets_open",
    "WebSockets that are open now.",
    multiprocess_mode="livesum",
)
GRAPHQL = Histogram(
    "faena_graphql_operation_seconds",
    "How long queries and mutations took, by their first root field.",
    ["type", "operation"],
    buckets=_SECONDS,
)
GRAPHQL_ERRORS = Counter(
    "faena_graphql_errors_total",
    "Refusals and errors that GraphQL answered, by code; INTERNAL is a bug.",
    ["operation", "code"],
)
WALLET_CALLS = Histogram(
    "faena_wallet_call_seconds",
    "How long wallets took to answer, by the first digit of the status or why there is none.",
    ["host", "call", "outcome"],
    buckets=_SECONDS,
)
WALLET_SKEW = Gauge(
    "faena_wallet_clock_skew_seconds",
    "How far a wallet's Date was ahead of our clock (behind: negative) in its last answer.",
    ["host"],
    multiprocess_mode="livemostrecent",
)
BREAKER_OPEN = Gauge(
    "breaker_open",
    "1 while this host refused so many connections in a row that it is left alone.",
    ["host"],
    multiprocess_mode="livemax",
)
BREAKER_FAILURES = Counter(
    "faena_breaker_failures_total",
    "Connections to this host that failed.",
    ["host"],
)
LEASES_EXPIRED = Counter(
    "lease_expired_total",
    "Rows that were taken over because their worker's lease had run out.",
    ["queue"],
)
FENCES_LOST = Counter(
    "fence_lost_total",
    "Workers that found their row taken over, and wrote nothing.",
)
GRANTS_LOST = Counter(
    "grant_lost_total",
    "Consents whose token went to an answer that never came: the payer is asked again.",
    ["queue"],
)
ADVANCES = Histogram(
    "faena_advance_seconds",
    "How long a claimed payment or grant was worked on.",
    ["queue"],
    buckets=(*_SECONDS, 30.0, 60.0),
)

MOVES = Counter(
    "faena_moves_total",
    "Changes of the status of payments and held grants, by the new one.",
    ["queue", "status"],
)

# Alerts ask by how much a number rose, and one that first appears as 1 has not risen: where the
# first counts, it begins at 0.
QUEUES = ("Payment", "HeldGrant")
for _queue in QUEUES:
    LEASES_EXPIRED.labels(_queue)
    GRANTS_LOST.labels(_queue)

_lock = threading.Lock()
_hosts: set[str] = set()
_were_open: set[str] = set()


def host_label(url: str) -> str:
    """The host of a URL or an origin, or `other` once MOST_HOSTS have a name."""
    host = urlsplit(url).netloc.removesuffix(":443")
    if host in _hosts:
        return host
    with _lock:
        if len(_hosts) >= MOST_HOSTS:
            return OTHER
        _hosts.add(host)
    return host


def breaker_changed(origin: str, *, failed: bool, is_open: bool) -> None:
    """Note what a breaker of `backend.outbound` says of an origin."""
    host = host_label(origin)
    if failed:
        BREAKER_FAILURES.labels(host).inc()
    # Of those that were ever in trouble only: a host that is always well makes no series.
    if is_open or host in _were_open:
        _were_open.add(host)
        BREAKER_OPEN.labels(host).set(int(is_open))
