"""Showing the numbers of a process to Prometheus, for those that serve nothing else."""

import hmac
import logging
import os
import threading
from collections.abc import Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.conf import settings
from prometheus_client import REGISTRY, CollectorRegistry, multiprocess
from prometheus_client.exposition import ThreadingWSGIServer, make_wsgi_app

log = logging.getLogger(__name__)


def counted() -> CollectorRegistry:
    """The numbers of this process, or of all that share PROMETHEUS_MULTIPROC_DIR.

    That is for several processes behind one port, `uvicorn --workers` and Celery's prefork pool:
    each scrape would reach another one, or only the parent, which does nothing itself.
    """
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def forget_process(pid: int) -> None:
    """What an ended process of the pool had open now is not open any more."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]


def may_read(authorization: str | None) -> bool:
    """Whether this Authorization header opens /metrics: METRICS_TOKEN, or DEBUG without one."""
    if not settings.METRICS_TOKEN:
        return bool(settings.DEBUG)
    expected = f"Bearer {settings.METRICS_TOKEN}".encode()
    return hmac.compare_digest((authorization or "").encode(), expected)


def serve_metrics() -> WSGIServer | None:
    """Answer GET /metrics on METRICS_HOST:METRICS_PORT from a thread; nothing where that is 0.

    A port that is taken is logged: nobody goes unpaid because nobody counts.
    """
    if not settings.METRICS_PORT:
        return None
    try:
        server = make_server(
            settings.METRICS_HOST,
            settings.METRICS_PORT,
            guarded,
            server_class=ThreadingWSGIServer,
            handler_class=_Silent,
        )
    except OSError as error:
        log.error("metrics cannot be shown on port %d: %s", settings.METRICS_PORT, error.strerror)
        return None
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


def guarded(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """/metrics as WSGI, and 404 for everything else and everybody else."""
    allowed = may_read(environ.get("HTTP_AUTHORIZATION"))
    if not allowed or environ.get("PATH_INFO") != "/metrics":
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"Not found.\n"]
    shown: Iterable[bytes] = make_wsgi_app(counted())(environ, start_response)
    return shown


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        return None
