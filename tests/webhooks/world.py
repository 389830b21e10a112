"""People with endpoints, a real receiver on loopback, and events for them."""

import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from django.db import transaction

from backend import outbound
from backend.accounts.models import User
from backend.events import emit
from backend.events.models import Event
from backend.events.relay import relay
from backend.ids import new_id
from backend.webhooks import claims, services
from backend.webhooks.models import WebhookDelivery, WebhookEndpoint
from backend.webhooks.names import PayloadFormat
from backend.webhooks.sending import deliver

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
MOST_ROUNDS = 500


@dataclass
class Clock:
    """Stands still until somebody moves it."""

    at: datetime = NOON

    def now(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class Request:
    """What a receiver got."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def seq(self) -> int:
        return int(self.json["data"]["seq"])


@dataclass
class Receiver:
    """A server that keeps what it gets. `answer` says the status, and headers, of each request."""

    url: str = ""
    got: list[Request] = field(default_factory=list)
    answer: Callable[[Request], tuple[int, dict[str, str]]] = lambda request: (204, {})

    @property
    def origin(self) -> str:
        return self.url.rpartition("/")[0]

    def ids(self) -> list[str]:
        return [request.id for request in self.got]


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(headers, body)
            receiver.got.append(request)
            status, more = receiver.answer(request)
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hooks"
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def a_user(name: str = "somebody", **fields: Any) -> User:
    return User.objects.create(
        email=f"{name}-{new_id().hex}@example.com", display_name=name, created_at=NOON, **fields
    )


def an_endpoint(
    owner: User,
    url: str = "https://hooks.example/faena",
    *,
    events: tuple[str, ...] = ("*",),
    payload_format: PayloadFormat = PayloadFormat.STANDARD,
    everything: bool = False,
    now: datetime = NOON,
) -> services.Secretive:
    return services.create_endpoint(
        owner=owner,
        url=url,
        events=events,
        payload_format=payload_format,
        everything=everything,
        now=now,
    )


def announce(topic: str, *, type: str = "job.status", at: datetime = NOON, **payload: Any) -> Event:
    with transaction.atomic():
        return emit(topic=topic, type=type, payload=payload, at=at, subject_id=new_id())


def deliveries(endpoint: WebhookEndpoint) -> list[WebhookDelivery]:
    return list(WebhookDelivery.objects.filter(endpoint=endpoint).order_by("topic", "seq"))


@dataclass
class Worker:
    """Relays and brings, at the clock's time."""

    client: httpx.Client
    clock: Clock
    rng: random.Random = field(default_factory=lambda: random.Random(7))

    def work(self) -> int:
        """Do all that is due now; return how many deliveries were attempted."""
        relay(now=self.clock.now())
        for done in range(MOST_ROUNDS):
            claimed = claims.claim_due(now=self.clock.now(), limit=1)
            if not claimed:
                return done
            deliver(claimed[0], client=self.client, clock=self.clock, rng=self.rng)
        raise AssertionError("it never rests")

    def until(self, end: datetime) -> None:
        """Work, and sleep until the next thing is due, up to `end`."""
        for _ in range(MOST_ROUNDS):
            self.work()
            pending = WebhookDelivery.objects.filter(due_at__gt=self.clock.at)
            next_at = pending.order_by("due_at").values_list("due_at", flat=True).first()
            if next_at is None or next_at > end:
                self.clock.at = end
                self.work()
                return
            self.clock.at = next_at
        raise AssertionError("it never rests")


def client_for(*origins: str, **policy: Any) -> httpx.Client:
    """The real client, which may go to these origins besides the public internet."""
    return outbound.client(
        outbound.Policy(
            allowed_origins=frozenset(origins),
            **{"total_timeout_seconds": 2.0, "max_body_bytes": 2**31, **policy},
        )
    )
