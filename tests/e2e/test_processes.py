"""The long programs of this folder leave nothing behind, also when they are asked to stop."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import SERVER_URL
from tests.e2e.processes import REPOSITORY, START_SECONDS, STOP_SECONDS, python

PROGRAM = ("restarts",) if SERVER_URL else ("kills", "--embedded")
SERVER_LOG = "web.log" if SERVER_URL else "embedded.log"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_program_that_is_asked_to_stop_takes_its_processes_and_files_along(
    number: signal.Signals, tmp_path: Path
) -> None:
    name, *arguments = PROGRAM
    program = subprocess.Popen(
        python("-m", f"tests.e2e.{name}", *arguments),
        cwd=REPOSITORY,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for_its_server(program, tmp_path)
    finally:
        program.send_signal(number)
        program.wait(STOP_SECONDS * 4)

    assert list(tmp_path.iterdir()) == []
    assert _processes_that_know(tmp_path) == []


def _wait_for_its_server(program: "subprocess.Popen[bytes]", folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS * 2
    while not list(folder.glob(f"faena-e2e-*/{SERVER_LOG}")):
        assert program.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)


def _processes_that_know(folder: Path) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            known = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in known:
            found.append(process.name)
    return found
