"""The command as operators and programs run it."""

import json
import os
import subprocess
import sys
import threading
import time
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import Settings

from backend.clock import SYSTEM_CLOCK
from backend.doctor.checks import all_checks
from backend.doctor.examining import examine
from backend.doctor.findings import Code, Level
from backend.funding.sellers import register_default_seller
from backend.funding.treasury import register_treasury
from backend.heartbeat import beating
from sandbox_wallet import World
from tests.doctor.world import closed_port, control
from tests.e2e.processes import REPOSITORY
from tests.schema.server import serving


def run(*arguments: str) -> tuple[int, str]:
    said = StringIO()
    try:
        call_command("op_doctor", *arguments, stdout=said)
    except SystemExit as exit:
        return int(exit.code or 0), said.getvalue()
    return 0, said.getvalue()


@pytest.fixture
def _all_well(wallet: World, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    now = SYSTEM_CLOCK.now()
    register_default_seller(now=now)
    register_treasury(now=now)
    monkeypatch.setattr(beating, "_written", {})
    beating.beat(beating.TICK, now=now)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_all_well")
def test_an_installation_that_can_pay_gets_a_line_for_each_check(settings: Settings) -> None:
    with serving() as server:
        settings.PUBLIC_URL = server.http
        code, said = run()

    lines = said.splitlines()
    assert code == 0
    with all_checks(SYSTEM_CLOCK) as checks:
        assert len(lines) == len(checks)
    assert [line for line in lines if not line.startswith("ok")] == [
        line for line in lines if "TREASURY_NOT_APPROVED" in line
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_all_well")
def test_a_problem_is_exit_code_1_and_its_cure_is_said_once(settings: Settings) -> None:
    settings.OP_CLIENT_KEY_ID = "another"

    code, said = run()

    assert code == 1
    assert "[CLIENT_KEY_NOT_PUBLISHED] Register the public key at the wallet" in said


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_all_well")
def test_a_silent_wallet_costs_a_bounded_time_and_only_its_own_checks(wallet: World) -> None:
    rule = {"call": "get-wallet-address", "act": "silence", "seconds": 30, "probability": 1}
    control(wallet, "faults", rule)

    started = time.monotonic()
    code, said = run("--json")

    codes = {each["check"]: each["code"] for each in json.loads(said)["findings"]}
    assert (code, time.monotonic() - started < 7) == (1, True)
    assert codes["wallet_document"] == Code.WALLET_UNREACHABLE
    assert codes["client_key"] == codes["database"] == codes["tick"] == Code.OK


def test_a_check_that_never_ends_and_one_that_breaks_are_findings_too() -> None:
    ended = threading.Event()

    def never() -> str:
        ended.wait(10)
        return "at last"

    def breaks() -> str:
        raise ZeroDivisionError("with a secret")

    never_, broken, well = examine(
        {"never": never, "breaks": breaks, "well": lambda: "All is well."}, seconds=0.3
    )
    ended.set()

    assert (never_.code, never_.level) == (Code.TOOK_TOO_LONG, Level.PROBLEM)
    assert (broken.code, broken.message) == (Code.CHECK_BROKE, "ZeroDivisionError.")
    assert well.code is Code.OK


def test_without_a_database_it_still_says_what_it_can() -> None:
    environment = {
        **os.environ,
        "DEBUG": "1",
        "DATABASE_URL": f"postgres://nobody@127.0.0.1:{closed_port()}/nothing",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "op_doctor", "--json"],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )

    report: dict[str, Any] = json.loads(done.stdout)
    codes = {each["check"]: each["code"] for each in report["findings"]}
    assert (done.returncode, report["status"]) == (1, "problem")
    assert codes["database"] == Code.DATABASE_UNREACHABLE
    assert codes["files"] == Code.OK
