"""`python -m tests.e2e.canaries`: plant secrets, live through everything, look for them everywhere.

Real processes log at DEBUG while a payment is made, one is refused, a wallet fails, and strangers
guess. Then each secret, ours and the wallet's, is looked for in what the processes logged, what
clients were told in refusals, what went through Redis, and a plain dump of the database.
"""

import argparse
import asyncio
import base64
import json
import re
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import redis

from tests.e2e.marketplace import Marketplace, running_marketplace
from tests.e2e.people import ADD_WALLET, SIGN_UP, TERMINAL, Person
from tests.e2e.processes import exit_with
from tests.telemetry.collector import Collector, collecting

WITHIN_SECONDS = 60.0
CREATE_KEY = """
mutation { createApiKey(input: {name: "canary", scopes: [READ]}) { secret errors { message } } }
"""
CREATE_ENDPOINT = """
mutation ($url: URL!) {
  createWebhookEndpoint(input: {url: $url, events: ["*"]}) {
    signingSecret errors { message }
  }
}
"""
LOG_IN = "mutation ($input: LogInInput!) { logIn(input: $input) { token errors { message } } }"


@dataclass
class Report:
    """How many secrets were planted, how much was searched, and where one was found."""

    planted: dict[str, int] = field(default_factory=dict)
    searched_bytes: dict[str, int] = field(default_factory=dict)
    hits: list[str] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    lines_with_request_id: int = 0
    # Where the payments' ids are found, which are no secret: the search can find something.
    ids_found_in: list[str] = field(default_factory=list)
    spans_of_payments: dict[str, int] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        return not self.hits

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2)


class Canaries:
    """The secrets, each with the name of what it is."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.payment_ids: list[str] = []

    def plant(self, name: str, *values: str | None) -> None:
        for value in values:
            # The lines of a PEM are looked for one by one: a log may break them.
            for part in (value or "").split("\n"):
                if len(part) >= 8 and not part.startswith("-----"):
                    self.names[part] = name

    def found_in(self, text: str) -> set[str]:
        """The names of those that `text` has."""
        return {name for value, name in self.names.items() if value in text}


def run(*, server_url: str | None) -> Report:
    """Play it once; `server_url` is a PostgreSQL server's, None the embedded form."""
    canaries = Canaries()
    settings = {
        "LOG_LEVEL": "DEBUG",
        "LOG_FORMAT": "json",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "SECRET_KEY_FALLBACKS": secrets.token_urlsafe(48),
        "METRICS_TOKEN": secrets.token_urlsafe(24),
        "ENCRYPTION_KEYS": f"k1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "WEBHOOK_SECRETS": f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}",
        # Payments that wait for a wallet are looked at again soon.
        "LEASE_S": "9",
        "WALLET_BUDGET_S": "4",
    }
    for name in ("SECRET_KEY", "SECRET_KEY_FALLBACKS", "METRICS_TOKEN"):
        canaries.plant(name, settings[name])
    canaries.plant("encryption key", settings["ENCRYPTION_KEYS"].partition(":")[2])
    canaries.plant("webhook secret", settings["WEBHOOK_SECRETS"].removeprefix("whsec_"))
    report = Report()
    with collecting() as collector:
        settings["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.url
        settings["OTEL_BSP_SCHEDULE_DELAY"] = "200"
        places = _play(canaries, report, server_url=server_url, settings=settings)
        places["traces"] = "\n".join(map(str, collector.spans))
        report.spans_of_payments = _spans_of_payments(collector, canaries)
    for place, text in places.items():
        report.searched_bytes[place] = len(text.encode())
        if any(payment_id in text for payment_id in canaries.payment_ids):
            report.ids_found_in.append(place)
        report.hits += [f"{name} in {place}" for name in sorted(canaries.found_in(text))]
    for name in canaries.names.values():
        report.planted[name] = report.planted.get(name, 0) + 1
    report.lines_with_request_id = places["logs"].count('"request_id": ')
    return report


def _play(
    canaries: Canaries, report: Report, *, server_url: str | None, settings: dict[str, str]
) -> dict[str, str]:
    """Everything that can be read afterwards, by where it is."""
    with running_marketplace(server_url=server_url, settings=settings) as market:
        key = Path(market.environment["OP_CLIENT_PRIVATE_KEY_FILE"]).read_text()
        canaries.plant("private key", key)
        with _listening_to_redis(market) as heard:
            answers = asyncio.run(_live(market, canaries, report))
            _plant_what_the_wallet_knows(market.folder / "wallet.sqlite3", canaries)
            time.sleep(1)  # for what is still on its way
        return {
            "logs": "\n".join(
                path.read_text(errors="replace")
                for path in market.folder.glob("*.log")
                # The wallet's own, and Redis' own, are not ours.
                if path.stem not in {"wallet", "redis"}
            ),
            "error answers": "\n".join(answers),
            "Redis": "\n".join(heard),
            "database": _dump(market),
        }


def _spans_of_payments(collector: Collector, canaries: Canaries) -> dict[str, int]:
    """How many spans of each name are in traces that are payments."""
    found: dict[str, int] = {}
    for span in collector.spans:
        if span.trace_id.hex() in canaries.payment_ids:
            found[span.name] = found.get(span.name, 0) + 1
    return dict(sorted(found.items()))


async def _live(market: Marketplace, canaries: Canaries, report: Report) -> list[str]:
    """Everything that happens; the answers to what was refused."""
    refusals: list[str] = []
    async with httpx.AsyncClient(timeout=20) as http:
        person = await _arrive(market, http, canaries)
        report.statuses.append(await _pay(person, canaries))
        report.statuses.append(await _pay(person, canaries, decision="reject"))
        for call, act in (
            ("create-quote", "status_500_text"),
            ("create-outgoing-payment", "reset"),
        ):
            market.tell_wallet("faults", {"call": call, "act": act, "when": "after"})
            report.statuses.append(await _pay(person, canaries))
            market.clear_faults()
        refusals += await _guess(market, http, canaries)
    return refusals


async def _arrive(market: Marketplace, http: httpx.AsyncClient, canaries: Canaries) -> Person:
    password = secrets.token_urlsafe(18)
    account = {"email": "canary@example.com", "password": password, "displayName": "Canary"}
    made = await http.post(market.graphql, json={"query": SIGN_UP, "variables": {"input": account}})
    person = Person(market, http, made.json()["data"]["signUp"]["token"])
    wish = {"address": market.wallet_address("alice"), "makeDefault": True}
    await person.execute(ADD_WALLET, input=wish)
    key = (await person.execute(CREATE_KEY))["createApiKey"]
    # Nobody listens there: deliveries fail, and say so.
    endpoint = await person.execute(CREATE_ENDPOINT, url=f"{market.url}/nowhere")
    made_endpoint = endpoint["createWebhookEndpoint"]
    canaries.plant("password", password)
    canaries.plant("bearer token", person.token)
    canaries.plant("API key", key["secret"])
    canaries.plant("signing secret", (made_endpoint["signingSecret"] or "").removeprefix("whsec_"))
    return person


async def _pay(person: Person, canaries: Canaries, *, decision: str = "accept") -> str:
    """Fund a job and decide at the wallet; the status in which the payment ends."""
    payment_id = await person.fund(await person.publish_job(reward=1250))
    # A global id is base64 of the type and the row's own.
    row_id = base64.b64decode(payment_id + "==").decode().partition(":")[2]
    canaries.payment_ids += [row_id, row_id.replace("-", "")]
    decided: set[str] = set()
    ends_at = time.monotonic() + WITHIN_SECONDS
    while time.monotonic() < ends_at:
        seen = await person.payment(payment_id)
        if seen["status"] in TERMINAL:
            return str(seen["status"])
        grant = seen["grant"]
        if grant and grant["redirectUrl"] and grant["id"] not in decided:
            decided.add(grant["id"])
            await _decide(person, grant["redirectUrl"], decision, canaries)
        await asyncio.sleep(0.2)
    return "not over"


async def _decide(person: Person, redirect_url: str, decision: str, canaries: Canaries) -> None:
    async with httpx.AsyncClient(timeout=20) as browser:
        start = await browser.get(redirect_url)
        canaries.plant("start capability", urlsplit(redirect_url).path.rpartition("/")[2])
        answer = await browser.post(
            f"{person.market.control}/decide",
            json={"redirect": start.headers["location"], "decision": decision},
        )
        finish = answer.json()["location"]
        parts = urlsplit(finish)
        query = parse_qs(parts.query)
        canaries.plant("finish capability", parts.path.rpartition("/")[2])
        canaries.plant("interact_ref", *query.get("interact_ref", ()))
        canaries.plant("interaction hash", *query.get("hash", ()))
        forged = f"{finish.partition('?')[0]}?hash=forged&interact_ref={secrets.token_hex(8)}"
        canaries.plant("interact_ref", forged.rpartition("=")[2])
        await browser.get(forged)
        await browser.get(finish)


async def _guess(market: Marketplace, http: httpx.AsyncClient, canaries: Canaries) -> list[str]:
    """What strangers and the clumsy send, each with a secret in it; the answers."""
    password, token = secrets.token_urlsafe(18), f"faena_{secrets.token_urlsafe(32)}"
    canaries.plant("password", password)
    canaries.plant("bearer token", token)
    wrong = {"email": "canary@example.com", "password": password}
    as_somebody = {"Authorization": f"Bearer {token}"}
    log_in = {"query": LOG_IN, "variables": {"input": wrong}}
    viewer = {"query": "{ viewer { id } }"}
    answers = [
        await http.post(market.graphql, json=log_in),
        await http.post(market.graphql, json=viewer, headers=as_somebody),
        await http.post(market.graphql, content=f'{{"query": "{token}', headers=as_somebody),
        await http.post(market.graphql, json={"query": '{ node(id: "x") { id } '}),
        await http.get(f"{market.url}/op/finish/{token}?interact_ref={password}&hash={password}"),
        await http.get(f"{market.url}/files/{token}"),
        await http.get(f"{market.url}/exports/{token}"),
        await http.get(f"{market.url}/nowhere/{token}?access_token={password}"),
        await http.get(f"{market.url}/metrics", headers=as_somebody),
        await http.post(
            f"{market.url}/api/webhooks/payments",
            json={"type": "payment"},
            headers={"webhook-signature": f"v1,{password}", "webhook-id": "1"},
        ),
    ]
    # Django's pages of DEBUG repeat the request to who sent it: those are not what production says.
    return [answer.text for answer in answers if "DEBUG = True" not in answer.text]


@contextmanager
def _listening_to_redis(market: Marketplace) -> Iterator[list[str]]:
    """Everything that any process says to Redis meanwhile, and all that is there at the end."""
    heard: list[str] = []
    url = market.environment.get("REDIS_URL")
    if not url:
        yield heard
        return
    stopping = threading.Event()

    def listen() -> None:
        with redis.Redis.from_url(url, socket_timeout=0.5) as client, client.monitor() as monitor:
            while not stopping.is_set():
                try:
                    heard.append(_readable(str(monitor.next_command()["command"])))
                except (redis.TimeoutError, redis.RedisError):
                    continue

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield heard
    finally:
        stopping.set()
        thread.join()
        with redis.Redis.from_url(url) as client:
            for key in client.scan_iter("*"):
                heard.append(f"{key!r} {client.dump(key)!r}")


def _readable(command: str) -> str:
    """A command with what Celery encodes of it decoded: a secret would hide in base64."""
    decoded = [
        base64.b64decode(text).decode(errors="replace")
        for text in re.findall(r'"body\\*": \\*"([A-Za-z0-9+/=]+)', command)
    ]
    return " ".join([command, *decoded])


def _plant_what_the_wallet_knows(file: Path, canaries: Canaries) -> None:
    """Tokens, nonces and references: only the wallet has them in clear."""
    with sqlite3.connect(file) as wallet:
        for (token,) in wallet.execute("SELECT value FROM tokens"):
            canaries.plant("access token", token)
        columns = ("continue_token", "client_nonce", "interact_nonce", "interact_ref")
        for row in wallet.execute(f"SELECT {', '.join(columns)} FROM grants"):
            for name, value in zip(columns, row, strict=True):
                canaries.plant(name.replace("_", " "), value)


def _dump(market: Marketplace) -> str:
    """All rows of all tables, as text."""
    postgresql = market.database.url.startswith("postgres")
    tables = market.database.rows(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        if postgresql
        else "SELECT name FROM sqlite_master WHERE type = 'table'"
    )
    rows: list[Any] = []
    for (table,) in tables:
        rows += [(table, *row) for row in market.database.rows(f'SELECT * FROM "{table}"')]
    return "\n".join(map(str, rows))


def main() -> int:
    """Print the report; 1 if a secret was found anywhere."""
    parser = argparse.ArgumentParser(prog="tests.e2e.canaries", description=__doc__)
    parser.add_argument("--postgresql", metavar="URL", help="of a server; without it, SQLite")
    report = run(server_url=parser.parse_args().postgresql)
    print(report.to_json())
    return 0 if report.passed else 1


if __name__ == "__main__":
    exit_with(main)
