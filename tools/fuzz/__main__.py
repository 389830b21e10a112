"""`python -m tools.fuzz --minutes 10`: exits 0 when no answer was an error of the server.

The real server runs beside a sandbox wallet, on a database of its own that is removed afterwards:
SQLite, or a new one on the PostgreSQL server that --database points to.
"""

import argparse
import os
import re
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import django
import httpx
import psycopg
from psycopg import sql

from tools.fuzz.run import Report, fuzz
from tools.processes import NotStarted
from tools.world import FUNDER, World, bare_environment

SHOWN_FAULTS = 10
# A document that breaks the schema is refused before anything of ours runs: a few are enough.
MODES = ("all", "positive", "positive", "positive")
# What the server logs of what it did not foresee.
FAULT_IN_LOG = re.compile(r"^Traceback|\bERROR\b|\bCRITICAL\b", re.MULTILINE)


def main() -> int:
    """Run, and say what was asked and what came back."""
    arguments = _arguments()
    # Who is asked to stop leaves no process and no database behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    database = _new_database(arguments.database) if arguments.database else nullcontext("")
    with tempfile.TemporaryDirectory(prefix="faena-fuzz-") as folder, database as database_url:
        return _run(arguments, Path(folder), database_url)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--database", help="postgres://… of a server; without it SQLite")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
    parser.add_argument("--workers", type=int, default=4, help="who ask at the same time")
    parser.add_argument("--examples", type=int, default=10, help="in a row, of each operation")
    return parser.parse_args()


def _run(arguments: argparse.Namespace, folder: Path, database_url: str) -> int:
    environment = {**bare_environment(), "DEBUG": "1", "VAR_DIR": str(folder)}
    if database_url:
        environment["DATABASE_URL"] = database_url
    world = World(var_dir=folder, environment=environment, port=0, wallet_port=0)
    started = time.monotonic()
    try:
        world.start()
        report = _fuzz(arguments, world, environment)
    except NotStarted as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        world.stop()
    log = (folder / "log" / "server.log").read_text(errors="replace")
    return _tell(report, log, seconds=time.monotonic() - started, seed=arguments.seed)


def _fuzz(arguments: argparse.Namespace, world: World, environment: dict[str, str]) -> Report:
    # This process writes sessions and people into the server's database.
    os.environ.update({**environment, "DJANGO_SETTINGS_MODULE": "backend.settings"})
    django.setup()
    from tools.fuzz.people import People

    address = world.sandbox["wallets"][FUNDER.wallet]["walletAddress"]
    people = People(wallet=httpx.get(address).json(), seed=arguments.seed)
    return fuzz(
        url=f"{world.base_url}/graphql",
        askers=people,
        ids=people.begin(),
        seed=arguments.seed,
        examples=arguments.examples,
        modes=MODES,
        workers=arguments.workers,
        seconds=round(arguments.minutes * 60),
        wallet_address=address,
    )


def _tell(report: Report, log: str, *, seconds: float, seed: int) -> int:
    answers = ", ".join(f"{code} {count}" for code, count in report.answers.most_common())
    silent = sorted(set(report.asked) - report.went_through)
    logged = len(FAULT_IN_LOG.findall(log))
    for fault in report.faults[:SHOWN_FAULTS]:
        print(f"\n{fault.operation}: HTTP {fault.status}\n{fault.document}\n{fault.answer}")
    print(
        f"\n{report.asked.total()} requests of {len(report.asked)} operations in {seconds:.0f} s, "
        f"seed {seed}\nanswers: {answers}\nnever went through: {', '.join(silent) or 'none'}\n"
        f"schemathesis: {', '.join(report.troubles) or 'no trouble'}\n"
        f"errors of the server: {len(report.faults)} answers, {logged} in its log"
    )
    if logged:
        print(log[-20_000:])
    return 1 if report.faults or logged or report.troubles or not report.went_through else 0


@contextmanager
def _new_database(server_url: str) -> Iterator[str]:
    """The URL of a PostgreSQL database that is dropped again."""
    name = f"faena_fuzz_{secrets.token_hex(4)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
        finally:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
            connection.execute(drop.format(sql.Identifier(name)))


if __name__ == "__main__":
    sys.exit(main())
