"""`make test`: pytest twice, embedded and on PostgreSQL with Redis, and a plain word on what ran.

The second run needs both to answer, at DATABASE_URL and REDIS_URL or on localhost. On a machine
without them, or without Node, the rest is tested and said so; with CI=true that is an error.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
import redis

from tools.processes import ROOT

DATABASE_URL = os.environ.get("DATABASE_URL") or "postgres://postgres@127.0.0.1:5432/postgres"
REDIS_URL = os.environ.get("REDIS_URL") or "redis://127.0.0.1:6379/0"
ANSWER_SECONDS = 3
# With packages that `make node` installs.
NODE_FOLDERS = (
    *("tests/conformance", "tools/graphiql", "tools/site"),
    *("clients/typescript", "examples/web"),
)
IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}
# One more than two cores: tests of whole processes, and all of them with services, wait a lot.
WORKERS = "3"
# Parts of a simulation lie side by side and take long: whoever has nothing left takes some of them.
# Handed out one at a time, three workers would set up what a file of tests shares three times.
SHARING = ("--dist", "worksteal")
SERVICES = ("DATABASE_URL", "REDIS_URL", "BROKER_URL")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# These never touch our database or Redis, or ask of them what both do alike: once is enough.
ONCE = (
    *("conformance", "docs", "guide", "open_payments", "outbound", "profiles", "sandbox"),
    *("rafiki", "sandbox_wallet", "telemetry", "tools", "schema/permissions"),
    *(f"schema/test_{name}.py" for name in ("audit", "execution", "graphiql", "guard", "http")),
    *("schema/test_schema_file.py", "schema/test_slow_readers.py"),
    *(f"e2e/test_{name}.py" for name in ("demo", "graphiql", "guide", "webhooks")),
    *("files/test_contract.py", "files/test_large_upload.py", "receipts/test_command.py"),
    *(f"test_{name}.py" for name in ("deployment", "languages", "locales", "web_surface")),
)
# How much is played, by default and in CI: cells of the crash matrix, random histories of a payment
# and those of a whole job. PostgreSQL takes twice as long for each.
EMBEDDED_SIMULATIONS = ("300", "40", "1000") if IN_CI else ("150", "30", "8")
SERVICES_SIMULATIONS = ("120", "20", "8") if IN_CI else ("60", "20", "8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of pytest and the line it closed with."""

    name: str
    passed: bool
    closing_line: str


def main() -> int:
    """Run what can be run here; 0 only if all of it passed, and with CI=true all was run."""
    missing = [*_missing_services(), *_missing_packages()]
    if IN_CI and missing:
        print("CI=true, so nothing may be left out:", *missing, sep="\n  ", file=sys.stderr)
        return 1
    own = {name: value for name, value in os.environ.items() if name not in SERVICES}
    environment = {**_simulations(EMBEDDED_SIMULATIONS), **own}
    name = "embedded (SQLite, in-memory broker)"
    runs = [_run(name, environment)]
    if not _missing_services():
        services = {"DATABASE_URL": DATABASE_URL, "REDIS_URL": REDIS_URL}
        once = [f"--ignore=tests/{folder}" for folder in ONCE]
        environment = {**_simulations(SERVICES_SIMULATIONS), **own, **services}
        name = "PostgreSQL and Redis"
        runs.append(_run(name, environment, *once))
    print("\nmake test")
    for run in runs:
        print(f"  {'passed' if run.passed else 'FAILED'}  {run.name}: {run.closing_line}")
    for what in missing:
        print(f"  not run: {what}")
    return 0 if all(run.passed for run in runs) else 1


def _missing_services() -> list[str]:
    silent = []
    try:
        psycopg.connect(DATABASE_URL, connect_timeout=ANSWER_SECONDS).close()
    except psycopg.Error:
        silent.append("PostgreSQL does not answer (DATABASE_URL)")
    try:
        redis.Redis.from_url(REDIS_URL, socket_connect_timeout=ANSWER_SECONDS).ping()
    except redis.RedisError:
        silent.append("Redis does not answer (REDIS_URL)")
    if not silent:
        return []
    return [f"the run on PostgreSQL and Redis: {', '.join(silent)}"]


def _missing_packages() -> list[str]:
    missing = []
    installed = [(ROOT / folder / "node_modules").is_dir() for folder in NODE_FOLDERS]
    if not (shutil.which("node") and all(installed)):
        missing.append("the tests against packages from npm: they need Node and `make node`")
    if not any(map(shutil.which, BROWSERS)):
        missing.append("the tests in a browser: they need Chromium")
    return missing


def _simulations(sizes: tuple[str, str, str]) -> dict[str, str]:
    cases, histories, jobs = sizes
    return {
        "SIMULATION_CASES": cases,
        "SIMULATION_SEEDS": histories,
        "MARKET_SEEDS": jobs,
        "SIMULATION_SEED": "20260601",
    }


def _run(name: str, environment: Mapping[str, str], *options: str) -> Run:
    print(
        f"\n=== {name}; simulation: {environment['SIMULATION_CASES']} cases of the crash matrix, "
        f"{environment['SIMULATION_SEEDS']} histories of a payment, {environment['MARKET_SEEDS']} "
        f"of a whole job, seed {environment['SIMULATION_SEED']}\n",
        flush=True,
    )
    command = [sys.executable, "-m", "pytest", "-q", "-n", WORKERS, *SHARING]
    if sys.stdout.isatty():
        command.append("--color=yes")
    process = subprocess.Popen(  # noqa: S603 - the command is ours
        [*command, *options, *sys.argv[1:]],
        cwd=ROOT,
        env={**environment, "DEBUG": "1"},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    tail = b""
    # Not by lines: pytest's dots are one long line, and people want to see them come.
    while chunk := os.read(process.stdout.fileno(), 65_536):
        os.write(sys.stdout.fileno(), chunk)
        tail = (tail + chunk)[-4_096:]
    lines = tail.decode(errors="replace").strip().splitlines()
    closing_line = lines[-1].strip("= ") if lines else "no output"
    return Run(name=name, passed=process.wait() == 0, closing_line=closing_line)


if __name__ == "__main__":
    sys.exit(main())
