"""The world under measurement: real processes on PostgreSQL and Redis, and what they cost."""

import asyncio
import json
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import psycopg
import redis
from psycopg import sql

from bench import processes

POSTGRESQL = "postgres://postgres@127.0.0.1:5432/postgres"
REDIS = "redis://127.0.0.1:6379/0"
PEOPLE = 32
JOBS_EACH = 30
WORKER_THREADS = 16
READY_SECONDS = 30.0
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class World:
    """Where everything is. `people` are payers, each with a token and jobs to fund."""

    base_url: str
    sandbox: Json
    people: list[Json]
    pids: Mapping[str, int]
    memory_at_start: Mapping[str, float]
    _bare: "subprocess.Popen[str]"
    _payer: "subprocess.Popen[str]"

    @property
    def control_url(self) -> str:
        """The sandbox's control API."""
        return str(self.sandbox["control"])

    @property
    def bare_pid(self) -> int:
        """The baseline's process."""
        return self._bare.pid

    async def bare(self, **command: Any) -> Json:
        """Have the baseline do something; see bench.bare."""
        return await asyncio.to_thread(_ask, self._bare, command)

    async def payer(self, **command: Any) -> Json:
        """Have owners of jobs do something; see bench.payer."""
        return await asyncio.to_thread(_ask, self._payer, command)

    def cpu_seconds(self) -> dict[str, float]:
        """What each process of ours has used so far."""
        return {name: processes.cpu_seconds(pid) for name, pid in self.pids.items()}

    def memory_mib(self) -> dict[str, float]:
        """What each process of ours holds now."""
        return {name: processes.memory_mib(pid) for name, pid in self.pids.items()}


def _ask(process: "subprocess.Popen[str]", command: Json) -> Json:
    assert process.stdin is not None
    process.stdin.write(f"{json.dumps(command)}\n")
    process.stdin.flush()
    return dict(json.loads(processes.first_line(process, timeout_seconds=90)))


@contextmanager
def open_world() -> Iterator[World]:
    """Start everything, and leave PostgreSQL and Redis as they were found."""
    name = f"faena_bench_{secrets.token_hex(4)}"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="faena-bench-")))
        database_url = stack.enter_context(new_database(name))
        redis_url = os.environ.get("REDIS_URL") or REDIS
        stack.enter_context(_redis_prefix(redis_url, name))
        log_path = folder / "log"
        try:
            yield _start(stack, folder, log_path, name, database_url, redis_url)
        except BaseException:
            print(log_path.read_text(errors="replace")[-4000:] if log_path.exists() else "")
            raise


def _start(
    stack: ExitStack, folder: Path, log_path: Path, name: str, database_url: str, redis_url: str
) -> World:
    plain = {**os.environ, "PYTHONUNBUFFERED": "1"}

    def start(*command: str, environment: Mapping[str, str]) -> "subprocess.Popen[str]":
        return stack.enter_context(
            processes.running(*command, environment=environment, log_path=log_path)
        )

    sandbox_process = start(
        "sandbox_wallet", "--port", "0", "--db", str(folder / "sandbox"), environment=plain
    )
    sandbox = json.loads(processes.first_line(sandbox_process, timeout_seconds=READY_SECONDS))
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    environment = {
        **plain,
        **_product_environment(sandbox, base_url),
        "VAR_DIR": str(folder),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "REDIS_PREFIX": name,
    }
    # Migrations refuse what production must not have, and this is not production.
    lenient = {**environment, "DJANGO_SETTINGS_MODULE": "backend.settings"}
    processes.run("django", "migrate", "--verbosity", "0", environment=lenient)
    people = json.loads(
        processes.run(
            *("bench.seed", "--people", str(PEOPLE), "--jobs-each", str(JOBS_EACH)),
            *("--wallet-address", sandbox["wallets"]["alice"]["walletAddress"]),
            environment=environment,
        )
    )
    celery = ("celery", "-A", "celery_app")
    web = start(
        *("uvicorn", "bench.asgi:application", "--port", str(port)),
        *("--no-access-log", "--log-level", "warning", "--ws-per-message-deflate", "false"),
        environment=environment,
    )
    worker = start(
        *celery,
        *("worker", "--pool", "threads", "--concurrency", str(WORKER_THREADS)),
        *("--without-gossip", "--without-mingle", "--loglevel", "WARNING"),
        environment=environment,
    )
    beat = start(
        *celery,
        *("beat", "--schedule", str(folder / "beat"), "--loglevel", "WARNING"),
        environment=environment,
    )
    client = sandbox["clients"]["platform"]
    bare = start(
        *("bench.bare", "--client", client["walletAddress"], "--key-id", client["keyId"]),
        *("--key-path", client["privateKeyPath"]),
        *("--sender", sandbox["wallets"]["alice"]["walletAddress"]),
        *("--receiver", sandbox["wallets"]["shop"]["walletAddress"]),
        environment=plain,
    )
    payer = start(
        "bench.payer",
        "--wallets",
        *(sandbox["wallets"][name]["walletAddress"] for name in ("alice", "shop")),
        environment=environment,
    )
    wait_until_ready(base_url)
    pids = {"web": web.pid, "worker": worker.pid, "beat": beat.pid}
    memory = {name: processes.memory_mib(pid) for name, pid in pids.items()}
    return World(base_url, sandbox, people, pids, memory, bare, payer)


def _product_environment(sandbox: Json, base_url: str) -> dict[str, str]:
    client = sandbox["clients"]["platform"]
    return {
        "DJANGO_SETTINGS_MODULE": "bench.settings",
        "DEBUG": "1",
        "LOG_LEVEL": "WARNING",
        "PUBLIC_URL": base_url,
        "ALLOWED_HOSTS": "127.0.0.1",
        "OP_CLIENT_WALLET_ADDRESS": client["walletAddress"],
        "OP_CLIENT_KEY_ID": client["keyId"],
        "OP_CLIENT_PRIVATE_KEY_FILE": client["privateKeyPath"],
        "OP_DEV_ORIGINS": sandbox["base"],
        "SELLER_WALLET_ADDRESS_URL": sandbox["wallets"]["shop"]["walletAddress"],
    }


@contextmanager
def new_database(name: str) -> Iterator[str]:
    """The URL of a PostgreSQL database that is dropped again."""
    server = os.environ.get("DATABASE_URL") or POSTGRESQL
    parts = urlsplit(server)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield urlunsplit(parts._replace(path=f"/{name}"))
        finally:
            drop = "DROP DATABASE {} WITH (FORCE)"
            connection.execute(sql.SQL(drop).format(sql.Identifier(name)))


@contextmanager
def _redis_prefix(url: str, prefix: str) -> Iterator[None]:
    with redis.Redis.from_url(url) as client:
        client.ping()
        try:
            yield
        finally:
            for key in client.scan_iter(f"*{prefix}*"):
                client.delete(key)


def free_port() -> int:
    """A port of the loopback that nobody uses yet."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def wait_until_ready(base_url: str, path: str = "/readyz") -> None:
    """Wait for the server's first good answer.

    Raises:
        RuntimeError: it did not come in time.
    """
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{base_url}{path}", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise RuntimeError("the server did not become ready")
