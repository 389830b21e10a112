"""Finding work among a million jobs, against the same among a thousand.

Two databases of our own, each behind a server process; the same requests go to both in turns, one
at a time. Every page asks for totalCount too. A page of twenty jobs costs more than an empty one
wherever it is read: where a thousand jobs fill less of a page, what as many rows cost more there
(the median of that, for any jobs) is added to the baseline.
"""

import http.client
import json
import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

from bench import processes
from bench.results import Row, percentile
from bench.world import free_port, new_database, wait_until_ready

FEW, MANY = 1_000, 1_000_000
SEEDING_SECONDS = 900
WARM_UPS = 3
SAMPLES = 60
AIM = 1.5

LIST = """
query ($filter: JobFilter, $order: JobOrder, $first: Int, $last: Int) {
  jobs(first: $first, last: $last, filter: $filter, orderBy: $order) {
    totalCount
    totalCountIsExact
    pageInfo { hasNextPage endCursor }
    edges {
      cursor
      node {
        id title reward { value assetCode assetScale } status fundingAssurance languageTag
        recruitUntil workersNeeded owner { id displayName } allowedActions
      }
    }
  }
}
"""
JOB = """
query ($id: ID!) {
  job(id: $id) {
    id version title description status languageTag deliverables recruitUntil expiresAt
    reward { value assetCode assetScale } totalBudget { value assetCode assetScale }
    fundingAssurance allowedActions owner { id displayName }
    applications(first: 20) { totalCount edges { node { id status } } }
  }
}
"""
Request = tuple[str | None, dict[str, Any]]
RECRUITING = {"status": ["RECRUITING"]}
IN_USD = {"rewardMin": {"value": "0", "assetCode": "USD", "assetScale": 2}}
WELL_PAID = {"rewardMin": {"value": "50000", "assetCode": "MXN", "assetScale": 2}}


@dataclass(frozen=True, slots=True)
class Server:
    """A server with a seeded database of its own."""

    port: int
    seeded: dict[str, str]


def measure() -> list[Row]:
    """p50 and p95 of each request on the large database, against those on the small one."""
    with serving(FEW) as few, serving(MANY) as many:
        rows: list[Row] = []
        for name, few_asks, many_asks in zip(
            requests(few), requests(few).values(), requests(many).values(), strict=True
        ):
            small, large = compare(few, few_asks, many, many_asks)
            for part, at_most in ((0.5, None), (0.95, AIM)):
                rows.append(
                    Row(
                        name=f"{name}: 1M jobs / 1k jobs, p{part * 100:.0f}",
                        unit="ms",
                        ours=percentile(large, part),
                        baseline=percentile(small, part),
                        at_most=at_most,
                    )
                )
        return rows


def compare(few: Server, few_asks: Request, many: Server, many_asks: Request) -> list[list[float]]:
    """Milliseconds of each sample: on the small database, as if it found as much, and the large."""
    here, there = Asker(few, *few_asks), Asker(many, *many_asks)
    small, large = _timed(here, there)
    who, _body = few_asks
    if (less := here.rows()) < (more := there.rows()):
        less_times, more_times = _timed(*(Asker(few, who, _any(rows)) for rows in (less, more)))
        extra = percentile(more_times, 0.5) - percentile(less_times, 0.5)
        small = [each + extra for each in small]
    return [small, large]


def _any(rows: int) -> dict[str, Any]:
    nothing = {"languageTag": "xx"}
    return {
        "query": LIST,
        "variables": {"first": rows or 20, "filter": None if rows else nothing},
    }


def requests(server: Server) -> dict[str, Request]:
    """Who asks and the request's body, by name."""
    told = server.seeded
    worker, owner = told["worker"], told["owner"]
    common, usual, rare = (told[f"word {rank}"] for rank in (5, 50, 5000))
    asked: dict[str, Request] = {
        "a job": (worker, {"query": JOB, "variables": {"id": told["job"]}})
    }

    def ask(
        name: str, who: str | None, filter: dict[str, Any], order: str = "NEWEST", **page: Any
    ) -> None:
        variables = {"filter": filter, "order": order, **(page or {"first": 20})}
        asked[name] = (who, {"query": LIST, "variables": variables})

    ask("everything", None, {})
    ask("everything, the last page", None, {}, last=20)
    ask("recruiting", None, RECRUITING)
    ask("recruiting, without those applied to", worker, {**RECRUITING, "hideApplied": True})
    ask("recruiting, paid", None, {**RECRUITING, "assurance": ["PAID"]})
    ask("recruiting, unpaid", None, {**RECRUITING, "assurance": ["NONE"]})
    ask("recruiting, in a common language", None, {**RECRUITING, "languageTag": "es"})
    ask("recruiting, in a rare language", None, {**RECRUITING, "languageTag": "qc"})
    ask("recruiting, in a region", None, {**RECRUITING, "languageTag": "es-419"})
    ask("recruiting, audio", None, {**RECRUITING, "deliverable": "AUDIO"})
    ask("recruiting, well paid", None, {**RECRUITING, **WELL_PAID})
    ask("recruiting, a common word", None, {**RECRUITING, "text": common})
    ask("recruiting, two words", None, {**RECRUITING, "text": f"{common} {usual}"})
    ask("recruiting, by deadline", None, RECRUITING, "DEADLINE")
    ask("recruiting, by reward", None, {**RECRUITING, **IN_USD}, "REWARD")
    ask("recruiting, by relevance", None, {**RECRUITING, "text": common}, "RELEVANCE")
    everything = {
        **RECRUITING,
        **IN_USD,
        "languageTag": "es",
        "deliverable": "AUDIO",
        "text": usual,
        "assurance": ["NONE"],
        "hideApplied": True,
    }
    for order in ("NEWEST", "DEADLINE", "REWARD", "RELEVANCE"):
        ask(f"recruiting, every filter, {order}", worker, everything, order)
    ask("complete", None, {"status": ["COMPLETE"]})
    ask("complete or expired", None, {"status": ["COMPLETE", "EXPIRED"]})
    ask("a common language", None, {"languageTag": "es"})
    ask("a rare language", None, {"languageTag": "qc"})
    ask("a very rare region", None, {"languageTag": "es-GQ"})
    ask("video", None, {"deliverable": "VIDEO"})
    ask("well paid", None, WELL_PAID)
    ask("by deadline", None, {}, "DEADLINE")
    ask("by reward", None, IN_USD, "REWARD")
    ask("paid", None, {"assurance": ["PAID"]})
    ask("mine", owner, {"mine": True})
    ask("a word in half of all jobs", None, {"text": common})
    ask("a word in 1 of 15", None, {"text": usual})
    ask("a word in 1 of 1000", None, {"text": rare})
    ask("a beginning of words", None, {"text": rare[:4]})
    ask("two common words that never meet", None, {"text": f"{told['even']} {told['odd']}"})
    ask("a word in old jobs only", None, {"text": told["bygone"]})
    ask("a word in half of all jobs, RELEVANCE", None, {"text": common}, "RELEVANCE")
    ask("a word in 1 of 15, RELEVANCE", None, {"text": usual}, "RELEVANCE")
    ask("a word in 1 of 1000, RELEVANCE", None, {"text": rare}, "RELEVANCE")
    ask("a word in half of all jobs, REWARD", None, {**IN_USD, "text": common}, "REWARD")
    ask("a word in 1 of 1000, REWARD", None, {**IN_USD, "text": rare}, "REWARD")
    return asked


class Asker:
    """One request over one connection, again and again."""

    def __init__(self, server: Server, token: str | None, body: dict[str, Any]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self._body = json.dumps(body).encode()
        self._headers = {"Content-Type": "application/json"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"

    def rows(self) -> int:
        """How many jobs the answer has."""
        return self._answer().count(b'"cursor"')

    def ask(self) -> float:
        """Milliseconds until the answer was read."""
        began = time.perf_counter()
        self._answer()
        return (time.perf_counter() - began) * 1000

    def _answer(self) -> bytes:
        self._connection.request("POST", "/graphql", self._body, self._headers)
        answer = self._connection.getresponse().read()
        assert b'"errors"' not in answer, answer
        return answer


def _timed(*askers: Asker) -> list[list[float]]:
    for asker in askers:
        for _ in range(WARM_UPS):
            asker.ask()
    times: list[list[float]] = [[] for _ in askers]
    for _ in range(SAMPLES):
        for asker, its_times in zip(askers, times, strict=True):
            its_times.append(asker.ask())
    return times


@contextmanager
def serving(jobs: int) -> Iterator[Server]:
    """A server with so many jobs in a database of its own, dropped in the end."""
    with ExitStack() as stack:
        name = f"faena_bench_{secrets.token_hex(4)}"
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
            "DATABASE_URL": stack.enter_context(new_database(name)),
        }
        with psycopg.connect(environment["DATABASE_URL"], autocommit=True) as connection:
            # As docs/finding-work.md has it: the default is for disks that spin.
            connection.execute(f"ALTER DATABASE {name} SET random_page_cost = 1.1")
        lenient = {**environment, "DJANGO_SETTINGS_MODULE": "backend.settings"}
        processes.run("django", "migrate", "--verbosity", "0", environment=lenient)
        print(f"  {jobs} jobs …", file=sys.stderr)
        seeded = processes.run(
            *("bench.seed_jobs", "--jobs", str(jobs)),
            environment=environment,
            timeout_seconds=SEEDING_SECONDS,
        )
        log_path = folder / "log"
        stack.enter_context(
            processes.running(
                *("uvicorn", "bench.asgi:application", "--port", str(port)),
                *("--no-access-log", "--log-level", "warning"),
                environment=environment,
                log_path=log_path,
            )
        )
        try:
            wait_until_ready(f"http://127.0.0.1:{port}", "/healthz")
            yield Server(port, json.loads(seeded))
        except BaseException:
            print(log_path.read_text(errors="replace")[-4000:], file=sys.stderr)
            raise
