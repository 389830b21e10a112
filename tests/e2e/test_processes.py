"""The long programs of this folder leave nothing behind, also when they are asked to stop."""

import os
import signal
import subprocess
import time
from pathlib import Path

from tests.e2e.conftest import SERVER_URL
from tests.e2e.processes import REPOSITORY, START_SECONDS, STOP_SECONDS, python

FORM = ["--database-server", SERVER_URL] if SERVER_URL else ["--embedded"]
# What its server has written into once it runs.
WRITTEN = "web.log" if SERVER_URL else "faena.sqlite3"


def test_a_program_that_is_asked_to_stop_takes_its_processes_and_files_along(
    tmp_path: Path,
) -> None:
    program = subprocess.Popen(
        python("-m", "tests.e2e.kills", *FORM),
        cwd=REPOSITORY,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        preexec_fn=_ignore_ctrl_c,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for_its_server(program, tmp_path)
    finally:
        program.terminate()
        program.wait(STOP_SECONDS * 4)

    assert list(tmp_path.iterdir()) == []
    assert _processes_that_know(tmp_path) == []


def _ignore_ctrl_c() -> None:
    """As a shell does for what it starts with `&`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _wait_for_its_server(program: "subprocess.Popen[bytes]", folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS * 2
    while not any(file.stat().st_size for file in folder.glob(f"faena-e2e-*/{WRITTEN}")):
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
