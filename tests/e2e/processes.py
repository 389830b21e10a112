"""Starting the real thing: every process its own group, killed and stopped by its recorded pid.

Each `Process` writes to a log file of its own, which is what a failed test shows. Ports are taken
below the range that the system hands out by itself, so that nobody gets one between our look and
our use of it.
"""

import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

REPOSITORY = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0
# What is promised of every process.
STOP_SECONDS = 30.0
_PORTS = range(20_000, 32_000)
_TAIL = 4_000


def free_port() -> int:
    """A port of the loopback that nobody listens to now."""
    for port in random.sample(_PORTS, 200):
        with socket.socket() as probe:
            # What has just been closed may be used again at once, as servers do.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port")


class Process:
    """One program that runs until it is stopped or killed, and can be started again."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        log_file: Path,
        ready: str | None = None,
        code: Path = REPOSITORY,
    ) -> None:
        """`ready` is a regular expression that the log shows once the program can be used.

        `code` is where the release lies that the program is of.
        """
        self.name = name
        self._command = list(command)
        self._environment = dict(environment)
        self._log_file = log_file
        self._ready = ready
        self._code = code
        self._offset = 0
        self._running: subprocess.Popen[bytes] | None = None
        # A pool child outlives its killed parent for a moment; its group still names it.
        self._groups: set[int] = set()

    @property
    def pid(self) -> int:
        """The process id of the program as it runs now."""
        assert self._running is not None, f"{self.name} does not run"
        return self._running.pid

    @property
    def alive(self) -> bool:
        """Whether the program runs."""
        return self._running is not None and self._running.poll() is None

    def start(self) -> None:
        """Start the program, without waiting for it to be ready."""
        assert not self.alive, f"{self.name} runs already"
        self._offset = self._log_file.stat().st_size if self._log_file.exists() else 0
        with self._log_file.open("ab") as log:
            self._running = subprocess.Popen(
                self._command,
                cwd=self._code,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._groups.add(self._running.pid)

    def said(self) -> str:
        """What the program has written since it was started last."""
        with self._log_file.open("rb") as log:
            log.seek(self._offset)
            return log.read().decode(errors="replace")

    @property
    def is_ready(self) -> bool:
        """Whether the log shows what it shows when the program can be used.

        Raises:
            RuntimeError: the program has ended by itself.
        """
        if not self.alive:
            raise RuntimeError(f"{self.name} ended:\n{self.said()[-_TAIL:]}")
        return self._ready is None or re.search(self._ready, self.said()) is not None

    def wait_until_ready(self) -> None:
        """Wait for the program to be usable.

        Raises:
            RuntimeError: it ended, or it took more than START_SECONDS.
        """
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} is not ready:\n{self.said()[-_TAIL:]}")
            time.sleep(0.05)

    def children(self) -> list[int]:
        """The process ids of the program's direct children: those of a pool."""
        listed = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(pid) for pid in listed.read_text().split()] if listed.exists() else []

    def kill(self) -> None:
        """`kill -9` of the program itself; its children learn it from a closed pipe."""
        assert self._running is not None
        self._running.kill()
        self._running.wait(STOP_SECONDS)

    def kill_child(self, pid: int) -> None:
        """`kill -9` of one child; harmless when it is gone."""
        assert pid in self.children() or not self.alive
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def stop(self) -> None:
        """End the program, gently at first, and everything that it or a killed one left behind."""
        if self._running is not None and self.alive:
            self._running.terminate()
            try:
                self._running.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        for group in self._groups:
            try:
                os.killpg(group, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
        self._groups.clear()


def exit_with(main: Callable[[], int]) -> NoReturn:
    """Run a program of this folder and exit with what it returns.

    SIGTERM ends it as Ctrl-C does, so that it takes its processes, databases and files along.
    """
    # A shell has what it starts with `&` ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    sys.exit(main())


def python(*arguments: str) -> list[str]:
    """The command line of a Python program in this environment."""
    return [sys.executable, *arguments]


def run(command: Sequence[str], *, environment: Mapping[str, str], code: Path = REPOSITORY) -> None:
    """Run a program of the release in `code` to its end.

    Raises:
        RuntimeError: it failed; the message is what it wrote.
    """
    done = subprocess.run(
        command,
        cwd=code,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=START_SECONDS * 2,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command} failed:\n{(done.stdout + done.stderr).decode()[-_TAIL:]}")
