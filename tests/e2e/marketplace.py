"""A whole marketplace in processes of its own: wallet, web, worker, beat, Redis and a database.

In production's form everything is a process and talks over PostgreSQL and a Redis of its own,
which may therefore be killed; in the embedded form one process does it all over SQLite.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from honcho.environ import parse_procfile

from tests.e2e.databases import Database, PostgreSQL, SQLite
from tests.e2e.processes import REPOSITORY, START_SECONDS, Process, free_port, python, run

SELLER = "shop"
# What a process of the Procfile writes once it can be used.
READY = {"web": "Uvicorn running", "worker": "ready\\."}
# The first releases kept Celery from saying more than what it would listen to.
_WORKER_OF_BEFORE = "exchange="
# tests.environment and a developer's shell say things that are not meant for these processes.
_FOREIGN = ("BROKER_URL", "REDIS_URL", "REDIS_PREFIX", "DATABASE_URL", "VAR_DIR", "RETURN_URLS")


@dataclass
class Marketplace:
    """What runs, and where. `worker`, `beat` and `redis` are None in the embedded form."""

    folder: Path
    database: Database
    url: str
    wallets: Mapping[str, Mapping[str, Any]]
    control: str
    environment: dict[str, str]
    web: Process
    # Where the release lies that runs.
    code: Path = REPOSITORY
    worker: Process | None = None
    beat: Process | None = None
    redis: Process | None = None
    others: list[Process] = field(default_factory=list)

    @property
    def graphql(self) -> str:
        return f"{self.url}/graphql"

    @property
    def socket(self) -> str:
        return f"{self.graphql.replace('http', 'ws', 1)}"

    @property
    def return_url(self) -> str:
        """Where browsers come out after consent: an address of our own that always answers."""
        return f"{self.url}/healthz"

    def wallet_address(self, name: str) -> str:
        return str(self.wallets[name]["walletAddress"])

    def tell_wallet(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Use the sandbox's control API."""
        answer = httpx.post(f"{self.control}/{path}", json=body, timeout=20)
        answer.raise_for_status()
        return dict(answer.json())

    def clear_faults(self) -> None:
        """Let the wallet behave from now on."""
        httpx.delete(f"{self.control}/faults", timeout=20).raise_for_status()

    def ask_wallet(self, path: str) -> dict[str, Any]:
        """Read from the sandbox's control API."""
        answer = httpx.get(f"{self.control}/{path}", timeout=20)
        answer.raise_for_status()
        return dict(answer.json())

    def process(self, name: str, *arguments: str, ready: str | None = None) -> Process:
        """A Python program beside the others, not started; stopped when the marketplace ends."""
        return self.command(name, python(*arguments), ready=ready)

    def command(
        self,
        name: str,
        command: list[str],
        *,
        ready: str | None = None,
        code: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> Process:
        """Any program, likewise; of the release in `code` where another than ours is meant."""
        made = Process(
            name,
            command,
            environment={**self.environment, **(settings or {})},
            log_file=self.folder / f"{name}.log",
            ready=ready,
            code=code or self.code,
        )
        self.others.append(made)
        return made


@contextmanager
def running_marketplace(
    *,
    server_url: str | None,
    pool: str = "threads",
    settings: Mapping[str, str] | None = None,
    by_runner: bool = False,
    code: Path = REPOSITORY,
) -> Iterator[Marketplace]:
    """Run one until the block ends, then leave no process, database or file behind.

    `server_url` is a PostgreSQL server's; None is the embedded form. `pool` is Celery's.
    `settings` go into the environment of every process. `by_runner` starts the Procfile's lines as
    people do, each by a runner of its own; killing that would leave them behind. `code` is where
    the release lies that is run.
    """
    folder = Path(tempfile.mkdtemp(prefix="faena-e2e-"))
    started: list[Process] = []
    others: list[Process] = []
    database: Database | None = None
    try:
        database = PostgreSQL(server_url) if server_url else SQLite(folder)
        market = _configure(folder, database, started, settings or {})
        market.code, market.others = code, others
        if server_url:
            by_shell = partial(line_of, code)
            _start_production(market, started, pool, _by_runner if by_runner else by_shell)
        else:
            _start_embedded(market, started)
        _wait_for_seller(market)
        yield market
    finally:
        for process in reversed([*started, *others]):
            process.stop()
        if database is not None:
            database.remove()
        shutil.rmtree(folder, ignore_errors=True)


def _configure(
    folder: Path, database: Database, started: list[Process], settings: Mapping[str, str]
) -> Marketplace:
    plain = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    sandbox = _start_sandbox(folder, started, plain)
    base, client = sandbox["base"], sandbox["clients"]["platform"]
    url = f"http://127.0.0.1:{free_port()}"
    environment = {
        **plain,
        "DEBUG": "1",
        "DJANGO_SETTINGS_MODULE": "backend.settings",
        "PUBLIC_URL": url,
        "DATABASE_URL": database.url,
        "DATABASE_POOL_SIZE": "10",
        "VAR_DIR": str(folder),
        "LOG_LEVEL": "INFO",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), plain["PATH"]]),
        "PORT": url.rpartition(":")[2],
        "OP_CLIENT_WALLET_ADDRESS": client["walletAddress"],
        "OP_CLIENT_KEY_ID": client["keyId"],
        "OP_CLIENT_PRIVATE_KEY_FILE": client["privateKeyPath"],
        "OP_DEV_ORIGINS": base,
        "SELLER_WALLET_ADDRESS_URL": sandbox["wallets"][SELLER]["walletAddress"],
        "TREASURY_WALLET_ADDRESS_URL": sandbox["wallets"]["treasury"]["walletAddress"],
        **settings,
    }
    market = Marketplace(
        folder=folder,
        database=database,
        url=url,
        wallets=sandbox["wallets"],
        control=sandbox["control"],
        environment=environment,
        web=started[0],
    )
    return market


def _start_sandbox(folder: Path, started: list[Process], plain: dict[str, str]) -> dict[str, Any]:
    wallet = Process(
        "wallet",
        python("-m", "sandbox_wallet", "--port", "0", "--db", str(folder / "wallet.sqlite3")),
        environment=plain,
        log_file=folder / "wallet.log",
        ready=r'\{"base".*\}\n',
    )
    started.append(wallet)
    wallet.start()
    wallet.wait_until_ready()
    line = next(line for line in wallet.said().splitlines() if line.startswith('{"base"'))
    return dict(json.loads(line))


def _wait_for_seller(market: Marketplace) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not market.database.rows("SELECT 1 FROM funding_seller"):
        assert time.monotonic() < deadline, "the default seller was not registered"
        time.sleep(0.1)


def _start_embedded(market: Marketplace, started: list[Process]) -> None:
    port = market.url.rpartition(":")[2]
    market.web = market.process(
        "embedded", "-m", "backend.embedded", "--port", port, ready='"base"'
    )
    started.append(market.web)
    market.web.start()
    market.web.wait_until_ready()


def _start_production(
    market: Marketplace, started: list[Process], pool: str, line: Callable[[str], list[str]]
) -> None:
    redis_port = str(free_port())
    market.redis = Process(
        "redis",
        # Nothing on disk: a killed one comes back empty.
        ["redis-server", "--port", redis_port, "--save", "", "--appendonly", "no"],
        environment=dict(os.environ),
        log_file=market.folder / "redis.log",
        ready="Ready to accept connections",
    )
    market.environment["REDIS_URL"] = f"redis://127.0.0.1:{redis_port}/0"
    run(line_of(market.code, "release"), environment=market.environment, code=market.code)
    market.web = market.command("web", line("web"), ready=READY["web"])
    worker = line("worker")
    if pool != "threads":
        worker = [*line_of(market.code, "worker"), "--pool", pool, "-c", "2"]
    says_ready = READY["worker"] if market.code == REPOSITORY else _WORKER_OF_BEFORE
    market.worker = market.command("worker", worker, ready=says_ready)
    market.beat = market.command("beat", line("beat"))
    everything = [market.redis, market.web, market.worker, market.beat]
    started.extend(everything)
    for process in everything:
        process.start()
    for process in everything:
        process.wait_until_ready()


def line_of(code: Path, name: str) -> list[str]:
    """A line of that release's Procfile, without a shell that stays between us and the program."""
    procfile = code / "Procfile"
    if not procfile.exists():
        # The first ones had none, and were started like this.
        procfile = REPOSITORY / "Procfile"
    line = parse_procfile(procfile.read_text()).processes[name]
    return ["/bin/sh", "-c", f'exec {line} "$@"', name]


def _by_runner(name: str) -> list[str]:
    # Not with a developer's own .env.
    return python("-m", "tools.procfile", "--env", os.devnull, "start", name)
