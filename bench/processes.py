"""Child processes: started, heard, measured and ended by their own number."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
STOP_SECONDS = 8.0
LONGEST_RUN_SECONDS = 120.0


@contextmanager
def running(
    *command: str, environment: Mapping[str, str], log_path: Path
) -> Iterator["subprocess.Popen[str]"]:
    """Run `python -m command…` in a process group of its own while the body runs.

    Its stdin and stdout are pipes; stderr goes to `log_path`.
    """
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            env=dict(environment),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _end(process)


def first_line(process: "subprocess.Popen[str]", *, timeout_seconds: float) -> str:
    """Wait for the next line a process prints.

    Raises:
        RuntimeError: it ended, or said nothing in time.
    """
    assert process.stdout is not None
    watchdog = threading.Timer(timeout_seconds, process.kill)
    watchdog.start()
    try:
        line = process.stdout.readline()
    finally:
        watchdog.cancel()
    if not line:
        raise RuntimeError(f"{process.args!r} ended or said nothing; see its log")
    return line


def run(
    *command: str, environment: Mapping[str, str], timeout_seconds: float = LONGEST_RUN_SECONDS
) -> str:
    """Run `python -m command…` to its end and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        env=dict(environment),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        timeout=timeout_seconds,
        check=True,
    )
    return done.stdout


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and of the children it has waited for."""
    text = Path(f"/proc/{pid}/stat").read_text()
    # The command's name may hold blanks and brackets; what follows the last one is plain.
    fields = text.rpartition(")")[2].split()
    return sum(int(each) for each in fields[11:15]) / TICKS_PER_SECOND


def memory_mib(pid: int) -> float:
    """Proportional set size: what is shared with other processes counts in parts."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} has no memory")


def _end(process: "subprocess.Popen[str]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(STOP_SECONDS)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()
