"""The pages that clients paint, against Django views written by hand for the same JSON.

On both databases, each with one server process that answers both ways. Before anything is timed
both ways must have answered alike.
"""

import asyncio
import json
import os
import secrets
import sys
from base64 import b64decode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from bench import processes
from bench.load import Request, answer_to, load
from bench.results import Row
from bench.world import free_port, new_database, wait_until_ready

ROUNDS = 7
WARM_UP_SECONDS = 0.5
SLICE_SECONDS = 0.7
AIM = 0.35

JOBS = """
query Jobs($first: Int!) {
  jobs(first: $first) {
    totalCount
    pageInfo { hasNextPage endCursor }
    edges {
      cursor
      node {
        id title reward { value assetCode assetScale } status fundingAssurance languageTag
        recruitUntil expiresAt workersNeeded recruitLimit owner { id displayName } allowedActions
      }
    }
  }
}
"""
JOB = """
query Job($id: ID!, $first: Int!) {
  job(id: $id) {
    id version title description status languageTag dialect deliverables
    reward { value assetCode assetScale } totalBudget { value assetCode assetScale }
    workersNeeded recruitLimit recruitUntil submitDays reviewDays expiresAt createdAt
    fundingAssurance allowedActions owner { id displayName }
    applications(first: $first) {
      totalCount
      pageInfo { hasNextPage endCursor }
      edges {
        cursor
        node {
          id note status createdAt allowedActions applicant { id displayName }
          submissions(first: 3) {
            edges {
              cursor
              node {
                id revision status submittedAt allowedActions
                accepted { value assetCode assetScale }
              }
            }
          }
        }
      }
    }
  }
}
"""


@dataclass(frozen=True, slots=True)
class Page:
    """One page, asked for in both ways."""

    name: str
    graphql: Request
    hand_written: Request


@dataclass(frozen=True, slots=True)
class Server:
    """A server with a seeded database of its own."""

    host: str
    pid: int
    seeded: dict[str, str]
    environment: dict[str, str]

    def pages(self) -> list[Page]:
        """What is measured."""
        key = b64decode(self.seeded["job"]).decode().partition(":")[2]
        worker, owner = (
            {"Authorization": f"Bearer {self.seeded[who]}"} for who in ("worker", "owner")
        )
        jobs = {"query": JOBS, "variables": {"first": 20}}
        job = {"query": JOB, "variables": {"id": self.seeded["job"], "first": 50}}
        return [
            Page(
                "list of 20 jobs",
                Request.post(self.host, "/graphql", jobs, worker),
                Request.get(self.host, "/bench/jobs", worker),
            ),
            Page(
                "job with 50 applications and their work",
                Request.post(self.host, "/graphql", job, owner),
                Request.get(self.host, f"/bench/jobs/{key}", owner),
            ),
        ]


def measure() -> list[Row]:
    """Both pages on both databases, and where the time of a GraphQL answer goes."""
    rows = []
    for database in ("PostgreSQL", "SQLite"):
        with _serving(database) as server:
            for page in server.pages():
                rows += asyncio.run(_compare(page, database, server.pid))
                rows += _breakdown(page, server)
    return rows


async def _compare(page: Page, database: str, pid: int) -> list[Row]:
    answers = {each: await answer_to(each) for each in (page.graphql, page.hand_written)}
    ours, by_hand = (json.loads(answer) for answer in answers.values())
    if ours != by_hand:
        raise RuntimeError(f"{page.name}: the two ways differ\n{ours}\n{by_hand}")
    for request, expected in answers.items():
        await load(request, expected=expected, seconds=WARM_UP_SECONDS)
    rates: dict[Request, list[float]] = {each: [] for each in answers}
    cpu: dict[Request, list[float]] = {each: [] for each in answers}
    for _ in range(ROUNDS):
        for request, expected in answers.items():
            before = processes.cpu_seconds(pid)
            count = await load(request, expected=expected, seconds=SLICE_SECONDS)
            rates[request].append(count / SLICE_SECONDS)
            cpu[request].append((processes.cpu_seconds(pid) - before) / count * 1000)
    kilobytes = len(answers[page.graphql]) / 1000
    return [
        Row(
            name=f"{page.name}, {database}, {kilobytes:.1f} kB: GraphQL / by hand, throughput",
            unit="/s",
            ours=median(rates[page.graphql]),
            baseline=median(rates[page.hand_written]),
            at_least=AIM,
        ),
        Row(
            name="  CPU of the server per request",
            unit="ms",
            ours=median(cpu[page.graphql]),
            baseline=median(cpu[page.hand_written]),
        ),
    ]


def _breakdown(page: Page, server: Server) -> list[Row]:
    head, _, body = page.graphql.raw.partition(b"\r\n\r\n")
    authorization = next(
        line.partition(b": ")[2] for line in head.splitlines() if line.startswith(b"Authorization")
    )
    environment = {
        **server.environment,
        "BENCH_BODY": body.decode(),
        "BENCH_AUTHORIZATION": authorization.decode(),
    }
    parts = json.loads(processes.run("bench.breakdown", environment=environment))
    total = sum(parts.values())
    return [
        Row(name=f"  one by one: {name} / all", unit="ms", ours=spent, baseline=total)
        for name, spent in parts.items()
    ]


@contextmanager
def _serving(database: str) -> Iterator[Server]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="faena-bench-")))
        port = free_port()
        environment = {
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            "DJANGO_SETTINGS_MODULE": "bench.settings",
            "DEBUG": "1",
            "LOG_LEVEL": "WARNING",
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "ALLOWED_HOSTS": "127.0.0.1",
            "VAR_DIR": str(folder),
            "REDIS_URL": "",
            "DATABASE_URL": stack.enter_context(new_database(f"faena_bench_{secrets.token_hex(4)}"))
            if database == "PostgreSQL"
            else "",
        }
        lenient = {**environment, "DJANGO_SETTINGS_MODULE": "backend.settings"}
        processes.run("django", "migrate", "--verbosity", "0", environment=lenient)
        seeded = json.loads(processes.run("bench.seed_pages", environment=environment))
        log_path = folder / "log"
        process = stack.enter_context(
            processes.running(
                *("uvicorn", "bench.asgi:application", "--port", str(port)),
                *("--no-access-log", "--log-level", "warning"),
                environment=environment,
                log_path=log_path,
            )
        )
        try:
            wait_until_ready(f"http://127.0.0.1:{port}", "/healthz")
            host = urlsplit(f"http://127.0.0.1:{port}").netloc
            yield Server(host, process.pid, seeded, environment)
        except BaseException:
            print(log_path.read_text(errors="replace")[-4000:], file=sys.stderr)
            raise
