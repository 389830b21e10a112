"""Whether this process can do its work, one answer per dependency."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import redis
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.deprecation import MiddlewareMixin
from django.views.decorators.http import require_safe

from backend.clock import SYSTEM_CLOCK

SERVICE = "payments"
_REDIS_TIMEOUT_SECONDS = 0.5
_DATABASE_TIMEOUT_SECONDS = 1.5
ANSWER_LIVES_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One dependency. Only a required one makes the process not ready."""

    name: str
    ok: bool
    latency_ms: int
    required: bool = True


class _Answer:
    """What the dependencies said last. One thread asks them, the others wait for what it hears."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._checks: list[Check] = []
        self._at = -math.inf

    def get(self) -> list[Check]:
        with self._lock:
            if time.monotonic() - self._at >= ANSWER_LIVES_SECONDS:
                self._checks = _ask_all()
                self._at = time.monotonic()
            return self._checks


_answer = _Answer()


def checks() -> list[Check]:
    """What every dependency says, or said within the last second: anybody may ask, and often."""
    return _answer.get()


def _ask_all() -> list[Check]:
    """Ask every dependency now, for at most a few seconds in all."""
    database = _check("database", _ask_database)
    # Without a database that question would only wait as long once more.
    migrations = _check("migrations", lambda: database.ok and _ask_migrations())
    found = [database, migrations]
    if settings.REDIS_URL:
        # Without it requests are answered and nothing is lost. No payment moves meanwhile, as the
        # tick comes through it, but another server would not help.
        found.append(_check("redis", _ask_redis, required=False))
    return found


def _check(name: str, ask: Callable[[], bool], *, required: bool = True) -> Check:
    started = time.perf_counter()
    try:
        ok = ask()
    except Exception:
        # Whatever is wrong with it, the answer is that it does not work.
        ok = False
    latency_ms = round((time.perf_counter() - started) * 1000)
    return Check(name=name, ok=ok, latency_ms=latency_ms, required=required)


def _ask_database() -> bool:
    # Requests may wait longer for a connection; who asks here sends traffic elsewhere the sooner.
    if (pool := getattr(connection, "pool", None)) is not None:
        pool.open()
        with pool.connection(timeout=_DATABASE_TIMEOUT_SECONDS) as direct:
            return bool(direct.execute("SELECT 1").fetchone() == (1,))
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone() == (1,))


def _ask_migrations() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _ask_redis() -> bool:
    return bool(_redis(settings.REDIS_URL).ping())


@cache
def _redis(url: str) -> "redis.Redis":
    return redis.Redis.from_url(
        url,
        socket_timeout=_REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=_REDIS_TIMEOUT_SECONDS,
    )


@require_safe
def alive(request: HttpRequest) -> JsonResponse:
    """GET /healthz: the process answers. Restart it when it does not."""
    return JsonResponse({"status": "ok"})


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """GET /readyz: send it traffic, or not (503)."""
    found = checks()
    is_ready = all(check.ok for check in found if check.required)
    all_well = all(check.ok for check in found)
    body = {
        "status": "ok" if all_well else "degraded" if is_ready else "unavailable",
        "checks": {check.name: "ok" if check.ok else "failed" for check in found},
    }
    return JsonResponse(body, status=200 if is_ready else 503)


class Probes(MiddlewareMixin):
    """Answers PROBES under any name: what asks there knows a machine's address only.

    The first middleware, before hosts are checked. What is in the answers is not secret, or wants
    a token of its own.
    """

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        """The answer to a probe, or None."""
        probe = PROBES.get(request.path_info)
        return probe(request) if probe else None


# By path. Apps above add theirs.
PROBES: dict[str, Callable[[HttpRequest], HttpResponse]] = {"/healthz": alive, "/readyz": ready}


@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """GET /health: the shape that existing integrators expect."""
    time_now = SYSTEM_CLOCK.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return JsonResponse({"status": "ok", "service": SERVICE, "time": time_now})
