"""`make up`: the world that a developer works against, and its report var/up.json."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings

from tests.e2e.databases import PostgreSQL
from tests.e2e.processes import REPOSITORY
from tools.world import bare_environment

READY_SECONDS = 150.0
STOP_SECONDS = 25.0
ANY_PORTS = [word for name in ("port", "wallet-port", "web-port") for word in (f"--{name}", "0")]
UP = [sys.executable, "-m", "tools.up", *ANY_PORTS]
Report = dict[str, Any]


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a world of its own, on the services of this run."""
    environment = {**bare_environment(), "VAR_DIR": str(tmp_path / "var")}
    server_url = os.environ.get("DATABASE_URL", "")
    if not (server_url.startswith("postgres") and settings.REDIS_URL):
        yield environment
        return
    database = PostgreSQL(server_url)
    services = {
        "DATABASE_URL": database.url,
        "REDIS_URL": settings.REDIS_URL,
        "REDIS_PREFIX": f"{settings.REDIS_PREFIX}-up",
    }
    try:
        yield {**environment, **services}
    finally:
        database.remove()


def report_path(environment: dict[str, str]) -> Path:
    return Path(environment["VAR_DIR"]) / "up.json"


@contextmanager
def up(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], Report]]:
    """Run `make up`'s program until the body is done, and see that nothing of it remains."""
    process = subprocess.Popen(
        UP,
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process, wait_for_report(process, report_path(environment))
    finally:
        process.terminate()
        try:
            process.communicate(timeout=STOP_SECONDS)
        finally:
            process.kill()


def wait_for_report(process: subprocess.Popen[str], path: Path) -> Report:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if path.exists():
            report: Report = json.loads(path.read_text())
            return report
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.1)
    raise AssertionError("no report in time")


def viewer_of(report: Report, user: str) -> dict[str, Any]:
    answer = httpx.post(
        report["urls"]["graphql"],
        json={"query": "{ viewer { id defaultWallet { address } } }"},
        headers={"Authorization": f"Bearer {report['users'][user]['token']}"},
        trust_env=False,
        timeout=20,
    ).json()
    viewer: dict[str, Any] = answer["data"]["viewer"]
    return viewer


def is_listening(url: str) -> bool:
    address = httpx.URL(url)
    with socket.socket() as probe:
        return probe.connect_ex((address.host, address.port or 0)) == 0


def test_the_report_leads_to_a_world_with_people_who_have_wallets(
    environment: dict[str, str],
) -> None:
    app = Path(environment["VAR_DIR"]) / "web"
    app.mkdir(parents=True)
    (app / "index.html").write_text("the app")
    with up(environment) as (_, report):
        ready = httpx.get(report["urls"]["ready"], trust_env=False, timeout=20)
        shown = httpx.get(f"{report['urls']['app']}/jobs/any", trust_env=False, timeout=20)
        viewers = {user: viewer_of(report, user) for user in report["users"]}

    assert ready.json()["status"] == "ok"
    assert shown.text == "the app"
    assert set(report) == {"urls", "pids", "users", "sandbox", "example"}
    assert set(viewers) == {"funder", "worker", "operator"}
    for user, viewer in viewers.items():
        assert viewer["defaultWallet"]["address"] == report["users"][user]["walletAddress"]
    assert {"base", "wallets", "clients", "control"} <= set(report["sandbox"])


def test_sigterm_ends_every_process_and_takes_the_report_away(
    environment: dict[str, str],
) -> None:
    with up(environment) as (process, report):
        assert process.stdout is not None
        health = next(line for line in process.stdout if "op_doctor" in line)
        mode = report_path(environment).stat().st_mode & 0o777

        process.send_signal(signal.SIGTERM)
        code = process.wait(STOP_SECONDS)

        assert code == 0
        assert "problems: 0" in health
        assert mode == 0o600
        assert not report_path(environment).exists()
        assert not is_listening(report["urls"]["base"])
        assert not is_listening(report["urls"]["wallet"])


def test_a_restart_finds_the_same_world(environment: dict[str, str]) -> None:
    with up(environment) as (_, before):
        who = viewer_of(before, "funder")

    with up(environment) as (_, after):
        assert after["users"] == before["users"]
        assert viewer_of(after, "funder") == who


def test_a_second_one_in_the_same_folder_is_refused(environment: dict[str, str]) -> None:
    with up(environment):
        second = subprocess.run(
            [
                sys.executable,
                "-m",
                "tools.up",
                "--port",
                "0",
                "--wallet-port",
                "0",
                "--web-port",
                "0",
            ],
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    assert second.returncode == 1
    assert "is up already" in second.stderr
